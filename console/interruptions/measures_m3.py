"""M3, reschedule latency: from eviction to Ready elsewhere, a class of workload at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console.fleet.models import Statefulness
from console.interruptions.kept import kept_rows
from console.interruptions.measure_reading import JOINS, Rows, ages, conditions
from console.interruptions.measures import Dimension, Measure, Scope, Window, rows_url
from console.interruptions.measures_m1 import GROUP_COLUMNS
from console.lib.statistics import Percentile, Status, nearest_rank, proportion

TARGETS = {Statefulness.STATELESS: 30.0, Statefulness.BATCH: 300.0}
LEAST = 5
UNIT = "seconds, p95"


@dataclass(frozen=True, slots=True)
class Latencies:
    """Seconds of the moves that ended, and the ages of those that did not, both ascending."""

    finished: Sequence[float]
    ages: Sequence[float] = ()

    @property
    def n(self) -> int:
        return len(self.finished) + len(self.ages)


def reschedule_latency(
    scope: Scope, *, window: Window, now: datetime, by: Dimension | None = None, rows: Rows | None = None
) -> list[Measure]:
    """M3 of stateless and of batch work; both stand there when not grouped, even if nothing moved.

    `rows`: what `query` answers, where it was read already.
    """
    found = _found(kept_rows(*query(scope, window, by), as_of=window.as_of) if rows is None else rows, now)
    if by is None:
        found = {("", "", kind): Latencies(()) for kind in TARGETS} | found
    order = {kind: number for number, kind in enumerate(TARGETS)}
    groups = sorted(found.items(), key=lambda item: (order[item[0][2]], -item[1].n, item[0][1]))
    return [
        summary(
            latencies,
            workload_class=kind,
            window=window,
            scope=scope.narrowed(by, key) if by else scope,
            key=key,
            label=label,
        )
        for (key, label, kind), latencies in groups
    ]


COLUMNS = 5


def query(scope: Scope, window: Window, by: Dimension | None = None) -> tuple[str, list[Any]]:
    """SQL that answers `COLUMNS` columns, and its parameters."""
    key, label = GROUP_COLUMNS[by] if by else ("''", "''")
    where, wanted = conditions(scope)
    return (
        f"""SELECT {key}, max({label}), f.workload_class,
                       array_agg(took ORDER BY took) FILTER (WHERE took IS NOT NULL),
                       array_agg(since ORDER BY since DESC) FILTER (WHERE since IS NOT NULL)
            FROM interruptions_latencyhour f {JOINS}
            CROSS JOIN LATERAL (
                SELECT unnest(f.milliseconds), NULL::timestamptz UNION ALL SELECT NULL, unnest(f.pending_since)
            ) AS item (took, since)
            WHERE f.origin = %s AND f.hour >= %s AND f.hour < %s AND f.workload_class = ANY(%s) AND {where}
            GROUP BY 1, 3""",  # noqa: S608
        [scope.origin, window.since, window.until, [kind.value for kind in TARGETS], *wanted],
    )


def _found(rows: Rows, now: datetime) -> dict[tuple[str, str, Statefulness], Latencies]:
    return {
        (key, label, Statefulness(kind)): Latencies(
            [ms / 1000 for ms in done or ()],
            ages(pending, now=now),
        )
        for key, label, kind, done, pending in rows
    }


def summary(
    latencies: Latencies,
    *,
    workload_class: Statefulness,
    window: Window | None = None,
    scope: Scope | None = None,
    key: str = "",
    label: str = "",
) -> Measure:
    """The measure of these latencies: p95 judged, p50 and the share within the target beside it."""
    target, n = TARGETS[workload_class], latencies.n
    half = nearest_rank(latencies.finished, 0.50, ages=latencies.ages)
    most = nearest_rank(latencies.finished, 0.95, ages=latencies.ages)
    within = sum(seconds <= target for seconds in latencies.finished)
    return Measure(
        name="m3",
        unit=UNIT,
        value=most.value if most else None,
        is_at_least=bool(most and most.is_unfinished),
        interval=proportion(within, of=n) if n else None,
        n=n,
        status=_status(half, most, target, n),
        reason="" if n >= LEAST else _reason(n, workload_class),
        target=target,
        notes=(f"{len(latencies.ages)} {workload_class} moves still pending: they count as longer than any.",)
        if latencies.ages
        else (),
        figures={
            "p50": half.value if half else None,
            "p50_is_at_least": float(bool(half and half.is_unfinished)),
            "p95": most.value if most else None,
            "p95_is_at_least": float(bool(most and most.is_unfinished)),
            "within_target": within / n if n else None,
            "pending": len(latencies.ages),
        },
        workload_class=workload_class.value,
        key=key,
        label=label,
        window=window,
        rows_url=rows_url(scope, window) if scope else "",
    )


def _status(half: Percentile | None, most: Percentile | None, target: float, n: int) -> Status:
    if half is None or most is None or n < LEAST:
        return Status.GREY
    if half.reaches(target):
        return Status.RED
    return Status.AMBER if most.reaches(target) else Status.GREEN


def _reason(n: int, workload_class: Statefulness) -> str:
    if not n:
        return f"No {workload_class} workload is known to have moved."
    return f"{n} moves; a verdict needs {LEAST}."
