"""The money formulas give the published numbers, and their laws hold for any."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from console.costs.savings import (
    SpotSums,
    Waste,
    interruption_cost,
    net_rate,
    net_savings,
    waterfall,
)

D = Decimal
PRICES = {"baseline_price": D("1.00"), "spot_price": D("0.30")}
SUMS = SpotSums(cost=D("30.60"), baseline=D("102.00"))
WASTE = Waste(lost_hours=D(10), overlap_hours=D(2), fallback_hours=D(10), fallback_cost=D("10.00"))


def test_the_worked_example_of_ninety_useful_ten_lost_two_overlap_and_ten_fallback_hours() -> None:
    net = net_savings(SUMS, WASTE, baseline_price=D("1.00"))
    cost = interruption_cost(WASTE, **PRICES)
    rate = net_rate(SUMS, WASTE, baseline_price=D("1.00"))

    assert SUMS.cost + WASTE.fallback_cost == D("40.60")
    assert (SUMS.gross, net, cost, net + cost) == (D("71.40"), D("59.40"), D("10.60"), D("70.00"))
    assert net == 100 - D("40.60")
    assert rate == D("0.594")


def test_the_waterfall_of_the_example_steps_from_seventy_to_net() -> None:
    steps = waterfall(SUMS, WASTE, **PRICES)
    assert (steps.potential, steps.net) == (D("70.00"), D("59.40"))
    assert (steps.fallback_premium, steps.lost_work, steps.overlap) == (D("7.00"), D("3.00"), D("0.60"))


def test_the_dynamic_sample_saves_what_list_less_billed_says() -> None:
    sums = SpotSums(cost=D("0.256480235"), baseline=D("0.717525002"), rows=6)
    assert sums.gross == D("0.461044767")
    assert sums.gross_rate is not None
    assert round(sums.gross_rate * 100, 2) == D("64.25")


def test_without_a_baseline_there_is_no_rate() -> None:
    sums = SpotSums(cost=D(0), baseline=D(0), cost_without_baseline=D("0.048259717"), rows_without_baseline=3)
    assert (sums.gross, sums.gross_rate) == (0, None)
    assert net_rate(sums, Waste(), baseline_price=D(1)) is None


amounts = st.decimals(min_value=0, max_value=10**6, places=4)


@given(st.tuples(*[amounts] * 9))
def test_the_waterfall_always_adds_up_and_waste_never_raises_net(values: tuple[D, ...]) -> None:
    cost, base, price, spot, *rest = values
    sums, waste = (
        SpotSums(cost=cost, baseline=base),
        Waste(*rest[:3], fallback_hours=rest[3], idle_warm_pool=rest[4]),
    )
    steps = waterfall(sums, waste, baseline_price=price, spot_price=spot)
    down = steps.fallback_premium + steps.lost_work + steps.overlap + steps.warm_pool
    assert steps.potential - down == steps.net
    assert steps.net <= sums.gross
