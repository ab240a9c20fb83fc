"""When a person's quiet hours end. Pure: hours and zone in, a moment out; right across changes of the clock."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

DAY = timedelta(days=1)
MOST_IN_A_ROW = 14
"""Quiet hours that follow each other without a gap. Whoever has more of them is told after so many."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """On these days (0 is Monday), from `starts` to `ends`; to the next day's, where that is not later."""

    days: Collection[int]
    starts: time
    ends: time


def quiet_until(at: datetime, hours: Collection[Quiet], *, zone: tzinfo) -> datetime | None:
    """The end of the quiet hours that `at` falls into, through all that join on; None: it is in none."""
    end = at
    for _ in range(MOST_IN_A_ROW):
        ends = [until for since, until in _around(end, hours, zone=zone) if since <= end < until]
        if not ends:
            break
        end = max(ends)
    return end if end > at else None


def _around(at: datetime, hours: Collection[Quiet], *, zone: tzinfo) -> Iterator[tuple[datetime, datetime]]:
    today = at.astimezone(zone).date()
    for quiet in hours:
        for day in (today - DAY, today):
            if day.weekday() in quiet.days:
                last = day if quiet.ends > quiet.starts else day + DAY
                yield _moment(day, quiet.starts, zone), _moment(last, quiet.ends, zone)


def _moment(day: date, clock: time, zone: tzinfo) -> datetime:
    return datetime.combine(day, clock, tzinfo=zone).astimezone(UTC)
