"""What spot saved: pure arithmetic of `metrics.md` 5.3, exact where its inputs are.

Waste is valued at the baseline price: hours that were redone would not have run on demand.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class SpotSums:
    """Sums over spot rows in one currency."""

    cost: Decimal
    """Of the rows with a baseline."""
    baseline: Decimal
    cost_without_baseline: Decimal = ZERO
    rows: int = 0
    rows_without_baseline: int = 0

    @property
    def gross(self) -> Decimal:
        """Σ(baseline − spot cost); rows that cost more than on demand count against it."""
        return self.baseline - self.cost

    @property
    def gross_rate(self) -> Decimal | None:
        """gross ÷ Σ baseline, the rate where nothing is known of interruptions. None without a baseline."""
        return self.gross / self.baseline if self.baseline else None


@dataclass(frozen=True, slots=True)
class Waste:
    """What interruptions took, from the console's own records: hours, and amounts in the currency of the bill."""

    lost_hours: Decimal = ZERO
    restart_hours: Decimal = ZERO
    overlap_hours: Decimal = ZERO
    fallback_hours: Decimal = ZERO
    fallback_cost: Decimal = ZERO
    fallback_excess: Decimal = ZERO
    """Fallback cost above the on-demand price of the same work; 0 on the same type."""
    idle_warm_pool: Decimal = ZERO

    @property
    def redone_hours(self) -> Decimal:
        return self.lost_hours + self.restart_hours + self.overlap_hours


@dataclass(frozen=True, slots=True)
class Waterfall:
    """Potential − fallback premium − lost work − overlap − warm pool = net."""

    potential: Decimal
    fallback_premium: Decimal
    lost_work: Decimal
    overlap: Decimal
    warm_pool: Decimal
    net: Decimal


def net_savings(sums: SpotSums, waste: Waste, *, baseline_price: Decimal) -> Decimal:
    """gross − redone hours · baseline price − fallback excess − idle warm pool."""
    redone = waste.redone_hours * baseline_price
    return sums.gross - redone - waste.fallback_excess - waste.idle_warm_pool


def interruption_cost(waste: Waste, *, baseline_price: Decimal, spot_price: Decimal) -> Decimal:
    """X: what interruptions cost against spot that is never interrupted."""
    premium = waste.fallback_hours * (baseline_price - spot_price) + waste.fallback_excess
    return premium + waste.redone_hours * spot_price + waste.idle_warm_pool


def net_rate(sums: SpotSums, waste: Waste, *, baseline_price: Decimal) -> Decimal | None:
    """net ÷ (net + what was spent on spot rows with a baseline, fallback and warm pool). None where that is 0."""
    net = net_savings(sums, waste, baseline_price=baseline_price)
    whole = net + sums.cost + waste.fallback_cost + waste.idle_warm_pool
    return net / whole if whole else None


def waterfall(sums: SpotSums, waste: Waste, *, baseline_price: Decimal, spot_price: Decimal) -> Waterfall:
    """The steps from potential to net; they add up exactly."""
    net = net_savings(sums, waste, baseline_price=baseline_price)
    cost = interruption_cost(waste, baseline_price=baseline_price, spot_price=spot_price)
    return Waterfall(
        potential=net + cost,
        fallback_premium=waste.fallback_hours * (baseline_price - spot_price) + waste.fallback_excess,
        lost_work=(waste.lost_hours + waste.restart_hours) * spot_price,
        overlap=waste.overlap_hours * spot_price,
        warm_pool=waste.idle_warm_pool,
        net=net,
    )
