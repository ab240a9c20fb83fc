"""F4: reclaims cost too much of the work that was done (M4, `metrics.md` section 2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import sqrt

from console.alerts.detecting import (
    SLACK,
    Detector,
    Given,
    Judged,
    Threshold,
    counted,
    one_condition,
    over,
)
from console.alerts.readings.state import WORK_WINDOW, WorkRow, read_work
from console.lib.durations import in_words
from console.lib.statistics import Z_95, Interval, Status, judge


def lost_fraction(row: WorkRow) -> float:
    return row.lost / row.total


def range_of(row: WorkRow) -> Interval | None:
    """r ± z·√(n/(n−1)·Σ(lᵢ−r·tᵢ)²)/Σt over at least three jobs, clipped to 0-1."""
    if row.jobs < 3:
        return None
    r = lost_fraction(row)
    spread = row.lost_squared - 2 * r * row.lost_by_total + r * r * row.total_squared
    half = Z_95 * sqrt(row.jobs / (row.jobs - 1) * max(0.0, spread)) / row.total
    return Interval(max(0.0, r - half), min(1.0, r + half))


def judge_work(rows: Iterable[WorkRow], given: Given) -> Iterator[Judged]:
    limits = given.limits
    for row in rows:
        service = given.services.get(row.service_id)
        if service is None or row.total <= 0:
            continue
        value, interval = lost_fraction(row), range_of(row)
        is_enough = row.jobs >= limits["least"]
        verdict = judge(
            value, target=limits["target"], red=limits["red"], interval=interval, is_enough=is_enough
        )
        is_red = verdict.status is Status.RED
        yield Judged(
            scope=service.slug,
            origin=service.origin,
            service_id=service.id,
            title=f"{service.name} loses too much work",
            text=f"{service.name}: {value:.1%} of the work of {counted(row.jobs, 'job')} in 7 days was lost "
            f"({in_words(row.lost)}); the target is {limits['target']:.0%}, the limit {limits['red']:.0%}.",
            is_true=is_red,
            is_clear=not is_red and (value <= (1 - SLACK) * limits["red"] or not is_enough),
            value=value,
            limit=limits["red"],
            inputs={
                "jobs": row.jobs,
                "lost_s": round(row.lost),
                "useful_s": round(row.total - row.lost),
                "restart_s": round(row.restart),
                "low": round(interval.low, 4) if interval else None,
                "high": round(interval.high, 4) if interval else None,
                "status": verdict.status.value,
            },
            windows=over(WORK_WINDOW, given, value=round(value, 5)),
        )


def _impossible(limits: Mapping[str, float]) -> Iterator[str]:
    if limits["red"] < limits["target"]:
        yield "The limit lies below the target: every fraction on target would be beyond the limit."


DETECTOR = Detector(
    name="lost_work",
    title="Work lost",
    about="The share of a service's work that was done after the last checkpoint and lost (M4, 7 days) passes "
    "the limit, or even the low end of its range passes the target (F4).",
    thresholds=(
        Threshold("target", "Target", 0.10, "share", least=0.001, most=1),
        Threshold("red", "Limit", 0.20, "share", least=0.001, most=0.999),
        Threshold("least", "At least", 3, "jobs", least=1, most=1e6, is_whole=True),
    ),
    conditions=one_condition("M4 is off target"),
    read=read_work,
    judge=judge_work,
    impossible=_impossible,
)
