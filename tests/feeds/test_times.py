"""Times in every form that providers write."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.feeds.normalised import Rejected
from console.feeds.times import (
    InvalidTime,
    is_future,
    optional_time,
    parse_time,
    required_time,
)


def at(*parts: int, microsecond: int = 0) -> datetime:
    return datetime(*parts, microsecond=microsecond, tzinfo=UTC)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2026-03-11T14:31:40Z", at(2026, 3, 11, 14, 31, 40)),
        ("2026-03-11t14:31:40z", at(2026, 3, 11, 14, 31, 40)),
        ("  2026-03-11T14:31:40Z\n", at(2026, 3, 11, 14, 31, 40)),
        ("2026-03-11 14:31:40+00:00", at(2026, 3, 11, 14, 31, 40)),
        ("2026-03-11T14:31:40.5Z", at(2026, 3, 11, 14, 31, 40, microsecond=500_000)),
        ("2026-03-11T14:31:40.1234567Z", at(2026, 3, 11, 14, 31, 40, microsecond=123_456)),
        ("2026-03-11T14:31:40.123456789Z", at(2026, 3, 11, 14, 31, 40, microsecond=123_456)),
        ("2026-03-11T07:31:40-07:00", at(2026, 3, 11, 14, 31, 40)),
        ("2026-03-11T20:16:40+05:45", at(2026, 3, 11, 14, 31, 40)),
        ("2016-12-31T23:59:60Z", at(2017, 1, 1)),
        ("1970-01-01T00:00:00Z", at(1970, 1, 1)),
        ("1970-01-01 00:00:00 +0000 UTC", at(1970, 1, 1)),
        ("2026-03-11 16:31:40.25 +0200 CEST", at(2026, 3, 11, 14, 31, 40, microsecond=250_000)),
        ("Wed, 11 Mar 2026 14:31:40 GMT", at(2026, 3, 11, 14, 31, 40)),
        ("Sun, 11 Mar 2026 14:31:40 GMT", at(2026, 3, 11, 14, 31, 40)),
        ("Wed, 1 Apr 2026 09:00:00 GMT", at(2026, 4, 1, 9)),
        ("21 Jan 2019 09:00:43 GMT", at(2019, 1, 21, 9, 0, 43)),
        ("1 Jan 2019 09:00:43 +0100", at(2019, 1, 1, 8, 0, 43)),
        ("0001-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+14:00", None),
    ],
)
def test_every_written_form_is_read(written: str, instant: datetime | None) -> None:
    assert parse_time(written) == instant


@pytest.mark.parametrize(
    "written",
    [
        "",
        " ",
        "yyyy-mm-ddThh:mm:ssZ",
        "2026-03-11",
        "2026-03-11T14:31:40",
        "2026-02-30T00:00:00Z",
        "2026-03-11T25:00:00Z",
        "2026-03-11T14:31:40.1234567890Z",
        "2026-03-11T14:31:40+24:00",
        "٢٠٢٦-03-11T14:31:40Z",
        "11 Foo 2026 14:31:40 GMT",
        "32 Mar 2026 14:31:40 GMT",
        "9999-12-31T23:59:59-01:00",
        "9999-12-31T23:59:59Z",
        "31 Dec 9999 23:59:59 GMT",
        "1773239500",
        "now",
    ],
)
def test_what_is_no_time_is_refused(written: str) -> None:
    with pytest.raises(InvalidTime):
        parse_time(written)


@given(st.datetimes().filter(lambda moment: 1 < moment.year < 9000))
def test_an_iso_time_survives_the_way_there_and_back(moment: datetime) -> None:
    instant = moment.replace(tzinfo=UTC)
    assert parse_time(instant.isoformat()) == instant
    seconds = instant.replace(microsecond=0)
    assert (
        parse_time(
            seconds.strftime("%a, ") + f"{seconds.day} {seconds:%b} {seconds.year:04d} {seconds:%T} GMT"
        )
        == seconds
    )


@given(st.text(max_size=60))
def test_any_text_is_a_time_or_refused(written: str) -> None:
    try:
        instant = parse_time(written)
    except InvalidTime:
        return
    assert instant is None or instant.tzinfo is UTC


def test_an_absent_time_is_none_where_it_is_optional() -> None:
    assert optional_time(None, field="ready_at") is None
    with pytest.raises(Rejected, match="invalid_time: ready_at"):
        required_time(None, field="ready_at")


@pytest.mark.parametrize("value", ["", "soon", 5, ["2026"], False])
def test_a_time_that_is_there_must_be_readable(value: object) -> None:
    with pytest.raises(Rejected, match="invalid_time: ready_at"):
        optional_time(value, field="ready_at")


def test_five_minutes_ahead_is_still_the_present() -> None:
    now = at(2026, 3, 11)
    assert not is_future(now + timedelta(minutes=5), received_at=now)
    assert is_future(now + timedelta(minutes=5, seconds=1), received_at=now)
