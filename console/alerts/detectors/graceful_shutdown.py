"""M2: too few of a service's reclaims ended with a hook that completed in time (`metrics.md` section 2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from console.alerts.detecting import (
    SLACK,
    Detector,
    Given,
    Judged,
    Threshold,
    one_condition,
    over,
)
from console.alerts.readings.rates import WINDOW, RateRow, read_rates
from console.interruptions.measures_m2 import PARTS
from console.lib.statistics import Status, judge, proportion


def judge_shutdowns(rows: Iterable[RateRow], given: Given) -> Iterator[Judged]:
    """A service from which no hook report ever came is not instrumented, and not judged."""
    limits = given.limits
    for row in rows:
        service, counts = given.services.get(row.service_id), row.counts
        of = counts.reclaim_count - counts.undecided_count
        if service is None or not row.is_reporting or not of:
            continue
        value, interval = counts.complete_count / of, proportion(counts.complete_count, of=of)
        is_enough = of >= limits["least"]
        verdict = judge(
            value,
            target=limits["target"],
            red=limits["red"],
            interval=interval,
            is_low_good=False,
            is_enough=is_enough,
        )
        is_red = verdict.status is Status.RED
        yield Judged(
            scope=service.slug,
            origin=service.origin,
            service_id=service.id,
            title=f"{service.name} does not shut down gracefully",
            text=f"{service.name}: {counts.complete_count} of {of} reclaims in 7 days ended with a completed hook "
            f"({value:.1%}; {interval.low:.1%}-{interval.high:.1%}); the target is {limits['target']:.0%}.",
            is_true=is_red,
            is_clear=not is_red and (value >= limits["red"] + SLACK * (1 - limits["red"]) or not is_enough),
            value=value,
            limit=limits["red"],
            inputs={part: getattr(counts, f"{part}_count") for part in PARTS}
            | {
                "of": of,
                "low": round(interval.low, 4),
                "high": round(interval.high, 4),
                "status": verdict.status.value,
            },
            windows=over(WINDOW, given, value=round(value, 4)),
        )


def _impossible(limits: Mapping[str, float]) -> Iterator[str]:
    if limits["red"] > limits["target"]:
        yield "The limit lies above the target: every share on target would be beyond the limit."


DETECTOR = Detector(
    name="graceful_shutdown",
    title="Shutdowns that are not graceful",
    about="The share of a service's reclaims whose hook completed in time (M2, 7 days) falls below the limit, "
    "or even the high end of its range misses the target. Needs hook reports: without any it is never judged.",
    thresholds=(
        Threshold("target", "Target", 0.95, "share", least=0.01, most=1),
        Threshold("red", "Limit", 0.90, "share", least=0.01, most=1),
        Threshold("least", "At least", 10, "reclaims", least=1, most=1e6, is_whole=True),
    ),
    conditions=one_condition("M2 is off target"),
    read=read_rates,
    judge=judge_shutdowns,
    impossible=_impossible,
)
