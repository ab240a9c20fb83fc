"""What is summed around episodes is what the minutes say, whatever order things arrive in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.interruptions.measures import Dimension, Scope, Window
from console.interruptions.models import Episode
from console.lib.statistics import Status
from console.slo.episodes import sum_episodes
from console.slo.measures_m7 import error_spike
from console.slo.measures_m9 import burn_after_eviction
from console.slo.models import CountState, EpisodeRequests, RequestMinute
from console.slo.queries import read_lines
from tests.make_fleet import NOON, make_machine, make_pool, make_service, make_team
from tests.make_interruptions import make_interruption
from tests.make_slo import MINUTE, make_counts, make_episode, make_objective, write_bad

pytestmark = pytest.mark.django_db
NOW = NOON + timedelta(hours=6)
WEEK = Window(NOON - timedelta(days=7), NOW, NOW)


def floor(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


def by_hand(episodes: Sequence[Episode]) -> dict[int, list[tuple[float, float]]]:
    """The four stretches of each episode, minute by minute as the definitions say."""
    minutes = list(RequestMinute.objects.values_list("minute", "good", "total"))
    found = {}
    for one in episodes:
        t0 = floor(one.started_at)
        others = [other for other in episodes if other.pk != one.pk]
        following = [floor(other.started_at) for other in others if other.started_at > one.started_at]
        end = min([max(t0 + timedelta(hours=1), one.ended_at), *following])

        def taken(minute: datetime, others: Sequence[Episode] = others) -> bool:
            return any(
                floor(o.started_at) <= minute < max(o.ended_at, o.started_at + 5 * MINUTE) for o in others
            )

        stretches = [
            [m for m in minutes if t0 <= m[0] < t0 + 5 * MINUTE],
            [m for m in minutes if t0 - 65 * MINUTE <= m[0] < t0 - 5 * MINUTE and not taken(m[0])],
            [m for m in minutes if t0 <= m[0] < t0 + 60 * MINUTE],
            [m for m in minutes if t0 <= m[0] < end],
        ]
        found[one.pk] = [(sum(m[1] for m in s), sum(m[2] for m in s)) for s in stretches]
    return found


def stored() -> dict[int, list[tuple[float, float]]]:
    names = ("during", "before", "hour", "spent")
    return {
        row.episode_id: [(getattr(row, f"{name}_good"), getattr(row, f"{name}_total")) for name in names]
        for row in EpisodeRequests.objects.all()
    }


starts = st.lists(
    st.tuples(st.integers(0, 12_000), st.integers(0, 90)), min_size=1, max_size=6, unique_by=lambda s: s[0]
)
pushes = st.lists(st.tuples(st.integers(-80, 300), st.integers(0, 50), st.integers(50, 60)), max_size=120)


@given(starts, pushes, starts, pushes)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_sums_are_those_of_the_minutes_whatever_comes_when(
    first: list[tuple[int, int]],
    counted: list[tuple[int, int, int]],
    later: list[tuple[int, int]],
    again: list[tuple[int, int, int]],
) -> None:
    for model in (EpisodeRequests, Episode, RequestMinute, CountState):
        model._default_manager.all().delete()
    service = make_service()
    make_counts(service, NOON - timedelta(hours=2), 1)
    for seconds, length in first:
        make_episode(service, NOON + timedelta(seconds=seconds), minutes=length)
    push(service, counted)
    sum_episodes(now=NOW)
    Episode.objects.order_by("pk").first().delete()  # type: ignore[union-attr]
    known = set(Episode.objects.values_list("started_at", flat=True))
    for seconds, length in later:
        at = NOON + timedelta(seconds=seconds)
        if at not in known:
            make_episode(service, at, minutes=length)
    push(service, again)
    sum_episodes(now=NOW)
    assert stored() == by_hand(list(Episode.objects.all()))
    assert sum_episodes(now=NOW) == 0


def push(service: object, rows: list[tuple[int, int, int]]) -> None:
    for at, bad, total in rows:
        write_bad(service, {NOON + at * MINUTE: bad}, total=total)  # type: ignore[arg-type]


def test_m7_of_a_service_is_its_worst_episode_with_the_median_beside_it() -> None:
    service = make_service(slug="web", name="Web", team=make_team(slug="shop", name="Shop"))
    for number, bad in enumerate((12, 24, 300)):
        t0 = NOON - timedelta(days=number + 1)
        make_counts(service, t0 - 65 * MINUTE, 60, bad=1, total=2000)
        make_counts(service, t0, 5, bad=bad / 5, total=2000)
        make_episode(service, t0 + timedelta(seconds=30))
    quiet = make_episode(service, NOON - timedelta(days=5))
    sum_episodes(now=NOW)
    (whole,) = error_spike(Scope("live"), window=WEEK)
    rr = ((300 + 0.5) / 10_001) / ((60 + 0.5) / 120_001)
    assert whole.value == pytest.approx(rr, rel=1e-3)
    assert (whole.n, whole.figures["episodes"], whole.figures["unknown"]) == (3, 4, 1)
    assert whole.figures["median"] == pytest.approx(((24 + 0.5) / 10_001) / (60.5 / 120_001), rel=2e-3)
    assert (whole.status, whole.target, whole.red) == (Status.RED, 2, 5)
    for by, key in ((Dimension.SERVICE, "web"), (Dimension.TEAM, "shop")):
        assert [(one.key, one.value) for one in error_spike(Scope("live"), window=WEEK, by=by)] == [
            (key, whole.value)
        ]
    assert "since=" in whole.rows_url
    quiet.delete()
    sum_episodes(now=NOW)
    assert error_spike(Scope("live"), window=WEEK)[0].figures["episodes"] == 3


def test_places_are_found_through_the_machines_that_were_taken() -> None:
    service = make_service(slug="web")
    make_counts(service, NOON - 70 * MINUTE, 140, bad=1, total=1000)
    episode = make_episode(service, NOON)
    for zone in ("eu-west-1a", "eu-west-1b", "eu-west-1b"):
        machine = make_machine(service=service, zone=zone, pool=make_pool(zone=zone))
        make_interruption(machine=machine, episode=episode)
    sum_episodes(now=NOW)
    zones = error_spike(Scope("live"), window=WEEK, by=Dimension.ZONE)
    assert sorted((one.key, one.n) for one in zones) == [("eu-west-1a", 1), ("eu-west-1b", 1)]
    (there,) = error_spike(Scope("live", zone="eu-west-1a"), window=WEEK)
    assert there.n == 1
    assert error_spike(Scope("live", zone="eu-west-1c"), window=WEEK)[0].status is Status.GREY


def test_without_requests_or_episodes_nothing_is_zero() -> None:
    (none,) = error_spike(Scope("live"), window=WEEK)
    assert (none.value, none.status) == (None, Status.GREY)
    assert none.reason.startswith("No episode")
    (burn,) = burn_after_eviction(Scope("live"), window=WEEK)
    assert (burn.value, burn.status) == (None, Status.GREY)
    service = make_service()
    make_counts(service, NOON - 70 * MINUTE, 1)
    make_episode(service, NOON)
    sum_episodes(now=NOW)
    assert error_spike(Scope("live"), window=WEEK)[0].reason.startswith("Not reported")


def test_m9_is_the_burn_of_the_hour_from_an_episodes_start() -> None:
    one = make_objective()
    make_counts(one.service, NOON - 65 * MINUTE, 65, bad=0, total=1000)
    make_counts(one.service, NOON, 60, bad=2, total=1000)
    make_episode(one.service, NOON)
    sum_episodes(now=NOW)
    (found,) = burn_after_eviction(Scope("live"), window=WEEK, by=Dimension.SERVICE)
    assert found.value == pytest.approx(2.0)
    assert found.figures["budget_used"] == pytest.approx(2.0 / 720)
    assert (found.target, found.red, found.status) == (1, 3, Status.RED)
    assert found.interval is not None
    assert found.interval.low > 1


def test_m9_is_not_red_for_fewer_than_ten_failures() -> None:
    one = make_objective()
    make_counts(one.service, NOON, 60, bad=0, total=20)
    write_bad(one.service, {NOON: 9}, total=20)
    make_episode(one.service, NOON)
    sum_episodes(now=NOW)
    (found,) = burn_after_eviction(Scope("live"), window=WEEK)
    assert (found.value, found.status) == (pytest.approx(7.5), Status.AMBER)
    assert found.reason == "Fewer than 10 requests failed."


def test_the_budget_used_by_reclaims_is_over_the_baseline_and_counts_no_minute_twice() -> None:
    one = make_objective()
    service = one.service
    start = NOW - timedelta(days=30)
    make_counts(service, start, 30 * 24 * 60, bad=0, total=1000)
    make_counts(service, NOON - 65 * MINUTE, 60, bad=0.5, total=1000)
    make_counts(service, NOON, 20, bad=20, total=1000)
    make_episode(service, NOON)
    make_episode(service, NOON + 10 * MINUTE)
    sum_episodes(now=NOW)
    (line,) = read_lines([one], now=NOW)
    first = 10 * 20 - 0.0005 * 10_000
    baseline = (55 * 0.5 + 0) / (
        55 * 1000
    )  # of the second: 50 minutes before the gap, 5 of its own first ten
    second_before = [(0.5, 1000) if m < -5 else (0.0, 1000) for m in range(-55, 5) if not 0 <= m < 5]
    baseline = sum(b for b, _ in second_before) / sum(t for _, t in second_before)
    second = max(0.0, 10 * 20 - baseline * 60_000)
    assert line.budget.requests == pytest.approx(0.001 * 43_200_000)
    assert line.budget.interruptions == pytest.approx((first + second) / 43_200, rel=1e-6)
    assert line.budget.coverage == 1
