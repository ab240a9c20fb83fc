"""Times as providers write them, read into UTC.

Accepted: RFC 3339 with up to nine fractional digits and any offset, RFC 1123 with a wrong or missing
weekday and one-digit days, and Go's default print. Placeholders and empty text are refused.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from console.feeds.normalised import Rejected

FUTURE_TOLERANCE = timedelta(minutes=5)
_LAST_YEAR = 9000
"""Deadlines, windows and hours are reckoned onwards from a time: near the end of the calendar they cannot be."""

_RFC_3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:)(\d\d)(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
).fullmatch
_GO_PRINT = re.compile(
    r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:)(\d\d)(\.\d{1,9})? ([+-]\d{4}) [A-Z+-][A-Z0-9+-]*", re.ASCII
).fullmatch
_RFC_1123 = re.compile(
    r"(?:[A-Za-z]{3,9},? +)?(\d{1,2}) +([A-Za-z]{3}) +(\d{4}) +(\d\d):(\d\d):(\d\d) +"
    r"(GMT|UTC|UT|Z|[+-]\d{4})",
    re.ASCII,
).fullmatch
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ZERO_OFFSETS = frozenset({"GMT", "UTC", "UT", "Z"})


class InvalidTime(ValueError):
    """The text is no time in any accepted form."""


def parse_time(text: str) -> datetime | None:
    """The instant in UTC; None where the year is 0001, which providers write for "unset"."""
    written = text.strip()
    try:
        instant = _read(written)
    except (ValueError, OverflowError) as error:
        raise InvalidTime(text) from error
    if instant.year > _LAST_YEAR:
        raise InvalidTime(text)
    return None if instant.year == 1 else instant


def _read(written: str) -> datetime:
    if match := _RFC_3339(written):
        date, clock, seconds, fraction, offset = match.groups()
        return _from_iso(date, clock, seconds, fraction, offset.upper())
    if match := _RFC_1123(written):
        return _from_rfc_1123(*match.groups())
    if match := _GO_PRINT(written):
        date, clock, seconds, fraction, offset = match.groups()
        return _from_iso(date, clock, seconds, fraction, f"{offset[:3]}:{offset[3:]}")
    raise InvalidTime(written)


def _from_iso(date: str, clock: str, seconds: str, fraction: str | None, offset: str) -> datetime:
    if date.startswith("0001"):
        return datetime(1, 1, 1, tzinfo=UTC)
    is_leap_second = seconds == "60"
    text = f"{date}T{clock}{'59' if is_leap_second else seconds}{fraction or ''}{offset}"
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is not UTC:
        instant = instant.astimezone(UTC)
    return instant + timedelta(seconds=1) if is_leap_second else instant


def _from_rfc_1123(
    day: str, month: str, year: str, hour: str, minute: str, second: str, offset: str
) -> datetime:
    number = _MONTHS.index(month.lower()) + 1
    zone = "+00:00" if offset in _ZERO_OFFSETS else f"{offset[:3]}:{offset[3:]}"
    return _from_iso(f"{year}-{number:02d}-{int(day):02d}", f"{hour}:{minute}:", second, None, zone)


def optional_time(value: object, *, field: str) -> datetime | None:
    """None where the field is absent or unset; refused where it is there and cannot be read."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise Rejected("invalid_time", f"{field}: must be text such as 2026-03-11T14:31:40Z")
    try:
        return parse_time(value)
    except InvalidTime:
        raise Rejected(
            "invalid_time", f"{field}: {value[:60]!r} is no time; send one such as 2026-03-11T14:31:40Z"
        ) from None


def required_time(value: object, *, field: str) -> datetime:
    instant = optional_time(value, field=field)
    if instant is None:
        raise Rejected("invalid_time", f"{field}: a time is required, such as 2026-03-11T14:31:40Z")
    return instant


def is_future(instant: datetime, *, received_at: datetime) -> bool:
    """Stamped so far ahead of its receipt that a clock must be wrong: kept, and flagged."""
    return instant - received_at > FUTURE_TOLERANCE
