"""When a repeating window is in force: a rule as RFC 5545 writes it, in one time zone. Pure; the clock is given.

The wall clock repeats, and each window lasts its length in real time. Where the clocks are changed:

| the start | what happens |
| --- | --- |
| does not exist that day (02:30, clocks go from 02:00 to 03:00) | it moves on by what was skipped: 03:30 |
| comes twice that day (02:30, clocks go from 03:00 back to 02:00) | the first of the two; the day has one window |
| another window begins before this one ends | this one ends there: windows of one rule never overlap |

Expansion is `dateutil.rrule` over naive times of the wall clock. Only rules that come often enough to be found
quickly are taken: each part is allowed where it narrows nothing to never, so no rule can keep a worker searching.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dateutil import rrule

FREQUENCIES = {"HOURLY": rrule.HOURLY, "DAILY": rrule.DAILY, "WEEKLY": rrule.WEEKLY, "MONTHLY": rrule.MONTHLY,
               "YEARLY": rrule.YEARLY}  # fmt: skip
ALLOWED = {
    "HOURLY": {"INTERVAL", "BYDAY"},
    "DAILY": {"INTERVAL", "BYDAY", "BYHOUR"},
    "WEEKLY": {"INTERVAL", "BYDAY", "BYHOUR", "WKST"},
    "MONTHLY": {"INTERVAL", "BYDAY", "BYMONTHDAY", "BYSETPOS", "BYHOUR"},
    "YEARLY": {"INTERVAL", "BYDAY", "BYMONTH", "BYMONTHDAY", "BYHOUR"},
}
"""The parts each frequency may have, besides COUNT and UNTIL."""
AHEAD = timedelta(days=35)
MOST = 1_000
"""Windows in `AHEAD`, and of a rule that says how many."""
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_DAY = re.compile(r"([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)")
_UNTIL = re.compile(r"(\d{8})(?:T(\d{6})(Z?))?")


class BadRule(ValueError):
    """The rule cannot be taken; the text says what to write."""


class Window(NamedTuple):
    """[start, end), in UTC."""

    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Rule:
    """A checked rule, its parts as they were written."""

    parts: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, text: str) -> Rule:
        """Raises `BadRule`. `RRULE:` in front and spaces are forgiven."""
        parts = [
            _split(part) for part in text.strip().upper().removeprefix("RRULE:").split(";") if part.strip()
        ]
        names = [name for name, _ in parts]
        if len(names) != len(set(names)):
            raise BadRule("Each part of a rule may stand once.")
        rule = cls(tuple(parts))
        rule._check()
        return rule

    def __str__(self) -> str:
        return ";".join(f"{name}={value}" for name, value in self.parts)

    def get(self, name: str) -> str:
        return dict(self.parts).get(name, "")

    @property
    def frequency(self) -> str:
        return self.get("FREQ")

    @property
    def interval(self) -> int:
        return int(self.get("INTERVAL") or 1)

    def last_day(self, zone: ZoneInfo) -> datetime | None:
        """The wall clock's last moment at which a window may start; null: it has none."""
        return _until(self.get("UNTIL"), zone) if self.get("UNTIL") else None

    def _check(self) -> None:
        if self.frequency not in FREQUENCIES:
            raise BadRule(
                "Begin with FREQ=HOURLY, DAILY, WEEKLY, MONTHLY or YEARLY; nothing repeats more often."
            )
        for name, value in self.parts:
            if name not in ALLOWED[self.frequency] | {"FREQ", "COUNT", "UNTIL"}:
                known = ", ".join(sorted(ALLOWED[self.frequency] | {"COUNT", "UNTIL"}))
                raise BadRule(
                    f"{name} has no place in a rule with FREQ={self.frequency}. It may have {known}."
                )
            _CHECKS.get(name, _any)(value)
        if self.get("COUNT") and self.get("UNTIL"):
            raise BadRule("Give COUNT or UNTIL, not both.")
        if self.frequency == "HOURLY" and self.interval > 23:
            raise BadRule("With FREQ=HOURLY the INTERVAL is at most 23; use FREQ=DAILY beyond.")
        if self.frequency == "DAILY" and self.interval > 1 and self.get("BYDAY"):
            raise BadRule("Every so many days and on named days may never fall together. Use FREQ=WEEKLY.")
        if self.get("BYSETPOS") and (not self.get("BYDAY") or self.get("BYMONTHDAY")):
            raise BadRule("BYSETPOS chooses among the days of BYDAY, and of nothing else.")
        if self.get("BYMONTHDAY") and self.get("BYDAY"):
            raise BadRule("Give BYMONTHDAY or BYDAY, not both.")
        if self.frequency in ("HOURLY", "DAILY", "WEEKLY") and re.search(r"\d", self.get("BYDAY")):
            raise BadRule("A day with a number (2TU) has a place in FREQ=MONTHLY and YEARLY alone.")
        self._check_dates()

    def _check_dates(self) -> None:
        """Whether there is such a day in any of the months."""
        months = [int(month) for month in self.get("BYMONTH").split(",") if month] or list(range(1, 13))
        longest = max(29 if m == 2 else 30 if m in (4, 6, 9, 11) else 31 for m in months)
        days = [int(day) for day in self.get("BYMONTHDAY").split(",") if day]
        if days and min(abs(day) for day in days) > longest:
            raise BadRule("None of these months has such a day.")

    def starts(self, first: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        """The wall clock's starts from `first` (naive) on, in order, without an end unless the rule has one."""
        count = self.get("COUNT")
        days = [_weekday(day) for day in self.get("BYDAY").split(",") if day]
        yield from rrule.rrule(
            FREQUENCIES[self.frequency],
            dtstart=first,
            interval=self.interval,
            count=int(count) if count else None,
            until=self.last_day(zone),
            byweekday=days or None,
            bymonth=_numbers(self.get("BYMONTH")),
            bymonthday=_numbers(self.get("BYMONTHDAY")),
            bysetpos=_numbers(self.get("BYSETPOS")),
            byhour=_numbers(self.get("BYHOUR")),
            wkst=DAYS.index(self.get("WKST")) if self.get("WKST") else None,
        )


def wall_clock(at: datetime, zone: ZoneInfo) -> datetime:
    """What a clock on the wall shows, without its zone."""
    return at.astimezone(zone).replace(tzinfo=None, fold=0)


def moment(wall: datetime, zone: ZoneInfo) -> datetime:
    """When the wall shows this: of two such moments the first; of none, as many minutes after the gap."""
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)


def exists(wall: datetime, zone: ZoneInfo) -> bool:
    """Whether the wall ever shows this; the hour that is skipped in spring it does not."""
    return wall_clock(moment(wall, zone), zone) == wall


def windows(
    rule: Rule, *, first: datetime, duration: timedelta, zone: ZoneInfo, since: datetime, until: datetime
) -> list[Window]:
    """The windows that start in [since, until). `first` is the first start as a moment."""
    starts: list[datetime] = []
    for wall in rule.starts(wall_clock(first, zone), zone):
        start = moment(wall, zone)
        if start < since or (starts and start <= starts[-1]):
            continue  # an hour that is skipped falls on the one after it
        starts.append(start)
        if start >= until or len(starts) > MOST:
            break
    ends = [min(a + duration, b) for a, b in pairwise(starts)] + [at + duration for at in starts[-1:]]
    return [Window(*each) for each in zip(starts, ends, strict=True) if each[0] < until][:MOST]


def check_fits(rule: Rule, *, first: datetime, duration: timedelta, zone: ZoneInfo) -> None:
    """Raises `BadRule` where it comes too often, never, or while its last window is still open."""
    if int(rule.get("COUNT") or 0) > MOST:
        raise BadRule(f"COUNT is at most {MOST:,}.")
    walls: list[datetime] = []
    horizon = wall_clock(first, zone) + AHEAD
    for wall in rule.starts(wall_clock(first, zone), zone):
        walls.append(wall)
        if len(walls) > 2 and (wall >= horizon or len(walls) > MOST):
            break
    if not walls:
        raise BadRule("It never comes: its end lies before its first time.")
    if len(walls) > MOST:
        raise BadRule(f"It would come more than {MOST:,} times in {AHEAD.days} days.")
    if any(later - earlier < duration for earlier, later in pairwise(walls)):
        raise BadRule("Each window has to end before the next one begins. Make it shorter, or rarer.")


def _split(part: str) -> tuple[str, str]:
    name, sign, value = part.strip().partition("=")
    if not sign or not name or not value:
        raise BadRule(f"{part.strip()!r} is no part of a rule. Write it as FREQ=WEEKLY;BYDAY=TU.")
    return name.strip(), value.strip()


def _any(value: str) -> None:
    """Checked elsewhere."""


def _within(low: int, high: int, *, signed: bool = False, most: int = 31) -> Callable[[str], None]:
    def check(value: str) -> None:
        for number in value.split(",", most - 1):
            size = number[1:] if signed and number[:1] in "+-" else number
            if not (size.isascii() and size.isdigit() and low <= int(size) <= high):
                raise BadRule(f"{number!r} is no number from {low} to {high}.")

    return check


def _check_days(value: str) -> None:
    for day in value.split(","):
        if not _DAY.fullmatch(day):
            raise BadRule(
                f"{day!r} is no day. Write MO, TU, WE, TH, FR, SA, SU, in a month also 2TU or -1FR."
            )


def _check_until(value: str) -> None:
    _until(value, ZoneInfo("UTC"))


_CHECKS: dict[str, Callable[[str], None]] = {
    "INTERVAL": _within(1, 500, most=1),
    "COUNT": _within(1, 999_999, most=1),
    "UNTIL": _check_until,
    "BYDAY": _check_days,
    "WKST": _check_days,
    "BYHOUR": _within(0, 23),
    "BYMONTH": _within(1, 12),
    "BYMONTHDAY": _within(1, 31, signed=True),
    "BYSETPOS": _within(1, 5, signed=True),
}


def _numbers(value: str) -> Sequence[int] | None:
    return [int(number) for number in value.split(",")] if value else None


def _weekday(text: str) -> rrule.weekday:
    found = _DAY.fullmatch(text)
    assert found is not None, "days were checked when the rule was read"
    day = rrule.weekday(DAYS.index(found[2]))
    return day(int(found[1])) if found[1] else day


def _until(value: str, zone: ZoneInfo) -> datetime:
    """The last moment at which a window may start, on the wall clock. A day is meant whole."""
    found = _UNTIL.fullmatch(value)
    try:
        if found is None:
            raise ValueError
        day = datetime.strptime(found[1], "%Y%m%d")  # noqa: DTZ007 - a wall clock's
        if not found[2]:
            return datetime.combine(day, time(23, 59, 59))
        at = datetime.strptime(found[1] + found[2], "%Y%m%d%H%M%S")  # noqa: DTZ007
    except ValueError as error:
        raise BadRule("Write UNTIL as a day (20261231) or a moment in UTC (20261231T120000Z).") from error
    return wall_clock(at.replace(tzinfo=UTC), zone) if found[3] else at
