"""M7, the error spike: how many times as many requests fail while machines go as just before (`metrics.md` 2).

RR = ((b₁+½)/(n₁+1)) / ((b₀+½)/(n₀+1)); during = [t₀, t₀+5 min], before = [t₀−65, t₀−5 min] less other episodes.
Pure: counts in, a figure with its interval out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import exp, log, sqrt

from console.lib.statistics import Z_95, Interval, Verdict, judge
from console.slo.budget import Counted

TARGET, RED = 2.0, 5.0
LEAST = 100
"""Requests during, below which there is no verdict."""
DURING = timedelta(minutes=5)
BEFORE_SINCE, BEFORE_UNTIL = timedelta(minutes=65), timedelta(minutes=5)


def minute_of(at: datetime) -> datetime:
    """The minute it falls into: counts are by the minute, so windows begin on one."""
    return at.replace(second=0, microsecond=0)


@dataclass(frozen=True, slots=True)
class Spike:
    """One episode: what was asked during it and before it."""

    during: Counted
    before: Counted

    @property
    def is_known(self) -> bool:
        """Something was reported on both sides."""
        return self.during.total > 0 and self.before.total > 0

    @property
    def raw(self) -> float | None:
        """The plain ratio of the two shares; null where none failed before."""
        if not self.is_known or not self.before.bad:
            return None
        return (self.during.bad / self.during.total) / (self.before.bad / self.before.total)

    @property
    def value(self) -> float | None:
        if not self.is_known:
            return None
        return exp(self._log)

    @property
    def interval(self) -> Interval | None:
        """exp(ln RR ± z√(1/(b₁+½) − 1/(n₁+1) + 1/(b₀+½) − 1/(n₀+1)))."""
        if not self.is_known:
            return None
        one, other = self.during, self.before
        spread = 1 / (one.bad + 0.5) - 1 / (one.total + 1) + 1 / (other.bad + 0.5) - 1 / (other.total + 1)
        half = Z_95 * sqrt(max(0.0, spread))
        return Interval(exp(self._log - half), exp(self._log + half))

    @property
    def _log(self) -> float:
        one, other = self.during, self.before
        return log((one.bad + 0.5) / (one.total + 1)) - log((other.bad + 0.5) / (other.total + 1))

    @property
    def is_enough(self) -> bool:
        return self.is_known and self.during.total >= LEAST

    @property
    def verdict(self) -> Verdict:
        return judge(self.value, target=TARGET, red=RED, interval=self.interval, is_enough=self.is_enough)
