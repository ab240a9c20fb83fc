"""Rolling up: what boards read instead of the whole history.

`roll_up` does again the hours that are new, touched or undecided. Database triggers note the hours that late rows
touch (migration `dirty_hour_triggers`), so no writer has to remember; `mark_dirty` is for those who know better.
Running it twice changes nothing; running it at the same time twice makes the second give way.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from console.interruptions import rollup_sql as sql
from console.interruptions.kept import forget
from console.interruptions.models import (
    AssumedEnd,
    BunchPair,
    BunchPiece,
    DirtyHours,
    HintHour,
    JobHour,
    LatencyHour,
    MachineDay,
    MeasureDay,
    MeasureHour,
    NoticeHour,
    RecoveryHour,
    RollupState,
    StreamHour,
    WitnessHour,
)
from console.interruptions.rollup_sql_records import JOBS, RECOVERIES, STREAMS
from console.interruptions.rollup_sql_warnings import HINTS, NOTICES
from console.lib.live import announce
from console.lib.origin import Origin

Values = dict[str, str | datetime]
logger = logging.getLogger(__name__)

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
SWEPT = timedelta(hours=48)
"""Late events are usual this far back: done again as a whole now and then, whatever the triggers say."""
SWEEP_EVERY = timedelta(minutes=15)
MOST_HOURS = 168
"""Done by one statement."""
KEPT = timedelta(days=800)
"""Sums reach back as far as interruptions are kept (25 months), whatever year a message claims."""
SILENT_FOR = timedelta(hours=26)
"""A stream may be heard again until a day after the end: until then its hour is looked at again."""
FORETOLD = timedelta(days=7)
"""How long a reclaim may follow a hint."""
SUMS = (
    MeasureHour, MeasureDay, MachineDay, LatencyHour, BunchPair, BunchPiece, NoticeHour, WitnessHour, HintHour,
    JobHour, StreamHour, RecoveryHour, AssumedEnd,
)  # fmt: skip


def hour_of(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def day_of(at: datetime) -> datetime:
    return hour_of(at).replace(hour=0)


def mark_dirty(cursor: CursorWrapper | Any, hours: Iterable[tuple[str, datetime]]) -> None:
    """Have these (origin, hour) rolled up again. Call it in the transaction that changed their rows."""
    rows = sorted({(origin, hour_of(at)) for origin, at in hours})
    cursor.executemany(
        "INSERT INTO interruptions_dirtyhours (origin, since, until) VALUES (%s, %s, %s)",
        [(origin, hour, hour + HOUR) for origin, hour in rows],
    )


def roll_up(*, now: datetime) -> int:
    """Bring the sums of every origin up to `now`. Returns how many hours were done again."""
    done = sum(_roll_up_origin(origin, now) for origin in Origin.values)
    announce("measures")
    return done


def recompute(*, origin: str, now: datetime) -> int:
    """Throw the sums of one origin away and compute them from the rows."""
    with transaction.atomic():
        RollupState.objects.filter(origin=origin).delete()
        for model in SUMS:
            model._default_manager.filter(origin=origin).delete()
    return _roll_up_origin(origin, now)


def _roll_up_origin(origin: str, now: datetime) -> int:
    RollupState.objects.get_or_create(origin=origin)
    with transaction.atomic(), connection.cursor() as cursor:
        state = RollupState.objects.select_for_update(skip_locked=True).filter(origin=origin).first()
        if state is None:
            return 0
        is_sweep = state.swept_at is None or now - state.swept_at >= SWEEP_EVERY
        _note_assumed_ends(cursor, origin, now)
        dirty = _take_dirty(origin, now)
        hours = dirty | _due(state, now, is_sweep)
        _do_again(cursor, origin, sorted(hours), now)
        _do_streams_again(cursor, origin, _silent(origin, now) - hours, now)
        _do_hints_again(cursor, origin, hours | _foretold(dirty, state, now), now)
        state.rolled_up_at = now
        state.swept_at = now if is_sweep else state.swept_at
        state.save(update_fields=["rolled_up_at", "swept_at"])
    forget()
    logger.debug("measures.rolled_up", extra={"origin": origin, "hours": len(hours)})
    return len(hours)


def _note_assumed_ends(cursor: CursorWrapper, origin: str, now: datetime) -> None:
    """Machines that fell silent or spoke again change the running time since they were last heard."""
    values: Values = {"origin": origin, "now": now}
    cursor.execute(sql.NOTE_CHANGED_ENDS, values)
    if cursor.rowcount:
        AssumedEnd.objects.filter(origin=origin).delete()
        cursor.execute(sql.ASSUMED_ENDS, values)


def _take_dirty(origin: str, now: datetime) -> set[datetime]:
    """The hours that wait to be done again, no longer waiting once this transaction commits."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM interruptions_dirtyhours WHERE origin = %s RETURNING since, least(until, %s)",
            [origin, now],
        )
        spans = sorted(cursor.fetchall())
    hours: set[datetime] = set()
    reached = hour_of(now - KEPT)
    for since, until in spans:
        hour = max(hour_of(since), reached)
        while hour < until:
            hours.add(hour)
            hour += HOUR
        reached = max(reached, hour)
    return hours


def _due(state: RollupState, now: datetime, is_sweep: bool) -> set[datetime]:
    """Hours that time alone changes: the newest two, those not judged yet, and all of 48 hours now and then."""
    last = hour_of(now)
    since = last - SWEPT if is_sweep else last - HOUR
    if state.rolled_up_at is None:
        since = min(since, max(_first_row(state.origin) or since, now - KEPT))
    else:
        since = min(since, hour_of(state.rolled_up_at) - HOUR)
    undecided = MeasureHour.objects.filter(origin=state.origin, undecided_count__gt=0)
    hours = set(undecided.values_list("hour", flat=True).distinct())
    return hours | set(_hours(hour_of(since), last + HOUR))


def _first_row(origin: str) -> datetime | None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT least((SELECT min(started_at) FROM interruptions_interruption WHERE origin = %(o)s),"
            " (SELECT min(started_at) FROM fleet_runninginterval WHERE origin = %(o)s),"
            " (SELECT min(at) FROM interruptions_work WHERE origin = %(o)s AND interruption_id IS NULL))",
            {"o": origin},
        )
        first: datetime | None = cursor.fetchone()[0]
    return first


def _hours(since: datetime, until: datetime) -> Iterator[datetime]:
    while since < until:
        yield since
        since += HOUR


def _runs(starts: list[datetime], *, step: timedelta, most: int) -> Iterator[tuple[datetime, datetime]]:
    """Sorted starts joined to half-open stretches without gaps, at most `most` steps each."""
    begin = end = None
    for start in starts:
        if begin is None or start != end or end - begin >= most * step:
            if begin is not None and end is not None:
                yield begin, end
            begin = start
        end = start + step
    if begin is not None and end is not None:
        yield begin, end


def _do_again(cursor: CursorWrapper, origin: str, hours: list[datetime], now: datetime) -> None:
    for since, until in _runs(hours, step=HOUR, most=MOST_HOURS):
        values: Values = {"origin": origin, "since": since, "until": until, "now": now}
        _replace(cursor, MeasureHour, sql.MEASURE_HOURS, values)
        _replace(cursor, LatencyHour, sql.LATENCY_HOURS, values)
        cursor.execute(sql.REPORTING, values)
        _clear(cursor, WitnessHour, values)
        _replace(cursor, NoticeHour, NOTICES, values)
        _replace(cursor, JobHour, JOBS, values)
        _replace(cursor, StreamHour, STREAMS, values)
        _replace(cursor, RecoveryHour, RECOVERIES, values)
        wider = values | {"since": since - HOUR, "until": until + HOUR}
        _replace(cursor, BunchPiece, sql.BUNCH_PIECES, wider)
        _replace(cursor, BunchPair, sql.BUNCH_PAIRS, wider)
        cursor.execute(sql.BUNCH_EXCESS, wider)
    days = {day_of(near) for hour in hours for near in (hour - HOUR, hour, hour + HOUR)}
    for since, until in _runs(sorted(days), step=DAY, most=7):
        values = {"origin": origin, "since": since, "until": until, "now": now}
        _replace(cursor, MeasureDay, sql.MEASURE_DAYS, values, time="day")
        _replace(cursor, MachineDay, sql.MACHINE_DAYS, values, time="day")


def _silent(origin: str, now: datetime) -> set[datetime]:
    """Hours with streams that may still be heard again."""
    rows = StreamHour.objects.filter(origin=origin, hour__gte=hour_of(now) - SILENT_FOR)
    return set(rows.exclude(silent_since=[]).values_list("hour", flat=True))


def _do_streams_again(cursor: CursorWrapper, origin: str, hours: set[datetime], now: datetime) -> None:
    for since, until in _runs(sorted(hours), step=HOUR, most=MOST_HOURS):
        values: Values = {"origin": origin, "since": since, "until": until, "now": now}
        _replace(cursor, StreamHour, STREAMS, values)


def _foretold(dirty: set[datetime], state: RollupState, now: datetime) -> set[datetime]:
    """Hours whose hints a changed reclaim may have followed, and those whose seven days are over now."""
    over = set(_hours(hour_of((state.rolled_up_at or now) - FORETOLD) - HOUR, hour_of(now - FORETOLD) + HOUR))
    return over | {near for hour in dirty for near in _hours(hour - FORETOLD, hour)}


def _do_hints_again(cursor: CursorWrapper, origin: str, hours: set[datetime], now: datetime) -> None:
    for since, until in _runs(sorted(hours), step=HOUR, most=MOST_HOURS):
        values: Values = {"origin": origin, "since": since, "until": until, "now": now}
        _replace(cursor, HintHour, HINTS, values)


def _replace(
    cursor: CursorWrapper, model: type[Any], insert: str, values: Values, *, time: str = "hour"
) -> None:
    """Delete the stretch's rows and write them anew."""
    _clear(cursor, model, values, time=time)
    cursor.execute(insert, values)


def _clear(cursor: CursorWrapper, model: type[Any], values: Values, *, time: str = "hour") -> None:
    cursor.execute(
        f"DELETE FROM {model._meta.db_table} WHERE origin = %(origin)s"  # noqa: S608
        f" AND {time} >= %(since)s AND {time} < %(until)s",
        values,
    )


__all__ = ["DirtyHours", "mark_dirty", "recompute", "roll_up"]
