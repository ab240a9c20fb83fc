"""The burn rules as judgements: both windows at the limit, enough failed, and over once the short one is calm.

One file of `detectors/` each; what they share is here. `metrics.md` section 3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from console.alerts.detecting import (
    HOLDS,
    TICKETS,
    Condition,
    Detector,
    Given,
    Judged,
    ServiceRow,
    Threshold,
    row,
)
from console.alerts.models.words import Severity
from console.alerts.readings.burns import BurnRow, out_of_reach, read_burns
from console.fleet.models import Criticality
from console.slo.budget import Counted
from console.slo.burn import BY_NAME, Burning, BurnRule, used_in

WORK, EPISODE, ALONE = "work", "episode", "alone"
PAGED = frozenset({Criticality.CRITICAL.value, Criticality.USER_FACING.value})
"""Classes of objectives that wake somebody; the service's own class has a say too, by its column of the table."""
PAGES = row("page", "page", "ticket")
FASTEST = 1e6
ConditionOf = Callable[[BurnRow], str]


def plain(one: BurnRow) -> str:
    return HOLDS if one.objective_class in PAGED else WORK


def by_episode(one: BurnRow) -> str:
    """A page only while machines go, or just went."""
    if one.objective_class not in PAGED:
        return WORK
    return ALONE if one.episode_at is None else EPISODE


def judge_burns(
    rows: Iterable[BurnRow], given: Given, *, rule: BurnRule, condition_of: ConditionOf
) -> Iterator[Judged]:
    """One judgement an objective. Without a request in the long window there is none."""
    for one in rows:
        service = given.services.get(one.service_id)
        burning = Burning(
            rule,
            rule.limit(one.planned_burn, given.limits["burn"]),
            one.windows.get(rule.long, Counted()),
            one.windows.get(rule.short, Counted()),
            one.allowed,
        )
        if service is not None and burning.long_burn is not None:
            yield _judged(one, burning, service, given, condition_of(one))


def _judged(one: BurnRow, burning: Burning, service: ServiceRow, given: Given, condition: str) -> Judged:
    rule, least = burning.rule, given.limits["least_bad"]
    return Judged(
        scope=f"{service.slug}/{one.slug}",
        origin=service.origin,
        service_id=service.id,
        title=f"{service.name} burns its error budget: {one.name}",
        text=_text(one, burning, service),
        is_true=burning.is_true(least_bad=least),
        is_clear=burning.is_clear(),
        value=burning.long_burn,
        limit=burning.limit,
        condition=condition,
        inputs={
            "objective": one.objective,
            "target": one.target,
            "class": one.objective_class,
            "planned_burn": one.planned_burn,
            "bad": round(burning.long.bad, 3),
            "total": round(burning.long.total, 3),
            "least_bad": least,
            "short_bad": round(burning.short.bad, 3),
            "short_total": round(burning.short.total, 3),
            "budget_used": round(used_in(burning.long_burn or 0.0, rule.long), 6),
            "can_reach_limit": burning.is_reachable,
            "episode_at": one.episode_at.isoformat() if one.episode_at else None,
        },
        windows={
            "long": _window(given, rule.long, burning.long_burn, burning.long),
            "short": _window(given, rule.short, burning.short_burn, burning.short),
        },
    )


def _text(one: BurnRow, burning: Burning, service: ServiceRow) -> str:
    short = "no data" if burning.short_burn is None else f"{burning.short_burn:.1f}×"
    used = used_in(burning.long_burn or 0.0, burning.rule.long)
    return (
        f"{service.name}, {one.name} ({one.target}): {burning.long_burn:.1f}× in {_words(burning.rule.long)} and"
        f" {short} in {_words(burning.rule.short)}, limit {burning.limit:g}×; {burning.long.bad:,.0f} of"
        f" {burning.long.total:,.0f} requests failed, {used:.2%} of the 30 days' budget."
    )


def _words(window: timedelta) -> str:
    minutes = round(window.total_seconds() / 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 1440 else f"{minutes // 1440} d"


def _window(given: Given, length: timedelta, burn: float | None, counted: Counted) -> dict[str, Any]:
    until = given.now.replace(second=0, microsecond=0)
    return {
        "since": (until - length).isoformat(),
        "until": until.isoformat(),
        "value": None if burn is None else round(burn, 4),
        "minutes": counted.minutes,
    }


def detector_of(
    name: str,
    *,
    title: str,
    about: str,
    severity: Severity,
    conditions: tuple[Condition, ...],
    condition_of: ConditionOf = plain,
    least_bad: int = 10,
) -> Detector:
    """The detector of one burn rule, `burn_<name>`."""
    rule = BY_NAME[name]

    def judge(rows: Any, given: Given) -> Iterable[Judged]:
        return judge_burns(rows, given, rule=rule, condition_of=condition_of)

    def impossible(limits: Mapping[str, float]) -> Iterable[str]:
        return out_of_reach(limits["burn"], rule=rule)

    return Detector(
        name=f"burn_{name}",
        title=title,
        about=about,
        thresholds=(
            Threshold(
                "burn",
                "Burn of both windows",
                rule.factor,
                "× planned" if rule.is_planned else "×",
                least=0.1,
                most=FASTEST,
                help="1 uses the budget up in exactly 30 days.",
            ),
            Threshold(
                "least_bad", "At least", least_bad, "failed requests", least=1, most=1e9, is_whole=True
            ),
        ),
        conditions=conditions,
        severity=severity,
        read=read_burns,
        judge=judge,
        impossible=impossible,
    )


def conditions(label: str, table: dict[str, str] = PAGES) -> tuple[Condition, ...]:
    """What wakes people for the classes that may, and what batch and best-effort objectives do instead."""
    return (
        Condition(HOLDS, label, table),
        Condition(WORK, f"{label}, of batch or best-effort work", TICKETS),
    )
