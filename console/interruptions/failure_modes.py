"""Readings of the failure modes that measures tell of, a service at a time, for the rules that watch them.

F2 long shutdown, F4 lost state, F6 observability gap, F7 audit cut short (`docs/measures.md`, Failure modes). A fixed
number of queries, however many services there are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from console.interruptions.measure_reading import read_counts
from console.interruptions.measures import Dimension, Measure, Scope, Window
from console.interruptions.measures_m2 import graceful_shutdown_by, read_agents
from console.interruptions.measures_m4 import lost_work
from console.interruptions.measures_m6 import observability_gap
from console.interruptions.measures_m8 import replica_recovery
from console.lib.statistics import Interval, proportion


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """k of n with Wilson's range; of none there is no share."""

    k: int = 0
    n: int = 0

    @property
    def value(self) -> float | None:
        return self.k / self.n if self.n else None

    @property
    def interval(self) -> Interval | None:
        return proportion(self.k, of=self.n) if self.n else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """What is known of one service. None: nothing was reported, which is no zero."""

    service: str
    slow_shutdowns: float | None = None
    """F2: of the timed hooks, those that took more than 80 % of the notice."""
    partial_hooks: int = 0
    """F4, with M4 and M8."""
    lost_work: Measure | None = None
    recovery: Measure | None = None
    telemetry_gap: Measure | None = None
    """F6, with the gap of audit."""
    audit_gap: Measure | None = None
    audit_cut_short: Share = Share()
    """F7: of the machines that sent audit, those whose last sample lies more than 60 s before their end."""


def failure_readings(scope: Scope, *, window: Window, now: datetime) -> dict[str, Readings]:
    """By slug of the service; services that lost nothing in the window are absent."""
    agents, by = read_agents(scope, now=now), Dimension.SERVICE
    found: dict[str, Readings] = {}

    def note(measure: Measure, **values: object) -> None:
        known = found.get(measure.key, Readings(service=measure.key))
        found[measure.key] = replace(known, **values)  # type: ignore[arg-type]

    for one in graceful_shutdown_by(read_counts(scope, window), agents, dimension=by):
        note(one, slow_shutdowns=one.figures["slow_share"], partial_hooks=int(one.figures["partial"] or 0))
    for one in lost_work(scope, window=window, by=by):
        note(one, lost_work=one)
    for one in replica_recovery(scope, window=window, now=now, by=by):
        note(one, recovery=one)
    for one in observability_gap(scope, window=window, now=now, agents=agents, by=by):
        if one.signal == "audit":
            cut = Share(k=int(one.figures["cut_short"] or 0), n=int(one.figures["nodes"] or 0))
            note(one, audit_gap=one, audit_cut_short=cut)
        else:
            note(one, telemetry_gap=one)
    return found
