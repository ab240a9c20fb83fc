"""The formulas of M7, M9 and of budgets give the figures that were computed elsewhere, and hold their laws."""

from __future__ import annotations

from datetime import timedelta
from math import exp, log, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.lib.statistics import Status
from console.slo import budget, burn, error_spike
from console.slo.budget import Budget, Counted, EpisodeCount
from console.slo.error_spike import Spike

HOUR = timedelta(hours=1)
WHOLE = 30 * 24 * 60


def counted(bad: float, total: float, minutes: int = 60) -> Counted:
    return Counted(total - bad, total, minutes)


def test_m7_is_the_worked_example() -> None:
    spike = Spike(counted(12, 10_000, 5), counted(60, 120_000, 60))
    assert spike.raw == pytest.approx(2.400)
    assert spike.value == pytest.approx(2.479, abs=5e-4)
    assert spike.interval is not None
    assert (spike.interval.low, spike.interval.high) == pytest.approx((1.349, 4.556), abs=5e-4)
    assert spike.verdict.status is Status.AMBER


def test_m9_is_the_worked_example() -> None:
    b = burn.burn_rate(counted(4_000, 2_000_000), 0.001)
    assert b == pytest.approx(2.0)
    assert burn.used_in(b, HOUR) == pytest.approx(0.00278, abs=5e-6)
    assert burn.used_in(b, HOUR) == pytest.approx(2.0 / 720)


def test_what_an_episode_used_is_the_worked_example() -> None:
    whole = budget.budget_of(0.001, 60e6)
    episode = EpisodeCount(bad=4_000, total=2e6, baseline=0.0005)
    assert whole == pytest.approx(60_000)
    assert episode.over_baseline == pytest.approx(3_000)
    cost = episode.over_baseline
    assert cost is not None
    assert budget.share_used(cost, known=1, of=1, budget=whole) == pytest.approx(0.05)
    assert budget.share_used(0.0, known=0, of=1, budget=whole) is None
    assert budget.share_used(0.0, known=0, of=0, budget=whole) == 0


@pytest.mark.parametrize(
    ("name", "long", "short", "factor", "share"),
    [
        ("fast", HOUR, timedelta(minutes=5), 14.4, 0.02),
        ("medium", 6 * HOUR, timedelta(minutes=30), 6, 0.05),
        ("eviction", HOUR, timedelta(minutes=5), 3, 0.0042),
        ("slow", 72 * HOUR, 6 * HOUR, 1, 0.10),
    ],
)
def test_each_rule_uses_the_printed_share_of_a_budget(
    name: str, long: timedelta, short: timedelta, factor: float, share: float
) -> None:
    rule = burn.BY_NAME[name]
    assert (rule.long, rule.short, rule.factor) == (long, short, factor)
    assert burn.used_in(rule.limit(1), rule.long) == pytest.approx(share, abs=5e-5)


@pytest.mark.parametrize(
    ("percent", "planned", "names"),
    [
        (90, 1, ["fast"]),
        (80, 1, ["fast", "medium"]),
        (93, 1, ["fast"]),
        (93.1, 1, []),
        (99, 34, ["eviction"]),
        (99.9, 1, []),
    ],
)
def test_rules_that_can_never_fire_are_named(percent: float, planned: float, names: list[str]) -> None:
    allowed = (100 - percent) / 100
    assert [rule.name for rule in burn.unreachable(allowed, planned)] == names
    assert (percent >= burn.lowest_target_percent(planned)) == (not names)


def test_a_budget_in_minutes_is_signed() -> None:
    half = Budget(counted=counted(500, 1e6, WHOLE), period=budget.PERIOD, allowed=0.001)
    assert half.whole_minutes == pytest.approx(43.2)
    assert (half.used, half.remaining_minutes) == (pytest.approx(0.5), pytest.approx(21.6))
    over = Budget(counted=counted(1_500, 1e6, WHOLE), period=budget.PERIOD, allowed=0.001)
    assert over.remaining_minutes == pytest.approx(-21.6)
    assert budget.standing_of(over).status is Status.RED


def test_missing_minutes_leave_the_ratio_and_below_ninety_percent_there_is_no_verdict() -> None:
    most = Budget(counted=counted(100, 900_000, WHOLE * 9 // 10), period=budget.PERIOD, allowed=0.001)
    assert (most.coverage, most.requests) == (pytest.approx(0.9), pytest.approx(1_000))
    assert budget.standing_of(most).status is Status.GREEN
    few = Budget(counted=counted(100, 900_000, WHOLE * 9 // 10 - 1), period=budget.PERIOD, allowed=0.001)
    assert budget.standing_of(few).status is Status.GREY
    none = Budget(counted=Counted(), period=budget.PERIOD, allowed=0.001)
    assert (none.used, none.remaining_minutes, budget.standing_of(none).status) == (None, None, Status.GREY)


@pytest.mark.parametrize(
    ("bad", "burning", "status", "low"),
    [
        (100, False, Status.GREEN, False),
        (100, True, Status.AMBER, False),
        (760, False, Status.AMBER, False),
        (990, False, Status.AMBER, True),
        (1_010, False, Status.RED, False),
    ],
)
def test_the_colour_of_a_budget(bad: float, burning: bool, status: Status, low: bool) -> None:
    one = Budget(counted=counted(bad, 1e6, WHOLE), period=budget.PERIOD, allowed=0.001)
    standing = budget.standing_of(one, is_burning=burning)
    assert (standing.status, standing.is_low_confidence) == (status, low)


@pytest.mark.parametrize(
    ("during", "before", "status"),
    [
        ((1, 99), (5, 10_000), Status.GREY),
        ((0, 0), (5, 10_000), Status.GREY),
        ((1, 1_000), (0, 0), Status.GREY),
        ((5, 10_000), (60, 120_000), Status.GREEN),
        ((300, 10_000), (60, 120_000), Status.RED),
    ],
)
def test_the_colour_of_a_spike(
    during: tuple[float, float], before: tuple[float, float], status: Status
) -> None:
    assert Spike(counted(*during), counted(*before)).verdict.status is status


counts = st.integers(1, 10**7).flatmap(
    lambda total: st.integers(0, total).map(lambda bad: counted(bad, total))
)


@given(counts, counts)
def test_the_interval_of_a_spike_is_around_it_and_as_written_out(one: Counted, other: Counted) -> None:
    spike = Spike(one, other)
    interval = spike.interval
    assert interval is not None
    rr = ((one.bad + 0.5) / (one.total + 1)) / ((other.bad + 0.5) / (other.total + 1))
    se = sqrt(1 / (one.bad + 0.5) - 1 / (one.total + 1) + 1 / (other.bad + 0.5) - 1 / (other.total + 1))
    assert spike.value == pytest.approx(rr)
    assert interval.low == pytest.approx(exp(log(rr) - 1.959964 * se))
    assert interval.high == pytest.approx(exp(log(rr) + 1.959964 * se))
    assert interval.low <= spike.value <= interval.high


@given(counts, st.floats(1e-5, 0.5))
def test_nothing_burns_faster_than_everything_failing(one: Counted, allowed: float) -> None:
    b = burn.burn_rate(one, allowed)
    assert b is not None
    assert 0 <= b <= burn.fastest(allowed) * (1 + 1e-9)


def burning(long: tuple[float, float], short: tuple[float, float]) -> burn.Burning:
    return burn.Burning(burn.BY_NAME["fast"], 14.4, counted(*long), counted(*short), 0.001)


@pytest.mark.parametrize(
    ("long", "short", "true", "clear"),
    [
        ((144, 10_000), (15, 1_000), True, False),
        ((143, 10_000), (15, 1_000), False, False),
        ((144, 10_000), (14, 1_000), False, False),
        ((9, 100), (9, 100), False, False),
        ((144, 10_000), (7, 1_000), False, True),
        ((144, 10_000), (0, 0), False, False),
    ],
)
def test_a_rule_holds_when_both_windows_burn_and_enough_failed(
    long: tuple[float, float], short: tuple[float, float], true: bool, clear: bool
) -> None:
    one = burning(long, short)
    assert (one.is_true(least_bad=burn.LEAST_BAD), one.is_clear()) == (true, clear)


def test_a_window_begins_with_its_minute() -> None:
    assert timedelta(minutes=5) == error_spike.DURING
    assert error_spike.BEFORE_SINCE - error_spike.BEFORE_UNTIL == HOUR
