"""M8, replica recovery: from a replica's last write to its being ready again, whole and in three parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from console.interruptions.kept import kept_rows
from console.interruptions.measure_reading import JOINS, Rows, ages, conditions
from console.interruptions.measures import Dimension, Measure, Scope, Window, measure_url
from console.interruptions.measures_m1 import GROUP_COLUMNS
from console.lib.statistics import Percentile, Status, nearest_rank, proportion

TARGET = 120.0
LEAST = 5
UNIT = "seconds, p95"
PARTS = ("detect", "attach", "catch_up")


@dataclass(frozen=True, slots=True)
class Recoveries:
    """Seconds of the replicas that are ready again, and the ages of those that are not, both ascending."""

    finished: Sequence[float] = ()
    ages: Sequence[float] = ()
    parts: dict[str, Sequence[float]] = field(default_factory=dict)
    """Of the finished ones, each part ascending by itself."""

    @property
    def n(self) -> int:
        return len(self.finished) + len(self.ages)


def replica_recovery(
    scope: Scope, *, window: Window, now: datetime, by: Dimension | None = None, rows: Rows | None = None
) -> list[Measure]:
    """M8 of everything in scope, or of each group, the most replicas first. `rows`: what `query` answers."""
    found = _found(kept_rows(*query(scope, window, by), as_of=window.as_of) if rows is None else rows, now)
    if by is None:
        return [summary(found.get(("", ""), Recoveries()), window=window, scope=scope)]
    return [
        summary(
            recoveries,
            window=window,
            scope=scope.narrowed(by, key),
            key=key,
            label=label or "not reported",
        )
        for (key, label), recoveries in sorted(found.items(), key=lambda item: (-item[1].n, item[0][1]))
    ]


COLUMNS = 4 + len(PARTS)


def query(scope: Scope, window: Window, by: Dimension | None = None) -> tuple[str, list[Any]]:
    """SQL that answers `COLUMNS` columns, and its parameters."""
    key, label = GROUP_COLUMNS[by] if by else ("''", "''")
    where, wanted = conditions(scope)
    sorted_parts = ", ".join(
        f"array_agg(item.{part} ORDER BY item.{part}) FILTER (WHERE item.{part} IS NOT NULL)"
        for part in PARTS
    )
    return (
        f"""SELECT {key}, max({label}),
                   array_agg(took ORDER BY took) FILTER (WHERE took IS NOT NULL),
                   array_agg(since ORDER BY since DESC) FILTER (WHERE since IS NOT NULL), {sorted_parts}
        FROM interruptions_recoveryhour f {JOINS}
        CROSS JOIN LATERAL (
            SELECT *, NULL::timestamptz FROM unnest(f.milliseconds, f.detect, f.attach, f.catch_up)
            UNION ALL SELECT NULL, NULL, NULL, NULL, unnest(f.pending_since)
        ) AS item (took, {", ".join(PARTS)}, since)
        WHERE f.origin = %s AND f.hour >= %s AND f.hour < %s AND {where}
        GROUP BY 1""",  # noqa: S608
        [scope.origin, window.since, window.until, *wanted],
    )


def _found(rows: Rows, now: datetime) -> dict[tuple[str, str], Recoveries]:
    return {
        (key, label): Recoveries(
            [ms / 1000 for ms in took or ()],
            ages(pending, now=now),
            {part: [ms / 1000 for ms in times or ()] for part, times in zip(PARTS, parts, strict=True)},
        )
        for key, label, took, pending, *parts in rows
    }


def summary(
    recoveries: Recoveries,
    *,
    window: Window | None = None,
    scope: Scope | None = None,
    key: str = "",
    label: str = "",
) -> Measure:
    """The measure of these recoveries, judged as M3 is."""
    n = recoveries.n
    half = nearest_rank(recoveries.finished, 0.50, ages=recoveries.ages)
    most = nearest_rank(recoveries.finished, 0.95, ages=recoveries.ages)
    within = sum(seconds <= TARGET for seconds in recoveries.finished)
    return Measure(
        name="m8",
        unit=UNIT,
        value=most.value if most else None,
        is_at_least=bool(most and most.is_unfinished),
        interval=proportion(within, of=n) if n else None,
        n=n,
        status=_status(half, most, n),
        reason=_reason(n),
        target=TARGET,
        notes=tuple(_notes(recoveries)),
        figures={
            "p50": half.value if half else None,
            "p50_is_at_least": float(bool(half and half.is_unfinished)),
            "p95": most.value if most else None,
            "p95_is_at_least": float(bool(most and most.is_unfinished)),
            "within_target": within / n if n else None,
            "pending": len(recoveries.ages),
            **_parts(recoveries),
        },
        key=key,
        label=label,
        window=window,
        rows_url=measure_url("m8", scope, window) if scope else "",
    )


def _parts(recoveries: Recoveries) -> dict[str, float | None]:
    """Means add up to the mean of the whole; medians do not, and stand beside them."""
    figures: dict[str, float | None] = {}
    for part in PARTS:
        times = recoveries.parts.get(part, ())
        half = nearest_rank(times, 0.50)
        figures[f"{part}_mean"] = sum(times) / len(times) if times else None
        figures[f"{part}_p50"] = half.value if half else None
    return figures


def _status(half: Percentile | None, most: Percentile | None, n: int) -> Status:
    if half is None or most is None or n < LEAST:
        return Status.GREY
    if half.reaches(TARGET):
        return Status.RED
    return Status.AMBER if most.reaches(TARGET) else Status.GREEN


def _reason(n: int) -> str:
    if not n:
        return "No replica of stateful data is known to have been lost."
    return "" if n >= LEAST else f"{n} {'replica' if n == 1 else 'replicas'}; a verdict needs {LEAST}."


def _notes(recoveries: Recoveries) -> Iterator[str]:
    if recoveries.ages:
        yield f"{len(recoveries.ages)} replicas not ready yet: they count as longer than any."
