"""How far the two pipelines are behind: what waits in their queues, and since when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.backends.utils import CursorWrapper

MOST_LAG = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Lag:
    """What waits, and for how long the oldest of it has."""

    name: str
    waiting: int
    seconds: float
    resting: int = 0
    """How many of those waiting failed lately and are not tried yet."""


_OLDEST = """
SELECT (SELECT received_at FROM feeds_queueddelivery ORDER BY id LIMIT 1),
       (SELECT at FROM interruptions_interruptionchange ORDER BY id LIMIT 1)
"""
_WAITING = {
    "record": "SELECT count(*), count(*) FILTER (WHERE due_at > %s) FROM feeds_queueddelivery",
    "alert": "SELECT count(*), count(*) FILTER (WHERE due_at > %s) FROM interruptions_interruptionchange",
}


def lags(*, now: datetime) -> list[Lag]:
    """The two queues: deliveries to be recorded, changes to be alerted on. Counted only where something waits."""
    with connection.cursor() as cursor:
        cursor.execute(_OLDEST)
        oldest = dict(zip(_WAITING, cursor.fetchone(), strict=True))
        return [_lag(cursor, name, since, now=now) for name, since in oldest.items()]


def _lag(cursor: CursorWrapper, name: str, oldest: datetime | None, *, now: datetime) -> Lag:
    if oldest is None:
        return Lag(name=name, waiting=0, seconds=0.0)
    cursor.execute(_WAITING[name], [now])
    waiting, resting = cursor.fetchone()
    return Lag(name=name, waiting=waiting, seconds=max((now - oldest).total_seconds(), 0.0), resting=resting)
