"""M3, reschedule latency: from eviction to Ready elsewhere, a class of workload at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from console.fleet.models import Statefulness
from console.interruptions.measure_reading import JOINS, conditions
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
    scope: Scope, *, window: Window, workload_class: Statefulness, now: datetime, by: Dimension | None = None
) -> list[Measure]:
    """M3 of one class; one measure when not grouped, even if nothing moved."""
    found = _read(scope, window, workload_class, now, by)
    if by is None and not found:
        found = {("", ""): Latencies(())}
    return [
        summary(
            latencies,
            workload_class=workload_class,
            window=window,
            scope=scope.narrowed(by, key) if by else scope,
            key=key,
            label=label,
        )
        for (key, label), latencies in sorted(found.items(), key=lambda item: (-item[1].n, item[0][1]))
    ]


def _read(
    scope: Scope, window: Window, workload_class: Statefulness, now: datetime, by: Dimension | None
) -> dict[tuple[str, str], Latencies]:
    key, label = GROUP_COLUMNS[by] if by else ("''", "''")
    where, wanted = conditions(scope)
    values: list[str | datetime] = [scope.origin, str(workload_class), window.since, window.until, *wanted]
    sql = (
        f"SELECT {key}, max({label}), array_agg(item ORDER BY item)"  # noqa: S608
        f" FROM interruptions_latencyhour f {JOINS} CROSS JOIN unnest({{column}}) AS item"
        f" WHERE f.origin = %s AND f.workload_class = %s AND f.hour >= %s AND f.hour < %s AND {where} GROUP BY 1"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql.format(column="f.milliseconds"), values)
        done = {(row[0], row[1]): [ms / 1000 for ms in row[2]] for row in cursor.fetchall()}
        cursor.execute(sql.format(column="f.pending_since"), values)
        open_ = {
            (row[0], row[1]): [max(0.0, (now - since).total_seconds()) for since in reversed(row[2])]
            for row in cursor.fetchall()
        }
    return {group: Latencies(done.get(group, ()), open_.get(group, ())) for group in {**done, **open_}}


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
        notes=(f"{len(latencies.ages)} still pending: they count as longer than any.",)
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
