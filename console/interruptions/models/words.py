"""The words an interruption's rows are written in."""

from __future__ import annotations

from django.db import models

from console.feeds.normalised import Cause, Kind, Outcome


class State(models.TextChoices):
    """Where an interruption stands: the highest stage of its node track, or how it closed."""

    AT_RISK = "at_risk", "At risk"
    NOTICED = "noticed", "Noticed"
    CORDONED = "cordoned", "Cordoned"
    DRAINING = "draining", "Draining"
    SHUTTING_DOWN = "shutting_down", "Shutting down"
    SHUT_DOWN = "shut_down", "Shut down"
    ENDED = "ended", "Gone"
    PRESUMED = "presumed", "Gone (presumed)"
    CANCELLED = "cancelled", "Withdrawn"
    NO_ACTION = "no_action", "No action"


OPEN_STATES = (
    State.AT_RISK,
    State.NOTICED,
    State.CORDONED,
    State.DRAINING,
    State.SHUTTING_DOWN,
    State.SHUT_DOWN,
)
"""The machine still runs, as far as is known."""

HINT_STATES = (State.AT_RISK, State.NO_ACTION)
"""Hints: in no group, episode, cascade or measure except those of rebalance trust."""


class KnownBy(models.TextChoices):
    NOTICE = "notice", "Notice"
    AUDIT = "audit", "Proof without notice"
    VANISHED = "vanished", "Vanished"


def choices_of(enum: type[Kind] | type[Cause] | type[Outcome]) -> list[tuple[str, str]]:
    return [(item.value, item.value.replace("_", " ").capitalize()) for item in enum]
