"""A budget goes faster than planned while machines are taken (`metrics.md` section 3, rule eviction)."""

from __future__ import annotations

from console.alerts.burning import ALONE, EPISODE, PAGES, WORK, by_episode, detector_of
from console.alerts.detecting import TICKETS, Condition
from console.alerts.models.words import Severity

DETECTOR = detector_of(
    "eviction",
    title="Error budget burns around an eviction",
    about="Over an hour and over its last five minutes an objective's error budget burns at so many times its planned "
    "pace. It wakes people only while an episode of reclaims of that service is open or less than 15 minutes old; so "
    "low a burn alone is a ticket.",
    severity=Severity.ERROR,
    conditions=(
        Condition(EPISODE, "The budget burns around an episode of reclaims", PAGES),
        Condition(ALONE, "The budget burns faster than planned, and no machine was taken", TICKETS),
        Condition(WORK, "The budget of batch or best-effort work burns faster than planned", TICKETS),
    ),
    condition_of=by_episode,
)
