"""M6, the observability gap: how long telemetry and audit were silent around a machine's end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console.interruptions.kept import kept_rows
from console.interruptions.measure_reading import JOINS, Rows, ages, conditions
from console.interruptions.measures import Dimension, Measure, Scope, Window, measure_url
from console.interruptions.measures_m1 import GROUP_COLUMNS
from console.interruptions.measures_m2 import LEAST_COVERAGE, Agents
from console.interruptions.models import Signal
from console.lib.statistics import Percentile, Status, judge, nearest_rank, proportion

TARGET, RED = 60.0, 300.0
LEAST = 5
UNIT = "seconds, p95"


@dataclass(frozen=True, slots=True)
class Gaps:
    """Seconds of the gaps that closed, the ages of those still open, both ascending, and what stands beside them."""

    closed: Sequence[float] = ()
    ages: Sequence[float] = ()
    skewed: int = 0
    streamless: int = 0
    nodes: int = 0
    cut: int = 0

    @property
    def n(self) -> int:
        return len(self.closed) + len(self.ages)


def observability_gap(
    scope: Scope,
    *,
    window: Window,
    now: datetime,
    agents: Agents,
    by: Dimension | None = None,
    rows: Rows | None = None,
) -> list[Measure]:
    """M6 of telemetry and of audit; both stand there when not grouped, even if nothing was sent.

    `rows`: what `query` answers, where it was read already.
    """
    found = _found(
        kept_rows(*query(scope, window, by), as_of=window.as_of) if rows is None else rows, now, by
    )
    if by is None:
        found = {("", "", signal): Gaps() for signal in Signal} | found
    order = list(Signal)
    groups = sorted(found.items(), key=lambda item: (order.index(item[0][2]), -item[1].n, item[0][1]))
    return [
        summary(
            gaps,
            signal=signal,
            coverage=agents.coverage(lambda place: place.key(by) if by else "", key),
            window=window,
            scope=scope.narrowed(by, key) if by else scope,
            key=key,
            label=label,
        )
        for (key, label, signal), gaps in groups
    ]


COLUMNS = 9


def query(scope: Scope, window: Window, by: Dimension | None = None) -> tuple[str, list[Any]]:
    """SQL that answers `COLUMNS` columns, and its parameters."""
    key, label = GROUP_COLUMNS[by] if by else ("''", "''")
    where, wanted = conditions(scope)
    return (
        f"""SELECT {key}, max({label}), f.signal,
                   array_agg(took ORDER BY took) FILTER (WHERE took IS NOT NULL),
                   array_agg(since ORDER BY since DESC) FILTER (WHERE since IS NOT NULL),
                   sum(skewed), sum(streamless), sum(nodes), sum(cut)
        FROM interruptions_streamhour f {JOINS}
        CROSS JOIN LATERAL (
            SELECT unnest(f.milliseconds), NULL::timestamptz, 0, 0, 0, 0
            UNION ALL SELECT NULL, unnest(f.silent_since), 0, 0, 0, 0
            UNION ALL SELECT NULL, NULL, f.skewed_count, f.streamless_count, f.node_count, f.cut_count
        ) AS item (took, since, skewed, streamless, nodes, cut)
        WHERE f.origin = %s AND f.hour >= %s AND f.hour < %s AND {where}
        GROUP BY 1, 3""",  # noqa: S608
        [scope.origin, window.since, window.until, *wanted],
    )


def _found(rows: Rows, now: datetime, by: Dimension | None) -> dict[tuple[str, str, Signal], Gaps]:
    return {
        (key, label or ("not reported" if by else ""), Signal(signal)): Gaps(
            [ms / 1000 for ms in took or ()],
            ages(open_since, now=now),
            *map(int, counts),
        )
        for key, label, signal, took, open_since, *counts in rows
    }


def summary(
    gaps: Gaps,
    *,
    signal: Signal,
    coverage: float | None = None,
    window: Window | None = None,
    scope: Scope | None = None,
    key: str = "",
    label: str = "",
) -> Measure:
    """The measure of these gaps: p95 judged, never green while agents are missing."""
    n = gaps.n
    half = nearest_rank(gaps.closed, 0.50, ages=gaps.ages)
    most = nearest_rank(gaps.closed, 0.95, ages=gaps.ages)
    within = sum(seconds <= TARGET for seconds in gaps.closed)
    status = _status(most, n)
    is_held_back = status == Status.GREEN and (coverage is None or coverage < LEAST_COVERAGE)
    return Measure(
        name="m6",
        unit=UNIT,
        value=most.value if most else None,
        is_at_least=bool(most and most.is_unfinished),
        interval=proportion(within, of=n) if n else None,
        n=n,
        status=Status.AMBER if is_held_back else status,
        reason=_agents_missing(coverage) if is_held_back else _reason(gaps, signal),
        target=TARGET,
        red=RED,
        notes=tuple(_notes(gaps, signal, coverage)),
        figures=_figures(gaps, half, most, within, coverage),
        signal=signal.value,
        key=key,
        label=label,
        window=window,
        rows_url=measure_url("m6", scope, window, signal=signal.value) if scope else "",
    )


def _status(most: Percentile | None, n: int) -> Status:
    """A gap still open is longer than its age: red once that passes the red limit, and until then at risk."""
    if most is None or n < LEAST:
        return Status.GREY
    if most.is_unfinished:
        return Status.RED if most.value > RED else Status.AMBER
    return judge(most.value, target=TARGET, red=RED).status


def _figures(
    gaps: Gaps, half: Percentile | None, most: Percentile | None, within: int, coverage: float | None
) -> dict[str, float | None]:
    return {
        "p50": half.value if half else None,
        "p50_is_at_least": float(bool(half and half.is_unfinished)),
        "p95": most.value if most else None,
        "p95_is_at_least": float(bool(most and most.is_unfinished)),
        "within_target": within / gaps.n if gaps.n else None,
        "silent": len(gaps.ages),
        "skewed": gaps.skewed,
        "streamless": gaps.streamless,
        "nodes": gaps.nodes,
        "cut_short": gaps.cut,
        "cut_short_share": gaps.cut / gaps.nodes if gaps.nodes else None,
        "agent_coverage": coverage,
    }


def _agents_missing(coverage: float | None) -> str:
    if coverage is None:
        return "Agent coverage is unknown, so it cannot be on target."
    return f"Agents missing: {coverage:.0%} of the running spot machines are heard from."


def _reason(gaps: Gaps, signal: Signal) -> str:
    if not gaps.n and gaps.streamless:
        return f"Not reported: {gaps.streamless} reclaims, and no {signal} sample from around them."
    if not gaps.n:
        return "No machine went in this window."
    return "" if gaps.n >= LEAST else f"{gaps.n} reclaims; a verdict needs {LEAST}."


def _notes(gaps: Gaps, signal: Signal, coverage: float | None) -> Iterator[str]:
    if coverage is not None and coverage < LEAST_COVERAGE:
        yield f"Agents missing: {coverage:.0%} of the running spot machines were heard from in the last 90 s."
    if gaps.ages:
        yield f"{len(gaps.ages)} {signal} streams not heard again yet: they count as longer than any."
    if gaps.skewed:
        yield f"{gaps.skewed} {signal} gaps below zero, by clocks that differ: counted as 0 s."
    if gaps.streamless and gaps.n:
        yield f"{gaps.streamless} reclaims left out: no {signal} stream is known of them."
    if gaps.cut:
        yield f"{gaps.cut} of {gaps.nodes} machines sent their last {signal} sample more than 60 s before they went."
