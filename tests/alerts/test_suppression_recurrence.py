"""When repeating windows are in force: DST, what is refused, and that the expansion is dateutil's own."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from console.alerts.suppression.recurrence import BadRule, Rule, check_fits, exists, moment, windows
from console.alerts.suppression.wording import clock_changes, repeats, window_words

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)


def wall(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    return moment(datetime.fromisoformat(text), zone)


def told(rule: str, first: str, hours: float, day: str, zone: ZoneInfo = BERLIN) -> list[str]:
    """The windows that start on a day of the wall clock, as `HH:MM+hhmm-HH:MM+hhmm`."""
    since = wall(f"{day} 00:00", zone)
    found = windows(
        Rule.parse(rule),
        first=wall(first, zone),
        duration=hours * HOUR,
        zone=zone,
        since=since,
        until=wall(f"{date.fromisoformat(day) + timedelta(days=1)} 00:00", zone),
    )
    form = "%H:%M%z"
    return [f"{w.starts_at.astimezone(zone):{form}}-{w.ends_at.astimezone(zone):{form}}" for w in found]


@pytest.mark.parametrize(
    ("rule", "first", "hours", "day", "expected"),
    [
        # An ordinary day, before and after the change: the wall clock repeats.
        ("FREQ=DAILY", "2026-03-01 02:30", 2, "2026-03-28", ["02:30+0100-04:30+0100"]),
        ("FREQ=DAILY", "2026-03-01 02:30", 2, "2026-03-30", ["02:30+0200-04:30+0200"]),
        # Spring: 02:30 does not exist; it moves on by what was skipped.
        ("FREQ=DAILY", "2026-03-01 02:30", 2, "2026-03-29", ["03:30+0200-05:30+0200"]),
        # Autumn: 02:30 comes twice; the first counts, and once.
        ("FREQ=DAILY", "2026-10-01 02:30", 0.5, "2026-10-25", ["02:30+0200-02:00+0100"]),
        # The change inside a window: it lasts its length in real time.
        ("FREQ=WEEKLY", "2026-03-01 01:00", 3, "2026-03-29", ["01:00+0100-05:00+0200"]),
        ("FREQ=WEEKLY", "2026-10-04 01:00", 3, "2026-10-25", ["01:00+0200-03:00+0100"]),
        # Windows that touch: the day of 23 hours has no room for 24.
        ("FREQ=DAILY", "2026-03-01 00:00", 24, "2026-03-29", ["00:00+0100-00:00+0200"]),
        # The hour that is skipped falls on the one after it, once.
        ("FREQ=DAILY;BYHOUR=2,3", "2026-03-01 02:00", 0.5, "2026-03-29", ["03:00+0200-03:30+0200"]),
        ("FREQ=MONTHLY;BYDAY=-1SU", "2026-03-01 02:30", 1, "2026-03-29", ["03:30+0200-04:30+0200"]),
    ],
)
def test_the_wall_clock_repeats_and_each_window_lasts_its_length(
    rule: str, first: str, hours: float, day: str, expected: list[str]
) -> None:
    assert told(rule, first, hours, day) == expected


def test_half_an_hour_of_summer_time_is_handled_as_an_hour_is() -> None:
    lord_howe = ZoneInfo("Australia/Lord_Howe")  # 02:00 becomes 02:30 on 4 Oct 2026
    assert told("FREQ=DAILY", "2026-10-01 02:15", 1, "2026-10-04", lord_howe) == ["02:45+1100-03:45+1100"]


def test_a_first_start_that_no_clock_shows_is_known() -> None:
    assert not exists(datetime.fromisoformat("2026-03-29 02:30"), BERLIN)
    assert exists(datetime.fromisoformat("2026-10-25 02:30"), BERLIN)


RULES = st.one_of(
    st.builds("FREQ=HOURLY;INTERVAL={}".format, st.integers(1, 23)),
    st.builds("FREQ=DAILY;INTERVAL={}".format, st.integers(1, 9)),
    st.builds(
        "FREQ=WEEKLY;INTERVAL={};BYDAY={}".format,
        st.integers(1, 3),
        st.sets(st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"]), min_size=1).map(
            lambda days: ",".join(sorted(days))
        ),
    ),
    st.builds(
        "FREQ=MONTHLY;BYDAY={}{}".format, st.sampled_from(["1", "2", "-1"]), st.sampled_from(["MO", "SA"])
    ),
    st.builds("FREQ=MONTHLY;BYMONTHDAY={}".format, st.sampled_from(["1", "15", "31", "-1"])),
)
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"])


@settings(max_examples=60, deadline=None)
@given(
    rule=RULES,
    zone=ZONES.map(ZoneInfo),
    first=st.datetimes(datetime.fromisoformat("2026-01-01"), datetime.fromisoformat("2026-12-01")),
    minutes=st.integers(10, 59),
    skip=st.integers(0, 40),
)
def test_the_windows_are_dateutils_own_half_open_in_order_and_without_overlap(
    rule: str, zone: ZoneInfo, first: datetime, minutes: int, skip: int
) -> None:
    first = first.replace(second=0, microsecond=0)
    start, duration = moment(first, zone), timedelta(minutes=minutes)
    first = start.astimezone(zone).replace(tzinfo=None)
    since, until = start + timedelta(days=skip), start + timedelta(days=skip + 35)
    found = windows(Rule.parse(rule), first=start, duration=duration, zone=zone, since=since, until=until)
    theirs = rrulestr(rule, dtstart=first).between(first - HOUR, first + timedelta(days=skip + 37), inc=True)
    expected = sorted({at for each in theirs if since <= (at := moment(each, zone)) < until})
    assert [window.starts_at for window in found] == expected
    assert all(timedelta(0) < w.ends_at - w.starts_at <= duration for w in found)
    assert all(a.ends_at <= b.starts_at for a, b in pairwise(found))
    again = [
        window
        for n in range(5)
        for window in windows(
            Rule.parse(rule), first=start, duration=duration, zone=zone,
            since=since + timedelta(days=7 * n), until=since + timedelta(days=7 * n + 7),
        )
    ]  # fmt: skip
    assert again == found, "written week by week they are the same"


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("FREQ=MINUTELY", "HOURLY, DAILY"),
        ("FREQ=SECONDLY;INTERVAL=10", "nothing repeats more often"),
        ("BYDAY=TU", "Begin with FREQ"),
        ("FREQ=DAILY;INTERVAL=0", "from 1 to 500"),
        ("FREQ=DAILY;BYMINUTE=1", "BYMINUTE has no place"),
        ("FREQ=DAILY;COUNT=3;UNTIL=20270101", "not both"),
        ("FREQ=WEEKLY;BYDAY=XX", "is no day"),
        ("FREQ=WEEKLY;BYDAY=2TU", "a number"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "such a day"),
        ("FREQ=DAILY;DAILY", "is no part"),
        ("FREQ=DAILY;FREQ=DAILY", "may stand once"),
        ("FREQ=DAILY;UNTIL=soon", "Write UNTIL"),
        ("FREQ=DAILY;COUNT=1001", "at most 1,000"),
        ("FREQ=DAILY;UNTIL=20200101", "never comes"),
        ("FREQ=HOURLY", "before the next one begins"),
        ("FREQ=DAILY;BYHOUR=" + ",".join(map(str, range(0, 24, 2))), "before the next one begins"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_in_words(rule: str, words: str) -> None:
    with pytest.raises(BadRule, match=words):
        check_fits(
            Rule.parse(rule), first=datetime(2026, 3, 1, 2, tzinfo=UTC), duration=3 * HOUR, zone=BERLIN
        )


def test_a_rule_is_echoed_in_plain_words_with_what_the_clocks_do_to_it() -> None:
    first = wall("2026-03-22 02:30")
    rule = Rule.parse("rrule:freq=weekly;byday=SU;until=20261231")
    zone = BERLIN
    assert (
        repeats(rule, first=first, duration=2 * HOUR, zone=zone)
        == "every Sunday 02:30–04:30 Europe/Berlin, until 31 Dec 2026"
    )
    found = windows(
        rule, first=first, duration=2 * HOUR, zone=zone, since=first, until=first + timedelta(days=8)
    )
    assert [window_words(window, zone) for window in found] == [
        "Sun 22 Mar 02:30–04:30 CET",
        "Sun 29 Mar 03:30–05:30 CEST",
    ]
    assert clock_changes(found, first=first, zone=zone) == [
        "29 Mar: 02:30 does not exist that day; it begins at 03:30."
    ]
