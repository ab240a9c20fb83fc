"""Ranges of proportions and of rates, at 95 % two-sided."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import expm1, sqrt

from console.lib.statistics.gamma import gamma_quantile

Z_95 = 1.959964
_TAIL = 0.025


@dataclass(frozen=True, slots=True)
class Interval:
    """From `low` to `high`, both included."""

    low: float
    high: float

    def scaled(self, factor: float) -> Interval:
        return Interval(self.low * factor, self.high * factor)

    def holds(self, value: float) -> bool:
        return self.low <= value <= self.high


def proportion(successes: int, *, of: int) -> Interval:
    """Wilson's score interval of k/n."""
    if not 0 <= successes <= of or of == 0:
        raise ValueError("a proportion needs 0 <= successes <= of, of > 0")
    p, z2 = successes / of, Z_95**2
    centre = (p + z2 / (2 * of)) / (1 + z2 / of)
    half = Z_95 * sqrt(p * (1 - p) / of + z2 / (4 * of**2)) / (1 + z2 / of)
    return Interval(max(0.0, centre - half), min(1.0, centre + half))


def dispersion(bunch_sizes: Iterable[int]) -> float:
    """How many events come together: Σ size² / Σ size, 1 when each comes alone or there is none."""
    sizes = list(bunch_sizes)
    events = sum(sizes)
    return sum(size**2 for size in sizes) / events if events else 1.0


def poisson_rate(events: int, *, exposure: float, phi: float = 1.0) -> Interval:
    """Garwood's exact interval of k/E, widened for events that arrive in bunches of about `phi`."""
    if exposure <= 0 or events < 0 or phi < 1:
        raise ValueError("a rate needs events >= 0, exposure > 0 and phi >= 1")
    arrivals = events / phi
    low = gamma_quantile(arrivals, _TAIL) if arrivals else 0.0
    return Interval(low, gamma_quantile(arrivals + 1, 1 - _TAIL)).scaled(phi / exposure)


def chance_within(rate: float, *, periods: float = 1.0) -> float:
    """The chance of at least one event in so many periods at a constant rate: 1 − e^(−rate·periods)."""
    return -expm1(-rate * periods)


def compounded(share: float, *, periods: float) -> float:
    """A share lost each period, over so many periods: 5 % a week is 19.73 % in 30 days."""
    return float(1 - (1 - share) ** periods)
