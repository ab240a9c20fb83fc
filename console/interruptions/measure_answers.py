"""One question, one list of measures: what the API and every CSV of measures ask."""

from __future__ import annotations

from datetime import datetime

from console.interruptions import measures_m1, measures_m2, measures_m3, measures_m4, measures_m6, measures_m8
from console.interruptions.measure_reading import read_counts
from console.interruptions.measures import Dimension, Measure, Scope, Window


def rates(scope: Scope, *, window: Window, by: Dimension | None) -> list[Measure]:
    """M1, and M1b beside it."""
    reading, targets = read_counts(scope, window), measures_m1.Targets()
    shares = measures_m1.interrupted_share(scope, window=window, by=by)
    if by is None:
        return [measures_m1.interruption_rate(reading, targets), *shares]
    return [*measures_m1.interruption_rate_by(reading, targets, dimension=by), *shares]


def shutdowns(scope: Scope, *, window: Window, by: Dimension | None, now: datetime) -> list[Measure]:
    """M2, with M2n among its figures."""
    reading = read_counts(scope, window)
    agents = measures_m2.read_agents(scope, now=now)
    if by is None:
        return [measures_m2.graceful_shutdown(reading, agents)]
    return measures_m2.graceful_shutdown_by(reading, agents, dimension=by)


def latencies(scope: Scope, *, window: Window, by: Dimension | None, now: datetime) -> list[Measure]:
    """M3 of the stateless and the batch workloads."""
    return measures_m3.reschedule_latency(scope, window=window, now=now, by=by)


def work(scope: Scope, *, window: Window, by: Dimension | None) -> list[Measure]:
    """M4."""
    return measures_m4.lost_work(scope, window=window, by=by)


def gaps(scope: Scope, *, window: Window, by: Dimension | None, now: datetime) -> list[Measure]:
    """M6 of telemetry and of audit."""
    agents = measures_m2.read_agents(scope, now=now)
    return measures_m6.observability_gap(scope, window=window, now=now, agents=agents, by=by)


def recoveries(scope: Scope, *, window: Window, by: Dimension | None, now: datetime) -> list[Measure]:
    """M8 with its parts."""
    return measures_m8.replica_recovery(scope, window=window, now=now, by=by)
