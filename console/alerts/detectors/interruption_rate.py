"""M1: a service's machines are taken more often than its red limit allows (`metrics.md` section 2)."""

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
from console.lib.statistics import Status, judge, poisson_rate


def judge_rates(rows: Iterable[RateRow], given: Given) -> Iterator[Judged]:
    """Red: the rate passes the limit, or its whole interval lies above the target."""
    for row in rows:
        service = given.services.get(row.service_id)
        if service is None or not row.weeks:
            continue
        target, red = _wanted(row, given.limits)
        value = 100 * row.reclaims / row.weeks
        interval = poisson_rate(row.reclaims, exposure=row.weeks, phi=row.phi).scaled(100)
        is_enough = row.weeks >= given.limits["least_weeks"]
        verdict = judge(value, target=target, red=red, interval=interval, is_enough=is_enough)
        is_red = verdict.status is Status.RED
        yield Judged(
            scope=service.slug,
            origin=service.origin,
            service_id=service.id,
            title=f"{service.name} is reclaimed too often",
            text=f"{service.name}: {value:.1f} reclaims per 100 instance-weeks in 7 days "
            f"({interval.low:.1f}-{interval.high:.1f}); the target is {target:g}, the limit {red:g}.",
            is_true=is_red,
            is_clear=not is_red and (value <= (1 - SLACK) * red or not is_enough),
            value=value,
            limit=red,
            inputs={
                "reclaims": row.reclaims,
                "instance_weeks": round(row.weeks, 2),
                "phi": round(row.phi, 3),
                "low": round(interval.low, 3),
                "high": round(interval.high, 3),
                "target": target,
                "status": verdict.status.value,
            },
            windows=over(WINDOW, given, value=round(value, 3)),
        )


def _wanted(row: RateRow, limits: Mapping[str, float]) -> tuple[float, float]:
    """Target and limit; where classes of machines have their own, each counts by its running time."""
    total = sum(weeks for weeks, _, _ in row.parts)
    if not total:
        return limits["target"], limits["red"]
    target = sum(weeks * (limits["target"] if own is None else own) for weeks, own, _ in row.parts)
    red = sum(weeks * (limits["red"] if own is None else own) for weeks, _, own in row.parts)
    return target / total, red / total


def _impossible(limits: Mapping[str, float]) -> Iterator[str]:
    if limits["red"] < limits["target"]:
        yield "The limit lies below the target: every rate on target would be beyond the limit."


DETECTOR = Detector(
    name="interruption_rate",
    title="Reclaimed too often",
    about="The reclaims of a service per 100 spot-instance-weeks (M1, 7 days) pass the limit, or even the low end of "
    "their range passes the target. Classes of machines with targets of their own keep these.",
    thresholds=(
        Threshold("target", "Target", 5, "per 100 instance-weeks", least=0.01, most=16_800),
        Threshold("red", "Limit", 10, "per 100 instance-weeks", least=0.01, most=16_800),
        Threshold("least_weeks", "At least", 20, "instance-weeks", least=0, most=1e6),
    ),
    conditions=one_condition("M1 is off target"),
    read=read_rates,
    judge=judge_rates,
    impossible=_impossible,
)
