"""Cascade (F5): when it fires, and which scope it names. The vectors are those of `metrics.md` section 3."""

from __future__ import annotations

from datetime import timedelta

import pytest

from console.alerts.detectors.cascade import (
    PRIOR_WEEKLY,
    Cascade,
    Reclaim,
    Stock,
    chance_of,
    expected_of,
    find_cascade,
    is_cascade,
)
from tests.make_fleet import NOON

ONE, TWO = 1, 2


def reclaims(count: int, *, pool: int | None = ONE, first: int = 0, every: float = 2) -> list[Reclaim]:
    return [
        Reclaim(
            id=first + n,
            machine_id=1_000 + first + n,
            pool_id=pool,
            started_at=NOON + timedelta(seconds=every * n),
        )
        for n in range(count)
    ]


def find(found: list[Reclaim], stocks: dict[int, Stock]) -> Cascade | None:
    return find_cascade(found, stocks, fresh={r.id for r in found})


def test_four_of_forty_machines_within_three_minutes_are_a_cascade() -> None:
    expected = expected_of([Stock(running=40)])
    assert expected == pytest.approx(0.000714, abs=5e-7)
    assert chance_of(4, expected=expected) == pytest.approx(1.08e-14, rel=5e-3)
    assert is_cascade(4, running=40, expected=expected)


def test_three_of_four_hundred_are_too_small_a_share() -> None:
    expected = expected_of([Stock(running=400)])
    assert expected == pytest.approx(0.00714, abs=5e-6)
    assert chance_of(3, expected=expected) == pytest.approx(6.04e-8, rel=5e-3)
    assert not is_cascade(3, running=400, expected=expected)


@pytest.mark.parametrize(
    ("reclaimed", "running", "expected", "fires"),
    [
        (2, 3, 0.001, False),
        (3, 30, 0.001, True),
        (3, 31, 0.001, False),
        (9, 100, 0.001, False),
        (10, 100_000, 0.001, True),
        (10, 100_000, 1.8, True),
        (10, 100_000, 3.0, False),
        (9, 0, 0.0, False),
        (10, 0, 0.0, True),
    ],
)
def test_the_rule_asks_for_three_and_a_tenth_or_ten_beyond_chance_and_ten_without_inventory(
    reclaimed: int, running: int, expected: float, fires: bool
) -> None:
    assert is_cascade(reclaimed, running=running, expected=expected) is fires


def test_a_pool_without_history_has_the_prior_rate_and_history_draws_it_away() -> None:
    assert Stock(running=5).weekly_rate == pytest.approx(PRIOR_WEEKLY)
    assert Stock(running=5, reclaims=0, weeks=20).weekly_rate == pytest.approx(PRIOR_WEEKLY / 2)
    assert Stock(running=5, reclaims=900, weeks=1_000).weekly_rate == pytest.approx(0.8835, abs=1e-4)


def test_a_pool_that_is_reclaimed_all_the_time_does_not_fire_on_its_usual_bunches() -> None:
    often = Stock(running=30, reclaims=60_000, weeks=500)
    assert find(reclaims(4), {ONE: Stock(running=30)}) is not None
    assert find(reclaims(4), {ONE: often}) is None


def test_one_machine_interrupted_twice_counts_once() -> None:
    twice = [Reclaim(n, machine_id=7, pool_id=ONE, started_at=NOON) for n in range(3)]
    assert find(twice, {ONE: Stock(running=3)}) is None


def test_reclaims_more_than_three_minutes_apart_do_not_add_up() -> None:
    assert find(reclaims(3, every=90), {ONE: Stock(running=10)}) is not None
    assert find(reclaims(3, every=91), {ONE: Stock(running=10)}) is None


def test_the_pool_is_named_while_the_rest_of_the_zone_is_as_usual() -> None:
    found = find([*reclaims(8), *reclaims(1, pool=TWO, first=50)], {ONE: Stock(40), TWO: Stock(40)})
    assert found is not None
    assert (found.pool_id, found.reclaimed, found.running) == (ONE, 8, 40)


def test_two_pools_that_cascade_are_the_zones_cascade() -> None:
    found = find([*reclaims(8), *reclaims(6, pool=TWO, first=50)], {ONE: Stock(40), TWO: Stock(40)})
    assert found is not None
    assert (found.pool_id, found.reclaimed, found.running) == (None, 14, 80)


def test_many_pools_with_a_few_each_are_the_zones_cascade() -> None:
    few = [r for pool in range(1, 7) for r in reclaims(2, pool=pool, first=pool * 10)]
    found = find(few, {pool: Stock(10) for pool in range(1, 7)})
    assert found is not None
    assert (found.pool_id, found.reclaimed, found.running) == (None, 12, 60)


def test_a_window_without_anything_new_raises_nothing() -> None:
    old = reclaims(8)
    assert find_cascade(old, {ONE: Stock(40)}, fresh=set()) is None
    late_comer = Reclaim(99, 99, ONE, NOON + timedelta(minutes=8))
    assert find_cascade([*old, late_comer], {ONE: Stock(40)}, fresh={99}) is None


def test_machines_of_no_known_pool_count_for_their_zone_alone() -> None:
    assert find(reclaims(9, pool=None), {}) is None
    found = find(reclaims(10, pool=None), {})
    assert found is not None
    assert (found.pool_id, found.running) == (None, 0)
