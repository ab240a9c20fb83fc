"""What a wall clock says, as a moment: the one rule for hours that a change of the clocks skips or repeats.

A time that comes twice means the first of the two. A time that is skipped means the first moment after the gap.
So later clock times never mean earlier moments, and turns that begin at clock times tile all time.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

SECOND = timedelta(seconds=1)
MIDNIGHT = time()


@lru_cache(maxsize=16_384)
def moment_of(clock: datetime, zone: ZoneInfo) -> datetime:
    """The moment, in UTC, at which clocks in `zone` show `clock` (without a zone of its own)."""
    early = clock.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if clock_at(early, zone) == clock:
        return early
    return _end_of_gap(clock.replace(tzinfo=zone, fold=1).astimezone(UTC), early, zone)


def clock_at(at: datetime, zone: ZoneInfo) -> datetime:
    """What clocks in `zone` show at this moment, as a datetime without a zone."""
    return at.astimezone(zone).replace(tzinfo=None, fold=0)


def day_begins(day: date, zone: ZoneInfo) -> datetime:
    return moment_of(datetime.combine(day, MIDNIGHT), zone)


def _end_of_gap(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The first moment in (before, after] with the offset of `after`. Offsets change at whole seconds."""
    offset = after.astimezone(zone).utcoffset()
    while after - before > SECOND:
        middle = before + (after - before) // SECOND // 2 * SECOND
        if middle.astimezone(zone).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after
