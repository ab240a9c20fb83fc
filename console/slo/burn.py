"""Burn rates: how fast a budget goes, and the rules that say when that is too fast (`metrics.md` section 3, M9).

b(w) = (bad/total) / (1 − SLO) over a window w: at 1 the budget lasts exactly its period. It cannot exceed
1 / (1 − SLO), which is everything failing. Source of the windows: Google SRE Workbook, chapter 5, table 5-8.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from console.lib.statistics import Interval
from console.slo.budget import PERIOD, Counted

LEAST_BAD = 10
"""Bad requests in the long window, below which nobody is paged."""
STILL = 0.5
"""A rule is over once the short window burns below this share of its limit."""
AFTER_EPISODE = timedelta(minutes=15)
"""So long after an episode a burn is taken to come from it."""
Name = Literal["fast", "medium", "eviction", "slow"]


@dataclass(frozen=True, slots=True)
class BurnRule:
    """Both windows have to burn at `factor` or more. `is_planned`: the factor is a multiple of the planned burn."""

    name: Name
    long: timedelta
    short: timedelta
    factor: float
    is_planned: bool = False

    def limit(self, planned_burn: float, factor: float | None = None) -> float:
        own = self.factor if factor is None else factor
        return own * planned_burn if self.is_planned else own

    @property
    def label(self) -> str:
        return f"{self.name.capitalize()} burn"


HOUR = timedelta(hours=1)
RULES: tuple[BurnRule, ...] = (
    BurnRule("fast", HOUR, timedelta(minutes=5), 14.4),
    BurnRule("medium", 6 * HOUR, timedelta(minutes=30), 6.0),
    BurnRule("eviction", HOUR, timedelta(minutes=5), 3.0, is_planned=True),
    BurnRule("slow", 72 * HOUR, 6 * HOUR, 1.0),
)
BY_NAME: dict[str, BurnRule] = {rule.name: rule for rule in RULES}
WINDOWS: tuple[timedelta, ...] = tuple(sorted({w for rule in RULES for w in (rule.long, rule.short)}))


def burn_rate(counted: Counted, allowed: float) -> float | None:
    """b = (bad/total)/(1 − SLO). Null where nothing was asked."""
    share = counted.bad_share
    return None if share is None else share / allowed


def burn_interval(counted: Counted, allowed: float) -> Interval | None:
    """Wilson's interval of the share that failed, as a burn rate."""
    interval = counted.interval
    return interval.scaled(1 / allowed) if interval else None


def used_in(burn: float, window: timedelta, *, period: timedelta = PERIOD) -> float:
    """The share of the period's budget that such a burn uses in such a window: b·w/period."""
    return burn * (window / period)


def fastest(allowed: float) -> float:
    """Everything failing: the highest burn there can be."""
    return 1 / allowed


def reaches(burn: float, limit: float) -> bool:
    """b ≥ limit, with a hair for the rounding of the division."""
    return burn >= limit * (1 - 1e-9)


def unreachable(allowed: float, planned_burn: float) -> Iterator[BurnRule]:
    """The rules that could never fire for such a target."""
    for rule in RULES:
        if not reaches(fastest(allowed), rule.limit(planned_burn)):
            yield rule


def lowest_target_percent(planned_burn: float) -> float:
    """The lowest target, in percent, at which every rule can fire."""
    return 100 * (1 - 1 / max(rule.limit(planned_burn) for rule in RULES))


@dataclass(frozen=True, slots=True)
class Burning:
    """One rule over its two windows. Null burns: nothing was asked in that window."""

    rule: BurnRule
    limit: float
    long: Counted
    short: Counted
    allowed: float

    @property
    def long_burn(self) -> float | None:
        return burn_rate(self.long, self.allowed)

    @property
    def short_burn(self) -> float | None:
        return burn_rate(self.short, self.allowed)

    @property
    def is_reachable(self) -> bool:
        return reaches(fastest(self.allowed), self.limit)

    def is_true(self, *, least_bad: float) -> bool:
        """Both windows burn at the limit or above, and enough failed for that to mean something."""
        long, short = self.long_burn, self.short_burn
        if long is None or short is None or self.long.bad < least_bad:
            return False
        return reaches(long, self.limit) and reaches(short, self.limit)

    def is_clear(self) -> bool:
        """The short window burns below half the limit. Nothing heard of it is not calm."""
        short = self.short_burn
        return short is not None and short < STILL * self.limit
