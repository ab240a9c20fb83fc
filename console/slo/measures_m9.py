"""M9, how fast budgets burn after evictions: b over the hour from the start of each episode, the worst of a window.

The target is the objective's planned burn, the red limit three times that, which is where the eviction rule rings;
red takes ten failed requests, as a page does (`metrics.md` sections 2 and 3).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from console.interruptions.measures import Dimension, Measure, Scope, Window
from console.lib.statistics import Status, Verdict, judge, nearest_rank
from console.slo.budget import Counted
from console.slo.burn import BY_NAME, HOUR, LEAST_BAD, burn_interval, burn_rate, used_in
from console.slo.episode_reading import BurnRow, Felt, read_felt
from console.slo.measures_m7 import page_url

UNIT = "× the even pace, 1 h after an episode, worst"
LEAST = 100
"""Requests in the hour, below which there is no verdict."""


def burn_after_eviction(
    scope: Scope, *, window: Window, by: Dimension | None = None, felt: Felt | None = None
) -> list[Measure]:
    """M9 of the whole scope, or of each group that had an episode, the worst first. `felt`: read already."""
    found: dict[tuple[str, str], list[BurnRow]] = defaultdict(list)
    for row in (felt or read_felt(scope, window, by)).burns:
        found[row.key if by else "", row.label if by else ""].append(row)
    if by is None:
        found = found or {("", ""): []}
    measures = [
        summary(rows, window=window, scope=scope.narrowed(by, key) if by else scope, key=key, label=label)
        for (key, label), rows in found.items()
    ]
    return sorted(measures, key=lambda one: (-(one.value or 0.0), one.label))


def burn_of(row: BurnRow) -> float | None:
    return burn_rate(row.hour, row.allowed)


def verdict_of(counted: Counted, allowed: float, planned: float) -> Verdict:
    """Against the planned burn. Fewer than ten failures are never red: nobody would be paged for them."""
    verdict = judge(
        burn_rate(counted, allowed),
        target=planned,
        red=BY_NAME["eviction"].limit(planned),
        interval=burn_interval(counted, allowed),
        is_enough=counted.total >= LEAST,
    )
    if verdict.status is Status.RED and counted.bad < LEAST_BAD:
        return Verdict(Status.AMBER)
    return verdict


def summary(
    rows: Sequence[BurnRow],
    *,
    window: Window | None = None,
    scope: Scope | None = None,
    key: str = "",
    label: str = "",
) -> Measure:
    """The episode that burned fastest against what was planned for its objective."""
    enough = [row for row in rows if row.hour.total >= LEAST]
    worst = max(enough, key=lambda row: (burn_of(row) or 0.0) / row.planned_burn, default=None)
    half = nearest_rank(sorted(burn_of(row) or 0.0 for row in enough), 0.50)
    burn = burn_of(worst) if worst else None
    verdict = verdict_of(worst.hour, worst.allowed, worst.planned_burn) if worst else Verdict(Status.GREY)
    is_held_back = bool(worst and verdict.status is Status.AMBER and worst.hour.bad < LEAST_BAD)
    planned = worst.planned_burn if worst else 1.0
    return Measure(
        name="m9",
        unit=UNIT,
        value=burn,
        interval=burn_interval(worst.hour, worst.allowed) if worst else None,
        n=len(enough),
        status=verdict.status,
        is_low_confidence=verdict.is_low_confidence,
        reason=f"Fewer than {LEAST_BAD} requests failed." if is_held_back else _reason(rows, enough),
        target=planned,
        red=BY_NAME["eviction"].limit(planned),
        notes=tuple(_notes(rows, enough, window)),
        figures={
            "median": half.value if half else None,
            "bad": worst.hour.bad if worst else None,
            "total": worst.hour.total if worst else None,
            "budget_used": None if burn is None else used_in(burn, HOUR),
            "episodes": len({row.episode for row in rows}),
            "objectives": len({row.objective for row in rows}),
        },
        key=key,
        label=label,
        window=window,
        rows_url=page_url("burns", scope, window) if scope else "",
    )


def _reason(rows: Sequence[BurnRow], enough: Sequence[BurnRow]) -> str:
    if enough:
        return ""
    if not rows:
        return "No episode of reclaims of a service with an objective."
    return f"Fewer than {LEAST} requests in the hour after each of {len(rows)} episodes; a verdict needs {LEAST}."


def _notes(rows: Sequence[BurnRow], enough: Sequence[BurnRow], window: Window | None) -> Iterator[str]:
    if enough and len(enough) < len(rows):
        yield f"{len(rows) - len(enough)} of {len(rows)} left out: fewer than {LEAST} requests in the hour after."
    running = sum(window is not None and row.started_at + HOUR > window.as_of for row in rows)
    if running:
        yield f"{running} began less than an hour ago: what is known of that hour so far is counted."
