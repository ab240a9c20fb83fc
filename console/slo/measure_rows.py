"""The rows behind M7 and M9: episodes, with the requests around each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from console.interruptions.measures import Scope, Window
from console.lib.statistics import Status
from console.slo.episode_reading import read_felt
from console.slo.measures_m9 import burn_of, verdict_of

MOST = 200
"""Shown on a page; a file holds `MOST_IN_FILE`."""
MOST_IN_FILE = 10_000


@dataclass(frozen=True, slots=True)
class SpikeLine:
    """M7 of one episode. Null: not known."""

    episode: int
    service: str
    service_name: str
    started_at: datetime
    ended_at: datetime
    value: float | None
    low: float | None
    high: float | None
    during_bad: float
    during_total: float
    before_bad: float
    before_total: float
    status: Status


@dataclass(frozen=True, slots=True)
class BurnLine:
    """M9 of one episode and objective. Null: not known."""

    episode: int
    service: str
    service_name: str
    objective: int
    objective_name: str
    started_at: datetime
    ended_at: datetime
    burn: float | None
    bad: float
    total: float
    status: Status


def spike_lines(scope: Scope, *, window: Window, most: int) -> list[SpikeLine]:
    """The worst first; those of which nothing is known last."""
    lines = [
        SpikeLine(
            row.episode,
            row.service,
            row.service_name,
            row.started_at,
            row.ended_at,
            row.spike.value,
            row.spike.interval.low if row.spike.interval else None,
            row.spike.interval.high if row.spike.interval else None,
            row.spike.during.bad,
            row.spike.during.total,
            row.spike.before.bad,
            row.spike.before.total,
            row.spike.verdict.status,
        )
        for row in read_felt(scope, window).spikes
    ]
    grey = Status.GREY
    return sorted(lines, key=lambda one: (one.status == grey, -(one.value or -1.0)))[:most]


def burn_lines(scope: Scope, *, window: Window, most: int) -> list[BurnLine]:
    """The worst first."""
    lines = [
        BurnLine(
            row.episode,
            row.service,
            row.service_name,
            row.objective,
            row.objective_name,
            row.started_at,
            row.ended_at,
            burn_of(row),
            row.hour.bad,
            row.hour.total,
            verdict_of(row.hour, row.allowed, row.planned_burn).status,
        )
        for row in read_felt(scope, window).burns
    ]
    return sorted(lines, key=lambda one: -(-1.0 if one.burn is None else one.burn))[:most]
