"""What sampled rules would have done each minute: their own readings and judgements, stepped as live.

A rule is looked at when its reading may differ (`moments.py`). In between, only scopes that are on their way somewhere
(not often enough yet, not over for long enough) are stepped, a minute at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from console.alerts.detecting import Asked, Judged, ServiceRow
from console.alerts.evaluating.judging import Seen, look
from console.alerts.evaluating.minute import Changes, Scope, step_all
from console.alerts.models import AlertGroup, GroupStatus, RuleState, Standing
from console.alerts.replay.moments import MINUTE, Looks
from console.alerts.rules_in_force import InForce, Rules

Tick = Callable[[datetime], None]
Minutes = list[tuple[datetime, Changes]]
OPEN = AlertGroup(pk=1, status=GroupStatus.TRIGGERED)
"""Stands for the group that a state opened: nobody closes one by hand here."""


@dataclass(slots=True)
class Stepper:
    """One set of rules of one detector, and where it stands."""

    rules: Rules
    watched: Sequence[InForce]
    known: dict[Scope, RuleState] = field(default_factory=dict)
    judged: dict[int, list[Judged]] = field(default_factory=dict)
    minutes: Minutes = field(default_factory=list)

    def look(
        self, asked: Asked, services: Mapping[int, ServiceRow], known: dict[Callable[[Asked], Any], Any]
    ) -> None:
        self.judged = {rule.rule_id: look(rule, self.rules, asked, services, known) for rule in self.watched}

    def step(self, now: datetime) -> None:
        changes = step_all(self.rules, Seen(judged=self.judged), self.known, now=now)
        self.known = changes.states
        for scope in changes.opening:
            self.known[scope].group = OPEN
        for state in self.known.values():
            if state.group_id is not None:
                state.group = OPEN
        if changes.opening or changes.closing:
            self.minutes.append((now, changes))

    @property
    def is_on_its_way(self) -> bool:
        return any(
            state.standing == Standing.PENDING
            or state.clear_since is not None
            or (state.standing == Standing.COOLING and state.true_count)
            for state in self.known.values()
        )


def step_through(
    steppers: Sequence[Stepper],
    looks: Looks,
    *,
    origin: str,
    services: Mapping[int, ServiceRow],
    heard_by: datetime,
    tick: Tick,
) -> None:
    """All of these through the same minutes; what was read for a minute is read once for all of them."""
    for place, minute in enumerate(looks.minutes):
        tick(minute)
        known: dict[Callable[[Asked], Any], Any] = {}
        asked = Asked([origin], minute, heard_by)
        until = looks.minutes[place + 1] if place + 1 < len(looks.minutes) else minute + MINUTE
        for stepper in steppers:
            stepper.look(asked, services, known)
            stepper.step(minute)
            at = minute + MINUTE
            while at < until and stepper.is_on_its_way:
                stepper.step(at)
                at += MINUTE
