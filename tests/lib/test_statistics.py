"""The figures of the measures' definitions, and the mathematics under them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import gammainc
from scipy.stats import chi2

from console.lib.statistics import (
    Interval,
    Percentile,
    Status,
    chance_within,
    compounded,
    dispersion,
    judge,
    nearest_rank,
    poisson_rate,
    proportion,
)
from console.lib.statistics.gamma import gamma_p, gamma_quantile


def rounded(interval: Interval, digits: int = 3) -> tuple[float, float]:
    return round(interval.low, digits), round(interval.high, digits)


def test_eighteen_reclaims_in_300_instance_weeks_have_the_printed_range() -> None:
    assert rounded(poisson_rate(18, exposure=300).scaled(100)) == (3.556, 9.483)


def test_bunches_widen_the_range() -> None:
    phi = dispersion([1] * 11 + [3, 4])
    assert phi == 2
    assert rounded(poisson_rate(18, exposure=300, phi=phi).scaled(100)) == (2.744, 11.390)


def test_no_reclaim_still_has_an_upper_limit() -> None:
    assert rounded(poisson_rate(0, exposure=40).scaled(100)) == (0.0, 9.222)


def test_the_weekly_share_has_a_wilson_range() -> None:
    assert rounded(proportion(15, of=320).scaled(100), 2) == (2.86, 7.59)


@pytest.mark.parametrize(
    ("k", "n", "low", "high"), [(35, 40, 73.9, 94.5), (35, 38, 79.2, 97.3), (8, 11, 43.4, 90.3)]
)
def test_wilson_gives_the_printed_ranges(k: int, n: int, low: float, high: float) -> None:
    assert rounded(proportion(k, of=n).scaled(100), 1) == (low, high)


def test_a_weekly_rate_becomes_a_chance() -> None:
    assert round(100 * chance_within(0.06), 2) == 5.82
    assert round(100 * chance_within(0.06, periods=30 / 7), 2) == 22.67


def test_shares_of_different_periods_compare_only_after_conversion() -> None:
    assert round(100 * compounded(0.05, periods=30 / 7), 2) == 19.73
    assert round(100 * compounded(0.05, periods=7 / 30), 2) == 1.19
    assert round(100 * compounded(0.20, periods=7 / 30), 2) == 5.07


def test_nothing_has_a_dispersion_below_one() -> None:
    assert dispersion([]) == 1
    assert dispersion([1, 1, 1]) == 1


@settings(max_examples=300, deadline=None)
@given(st.floats(0.02, 5_000), st.floats(0.001, 0.999))
def test_the_gamma_quantile_agrees_with_scipy(a: float, p: float) -> None:
    assert gamma_quantile(a, p) == pytest.approx(chi2.ppf(p, 2 * a) / 2, rel=1e-9, abs=1e-290)


@settings(max_examples=300, deadline=None)
@given(st.floats(0.01, 5_000), st.floats(1e-6, 10_000))
def test_the_incomplete_gamma_agrees_with_scipy(a: float, x: float) -> None:
    assert gamma_p(a, x) == pytest.approx(gammainc(a, x), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("k", [0.5, 1, 9, 100, 10_000, 250_000])
def test_large_counts_stay_exact(k: float) -> None:
    for p, a in ((0.025, k), (0.975, k + 1)):
        assert gamma_quantile(a, p) == pytest.approx(chi2.ppf(p, 2 * a) / 2, rel=1e-9)


@given(st.integers(0, 300), st.integers(0, 300))
def test_a_proportion_lies_in_its_range(successes: int, failures: int) -> None:
    n = successes + failures
    if n:
        interval = proportion(successes, of=n)
        assert 0 <= interval.low <= interval.high <= 1
        assert interval.low - 1e-12 <= successes / n <= interval.high + 1e-12


def test_a_proportion_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="proportion"):
        proportion(0, of=0)


def test_the_nearest_rank_of_ten_and_one_pending() -> None:
    seconds = [12.0, 14, 18, 21, 22, 25, 27, 29, 34, 55]
    assert nearest_rank(seconds, 0.50, ages=[40]) == Percentile(25)
    assert nearest_rank(seconds, 0.95, ages=[40]) == Percentile(40, is_unfinished=True)


def test_five_recoveries_have_the_printed_percentiles() -> None:
    seconds = [48.0, 75, 96, 110, 131]
    assert nearest_rank(seconds, 0.5) == Percentile(96)
    assert nearest_rank(seconds, 0.95) == Percentile(131)


def test_a_rank_that_is_a_whole_number_is_not_rounded_up() -> None:
    assert nearest_rank([float(i) for i in range(1, 101)], 0.07) == Percentile(7)
    assert nearest_rank([], 0.5) is None


@given(st.lists(st.integers(0, 1000), min_size=1), st.integers(1, 100))
def test_the_nearest_rank_is_the_smallest_value_that_covers_the_share(
    values: list[int], percent: int
) -> None:
    ordered = sorted(float(value) for value in values)
    found = nearest_rank(ordered, percent / 100)
    assert found is not None
    covered = sum(value <= found.value for value in ordered)
    below = sum(value < found.value for value in ordered)
    assert 100 * covered >= percent * len(ordered)
    assert 100 * below < percent * len(ordered)


@pytest.mark.parametrize(
    ("value", "low", "high", "status", "is_low_confidence"),
    [
        (6.0, 2.744, 11.390, Status.AMBER, False),
        (4.0, 3.0, 4.9, Status.GREEN, False),
        (4.0, 1.0, 9.0, Status.GREEN, True),
        (10.01, 4.0, 20.0, Status.RED, False),
        (10.0, 4.0, 20.0, Status.AMBER, False),
        (7.0, 5.1, 9.0, Status.RED, False),
        (5.0, 5.0, 6.0, Status.GREEN, True),
    ],
)
def test_low_is_good_against_five_and_ten(
    value: float, low: float, high: float, status: Status, is_low_confidence: bool
) -> None:
    verdict = judge(value, target=5, red=10, interval=Interval(low, high))
    assert (verdict.status, verdict.is_low_confidence) == (status, is_low_confidence)


@pytest.mark.parametrize(
    ("value", "low", "high", "status", "is_low_confidence"),
    [
        (0.875, 0.739, 0.945, Status.RED, False),
        (0.921, 0.792, 0.973, Status.AMBER, False),
        (0.93, 0.90, 0.949, Status.RED, False),
        (0.97, 0.94, 0.99, Status.GREEN, True),
        (0.97, 0.951, 0.99, Status.GREEN, False),
    ],
)
def test_high_is_good_is_the_mirror(
    value: float, low: float, high: float, status: Status, is_low_confidence: bool
) -> None:
    verdict = judge(value, target=0.95, red=0.90, interval=Interval(low, high), is_low_good=False)
    assert (verdict.status, verdict.is_low_confidence) == (status, is_low_confidence)


def test_without_enough_data_there_is_no_colour() -> None:
    assert judge(None, target=5, red=10).status == Status.GREY
    assert judge(0.0, target=5, red=10, is_enough=False).status == Status.GREY
    assert Status.GREY.word == "No verdict"
