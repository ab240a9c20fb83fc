"""Who is on call, worked out: turns across changes of the clocks, layers, overrides, gaps."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.oncall.local_time import clock_at, moment_of
from console.oncall.plan import LayerPlan, Plan
from console.oncall.schedule import roster
from console.oncall.timeline import gaps_of, pieces_of, shifts_of
from console.oncall.turns import turn_begins
from tests.oncall.make_plans import ALICE, BERLIN, BOB, CHARLIE, layer, override, plan, utc

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def told(found: Plan, since: str, until: str) -> list[tuple[int, str, str]]:
    return [
        (shift.person_id, f"{shift.started_at:%d %H:%M}", f"{shift.ended_at:%d %H:%M}")
        for shift in shifts_of(found, utc(since), utc(until))
    ]


@pytest.mark.parametrize(
    ("zone", "clock", "moment"),
    [
        ("Europe/Berlin", "2026-03-28 09:00", "2026-03-28 08:00"),
        ("Europe/Berlin", "2026-03-29 01:59", "2026-03-29 00:59"),
        ("Europe/Berlin", "2026-03-29 02:00", "2026-03-29 01:00"),  # skipped: the first moment after the gap
        ("Europe/Berlin", "2026-03-29 02:30", "2026-03-29 01:00"),
        ("Europe/Berlin", "2026-03-29 03:00", "2026-03-29 01:00"),
        ("Europe/Berlin", "2026-10-25 02:30", "2026-10-25 00:30"),  # comes twice: the first
        ("Europe/Berlin", "2026-10-25 03:00", "2026-10-25 02:00"),
        ("America/New_York", "2026-03-08 02:15", "2026-03-08 07:00"),
        ("Australia/Lord_Howe", "2026-10-04 02:10", "2026-10-03 15:30"),  # half an hour is skipped
        ("Africa/Cairo", "2026-04-24 00:00", "2026-04-23 22:00"),  # a day without midnight
        ("Pacific/Apia", "2011-12-30 12:00", "2011-12-30 10:00"),  # a whole day is skipped
        ("Asia/Kathmandu", "2026-03-29 02:30", "2026-03-28 20:45"),
        ("UTC", "2026-03-29 02:30", "2026-03-29 02:30"),
    ],
)
def test_a_clock_time_means_one_moment(zone: str, clock: str, moment: str) -> None:
    assert moment_of(datetime.fromisoformat(clock), ZoneInfo(zone)) == utc(moment)


def test_a_daily_hand_over_stays_at_nine_on_days_of_23_and_25_hours() -> None:
    daily = plan(layer(ALICE, BOB, kind="daily"))
    assert told(daily, "2026-03-27 08:00", "2026-03-30 07:00") == [
        (BOB, "27 08:00", "28 08:00"), (ALICE, "28 08:00", "29 07:00"), (BOB, "29 07:00", "30 07:00")]  # fmt: skip
    assert told(daily, "2026-10-24 07:00", "2026-10-26 08:00") == [
        (ALICE, "24 07:00", "25 08:00"), (BOB, "25 08:00", "26 08:00")]  # fmt: skip


def test_turns_of_eight_hours_do_not_drift_and_the_night_of_the_change_is_an_hour_off() -> None:
    hourly = plan(layer(kind="hourly", length=8, handover_at=time(0)))
    starts = [
        shift.started_at for shift in shifts_of(hourly, utc("2026-03-28 23:00"), utc("2026-03-31 22:00"))
    ]
    assert {clock_at(start, BERLIN).time() for start in starts} == {time(0), time(8), time(16)}
    assert starts[1] - starts[0] == 7 * HOUR
    autumn = shifts_of(hourly, utc("2026-10-24 22:00"), utc("2026-10-26 23:00"))
    assert autumn[0].ended_at - autumn[0].started_at == 9 * HOUR


def test_a_turn_that_the_clocks_skip_is_nobodys() -> None:
    hourly = plan(layer(ALICE, BOB, CHARLIE, kind="hourly", handover_at=time(0), starts_on=date(2026, 3, 29)))
    assert told(hourly, "2026-03-28 23:00", "2026-03-29 03:00") == [
        (ALICE, "28 23:00", "29 00:00"), (BOB, "29 00:00", "29 01:00"),
        (ALICE, "29 01:00", "29 02:00"), (BOB, "29 02:00", "29 03:00")]  # fmt: skip
    apia = ZoneInfo("Pacific/Apia")
    found = plan(
        layer(ALICE, BOB, kind="daily", zone=apia, starts_on=date(2011, 12, 28), valid_from=utc("2011-01-01"))
    )
    days = [(clock_at(each.started_at, apia).day, each.person_id)
            for each in pieces_of(found, utc("2011-12-28 19:00"), utc("2012-01-02"))]  # fmt: skip
    assert days == [(28, ALICE), (29, BOB), (31, ALICE), (31, BOB), (1, ALICE), (2, BOB)]


def test_months_end_where_the_month_ends() -> None:
    monthly = plan(layer(ALICE, BOB, kind="monthly", starts_on=date(2026, 1, 31), handover_at=time(12)))
    assert [f"{each.started_at:%d %b %H:%M}" for each in shifts_of(monthly, utc("2026-01-31 11:00"), utc("2026-06-01"))] == [
        "31 Jan 11:00", "28 Feb 11:00", "31 Mar 10:00", "30 Apr 10:00", "31 May 10:00"]  # fmt: skip


def test_a_higher_layer_covers_where_it_has_somebody_and_the_lower_one_the_rest() -> None:
    days = layer(CHARLIE, position=2, title="Days", hours=(time(9), time(17)), weekdays=frozenset(range(5)))
    found = plan(layer(ALICE), days)
    assert told(found, "2026-03-27 00:00", "2026-03-30 12:00") == [
        (ALICE, "27 00:00", "27 08:00"), (CHARLIE, "27 08:00", "27 16:00"), (ALICE, "27 16:00", "30 07:00"),
        (CHARLIE, "30 07:00", "30 12:00")]  # fmt: skip


def test_hours_past_midnight_belong_to_the_day_on_which_they_begin() -> None:
    nights = plan(layer(ALICE, hours=(time(22), time(6)), weekdays=frozenset({4})))
    assert told(nights, "2026-03-26 00:00", "2026-03-30 00:00") == [(ALICE, "27 21:00", "28 05:00")]
    assert len(gaps_of(nights, utc("2026-03-26"), utc("2026-03-30"))) == 2


def test_of_two_overrides_the_newer_counts_and_one_that_names_whom_it_replaces_only_there() -> None:
    week = layer(ALICE, BOB, kind="daily", handover_at=time(0), starts_on=date(2026, 1, 5))
    older = override(BOB, "2026-01-06 00:00", "2026-01-08 00:00")
    newer = override(CHARLIE, "2026-01-07 00:00", "2026-01-07 12:00", replaced_id=BOB)
    nowhere = override(CHARLIE, "2026-01-06 10:00", "2026-01-06 12:00", replaced_id=ALICE)
    expected = [
        (BOB, "06 00:00", "07 00:00"),
        (CHARLIE, "07 00:00", "07 12:00"),
        (BOB, "07 12:00", "08 00:00"),
    ]
    for overrides in ((older, newer, nowhere), (nowhere, newer, older)):
        assert told(plan(week, *overrides), "2026-01-06 00:00", "2026-01-08 00:00") == expected


def test_a_version_that_ended_goes_on_telling_the_past() -> None:
    before = layer(ALICE, valid_until=utc("2026-02-01"))
    after = layer(BOB, valid_from=utc("2026-02-01"))
    assert told(plan(before, after), "2026-01-31 00:00", "2026-02-02 00:00") == [
        (ALICE, "31 00:00", "01 00:00"), (BOB, "01 00:00", "02 00:00")]  # fmt: skip


def test_a_roster_says_since_when_until_when_and_who_is_next() -> None:
    found = roster(plan(layer()), at=utc("2026-03-27 03:00"))
    assert found.now
    assert found.next
    assert (found.now.person_id, found.now.since, found.now.until) == (
        CHARLIE, utc("2026-03-23 08:00"), utc("2026-03-30 07:00"))  # fmt: skip
    assert found.now.why == "Layer 1, week of Mon 23 Mar"
    assert (found.next.person_id, found.next.at) == (ALICE, utc("2026-03-30 07:00"))
    alone = roster(plan(layer(ALICE)), at=utc("2026-06-27 03:00"))
    assert alone.now
    assert (alone.now.since, alone.now.until, alone.next) == (None, None, None)
    nobody = roster(plan(layer(starts_on=date(2026, 5, 4))), at=utc("2026-04-27 03:00"))
    assert nobody.now is None
    assert nobody.hand_over_at == utc("2026-05-04 07:00")
    assert roster(plan(), at=utc("2026-04-27 03:00")).hand_over_at is None


# Whatever the plan: an oracle that asks each rule at one moment, and nothing else.

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Cairo"]
START = datetime(2026, 3, 1, tzinfo=UTC)
moments = st.integers(0, 60 * 24 * 60).map(lambda minutes: START + timedelta(minutes=minutes))
autumn = st.integers(0, 30 * 24 * 60).map(
    lambda minutes: datetime(2026, 10, 10, tzinfo=UTC) + timedelta(minutes=minutes)
)
people = st.lists(st.integers(1, 4), min_size=0, max_size=4).map(tuple)
clocks = st.builds(time, st.integers(0, 23), st.sampled_from([0, 30]))
hours = st.none() | st.tuples(clocks, clocks).filter(lambda pair: pair[0] != pair[1])
layers = st.builds(
    layer,
    kind=st.sampled_from(["hourly", "daily", "weekly", "monthly"]),
    length=st.integers(1, 12),
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    position=st.integers(1, 3),
    starts_on=st.dates(date(2026, 1, 20), date(2026, 3, 20)),
    handover_at=clocks,
    people=people,
    weekdays=st.frozensets(st.integers(0, 6), max_size=6),
    hours=hours,
)
overrides = st.builds(
    lambda pk, person, replaced, start, minutes: replace(
        override(person, "2026-03-01", "2026-03-02", id=pk, replaced_id=replaced),
        started_at=start, ended_at=start + timedelta(minutes=minutes)),
    st.integers(1, 10_000), st.integers(1, 4), st.none() | st.integers(5, 6) | st.integers(1, 4),
    moments | autumn, st.integers(1, 20_000),
)  # fmt: skip
plans = st.builds(
    lambda layers, overrides: plan(*layers, *overrides),
    st.lists(layers, max_size=3, unique_by=lambda each: each.position),
    st.lists(overrides, max_size=5, unique_by=lambda each: each.id),
)


def by_the_rules(found: Plan, at: datetime) -> int | None:
    person = None
    for each in sorted(found.layers, key=lambda each: each.position):
        person = _of_layer(each, at) or person
    for each in sorted(found.overrides, key=lambda each: each.id):
        if each.started_at <= at < each.ended_at and each.replaced_id in (None, person):
            person = each.person_id
    return person


def _of_layer(each: LayerPlan, at: datetime) -> int | None:
    if not each.people or turn_begins(each, 0) > at or not any(_is_open(each, at, back) for back in (0, 1)):
        return None
    number = 0
    while turn_begins(each, number + 1) <= at:
        number += 1
    return each.people[number % len(each.people)]


def _is_open(each: LayerPlan, at: datetime, back: int) -> bool:
    day = clock_at(at, each.zone).date() - back * DAY
    if each.weekdays and day.weekday() not in each.weekdays:
        return False
    begins, ends = each.hours or (time(), time())
    last = day + DAY if ends <= begins else day
    start, end = (moment_of(datetime.combine(*pair), each.zone) for pair in ((day, begins), (last, ends)))
    return start <= at < end


@settings(max_examples=100, deadline=None)
@given(plans, moments | autumn, st.integers(1, 60 * 24 * 20), st.randoms(use_true_random=False))
def test_shifts_tile_the_time_and_agree_with_the_rules_at_every_moment(
    found: Plan, since: datetime, minutes: int, chance: random.Random
) -> None:
    until = since + timedelta(minutes=minutes)
    shifts, gaps = shifts_of(found, since, until), gaps_of(found, since, until)
    tiles = sorted([*shifts, *gaps], key=lambda each: each.started_at)
    assert [tiles[0].started_at, *(each.ended_at for each in tiles)] == [
        *(each.started_at for each in tiles),
        until,
    ]
    assert all(each.started_at < each.ended_at for each in tiles)
    assert all(
        one.person_id != two.person_id for one, two in pairwise(shifts) if one.ended_at == two.started_at
    )
    asked = {
        edge + step
        for each in tiles
        for edge in (each.started_at, each.ended_at)
        for step in (-timedelta(seconds=1), 0 * DAY)
    }
    asked |= {since + timedelta(minutes=chance.randrange(minutes)) for _ in range(5)}
    for at in sorted(each for each in asked if since <= each < until)[:60]:
        held = next((shift.person_id for shift in shifts if shift.holds(at)), None)
        assert held == by_the_rules(found, at), at


@settings(max_examples=40, deadline=None)
@given(plans, moments | autumn, st.randoms(use_true_random=False))
def test_a_roster_agrees_with_the_shifts_and_not_with_the_order_of_its_rows(
    found: Plan, at: datetime, chance: random.Random
) -> None:
    shuffled = Plan(found.rotation_id, chance.sample(found.layers, len(found.layers)),
                    chance.sample(found.overrides, len(found.overrides)))  # fmt: skip
    seen = roster(found, at=at)
    assert roster(shuffled, at=at) == seen
    shifts = shifts_of(found, at - 90 * DAY, at + 90 * DAY)
    held = next((shift for shift in shifts if shift.holds(at)), None)
    after = next((shift for shift in shifts if shift.started_at > at), None)
    assert (seen.now and seen.now.person_id) == (held and held.person_id)
    assert (seen.next and (seen.next.person_id, seen.next.at)) == (
        after and (after.person_id, after.started_at)
    )
    if seen.now and held:
        assert seen.now.since in (None, held.started_at)
        assert seen.now.until in (None, held.ended_at)
