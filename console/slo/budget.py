"""The error budget: how much may fail in 30 days, how much has, and how much of that reclaims took.

`metrics.md` section 3. Pure: counts in, figures out. Counts are requests; shares are of 1; budgets are requests too,
and minutes where the name says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from console.lib.statistics import Interval, Status, judge, proportion

PERIOD = timedelta(days=30)
LEAST_COVERAGE = 0.90
"""Below it a period has no verdict: what was not reported may be what failed."""
LITTLE_LEFT = 0.25
"""From here on the budget is at risk, however slowly it goes."""
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Counted:
    """Requests of some minutes, of which `minutes` were reported."""

    good: float = 0.0
    total: float = 0.0
    minutes: int = 0

    @property
    def bad(self) -> float:
        return self.total - self.good

    @property
    def bad_share(self) -> float | None:
        """Null where nothing was asked: no request is no success."""
        return self.bad / self.total if self.total else None

    @property
    def sli(self) -> float | None:
        """Σ good / Σ total."""
        return self.good / self.total if self.total else None

    @property
    def interval(self) -> Interval | None:
        """Of the share that failed."""
        return share_interval(self.bad, self.total)

    def plus(self, other: Counted) -> Counted:
        return Counted(self.good + other.good, self.total + other.total, self.minutes + other.minutes)


def share_interval(bad: float, total: float) -> Interval | None:
    """Wilson's interval of bad/total; counts from `increase()` are taken to the nearest request."""
    n = round(total)
    return proportion(min(round(bad), n), of=n) if n else None


@dataclass(frozen=True, slots=True)
class EpisodeCount:
    """Requests after an episode began, against the share that failed before it. Null baseline: none was reported."""

    bad: float
    total: float
    baseline: float | None

    @property
    def over_baseline(self) -> float | None:
        """max(0, bad − baseline·total): what the episode cost. Null: not known."""
        return None if self.baseline is None else max(0.0, self.bad - self.baseline * self.total)


def coverage(counted: Counted, *, period: timedelta) -> float:
    """The share of the period's minutes that were reported."""
    return min(1.0, counted.minutes * MINUTE / period)


def expected_total(counted: Counted, *, period: timedelta) -> float:
    """Requests of the whole period, were the minutes that are missing like those that are there."""
    share = coverage(counted, period=period)
    return counted.total / share if share else 0.0


def budget_of(allowed: float, expected: float) -> float:
    """(1 − SLO) · expected total: how many may fail."""
    return allowed * expected


def share_used(cost: float, *, known: int, of: int, budget: float) -> float | None:
    """Σ over episodes max(0, bad − baseline·total) / budget, summed in `cost`.

    Null without a budget, or where of none of so many episodes it is known.
    """
    return None if budget <= 0 or (of and not known) else cost / budget


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What stands of one objective over its period."""

    counted: Counted
    period: timedelta
    allowed: float
    interruptions: float | None = None
    """The share of the budget that episodes used; null where it is not known."""

    @property
    def coverage(self) -> float:
        return coverage(self.counted, period=self.period)

    @property
    def is_covered(self) -> bool:
        return self.coverage >= LEAST_COVERAGE

    @property
    def requests(self) -> float:
        """How many may fail."""
        return budget_of(self.allowed, expected_total(self.counted, period=self.period))

    @property
    def used(self) -> float | None:
        """The share of the budget that is gone; above 1 it is overspent."""
        return self.counted.bad / self.requests if self.requests else None

    @property
    def whole_minutes(self) -> float:
        """The budget as minutes in which everything may fail: 43.2 at 99.9 %."""
        return self.allowed * (self.period / MINUTE)

    @property
    def remaining_minutes(self) -> float | None:
        """Signed: below 0 it is overspent."""
        return None if self.used is None else (1 - self.used) * self.whole_minutes


@dataclass(frozen=True, slots=True)
class Standing:
    """The colour of a budget, and why."""

    status: Status
    reason: str = ""
    is_low_confidence: bool = False


def standing_of(budget: Budget, *, is_burning: bool = False) -> Standing:
    """Grey below 90 % coverage; red when overspent; amber when little is left or it burns faster than it may.

    The verdict is that of the share that failed against 1 − SLO, with its interval.
    """
    share, used = budget.counted.bad_share, budget.used
    if share is None or used is None:
        return Standing(Status.GREY, "No requests are known of these 30 days.")
    if not budget.is_covered:
        return Standing(
            Status.GREY,
            f"{budget.coverage:.0%} of the minutes are reported; a verdict needs {LEAST_COVERAGE:.0%}.",
        )
    verdict = judge(share, target=budget.allowed, red=budget.allowed, interval=budget.counted.interval)
    if verdict.status is Status.RED or used > 1:
        return Standing(Status.RED, "The budget is spent.")
    if used > 1 - LITTLE_LEFT:
        return Standing(Status.AMBER, f"{1 - used:.0%} of the budget is left.", verdict.is_low_confidence)
    if is_burning:
        return Standing(Status.AMBER, "It burns faster than it may.", verdict.is_low_confidence)
    return Standing(Status.GREEN, "", verdict.is_low_confidence)
