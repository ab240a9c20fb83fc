"""How often a queued delivery was taken up, known even when every attempt killed its worker.

A marker row naming the whole batch is committed on a second connection before the work, while the batch's
rows are locked; it is removed in the transaction of the work. A marker that is left is a failed attempt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

KEEP = timedelta(days=1)

_MARK = "INSERT INTO feeds_recordattempt (queued_ids, at) VALUES (%s, %s) RETURNING id"
_COUNT = """
SELECT q.id, count(*) FROM feeds_recordattempt a CROSS JOIN LATERAL unnest(a.queued_ids) AS q (id)
WHERE q.id = ANY(%s) GROUP BY q.id
"""
_NARROW = "UPDATE feeds_recordattempt SET queued_ids = %s WHERE id = %s"
_END = "DELETE FROM feeds_recordattempt WHERE id = %s"
_END_ALL = "DELETE FROM feeds_recordattempt WHERE id = %s OR queued_ids <@ %s OR at < %s"


@dataclass(frozen=True, slots=True)
class Tries:
    """One attempt at a batch, and how many there have been at each message, this one included."""

    marker: int
    counts: dict[int, int]


def begin(ids: Sequence[int], *, now: datetime) -> Tries:
    """Leave the mark of an attempt at these messages, outside the caller's transaction."""
    with _aside().cursor() as cursor:
        cursor.execute(_MARK, [list(ids), now])
        marker = int(cursor.fetchone()[0])
        cursor.execute(_COUNT, [list(ids)])
        return Tries(marker=marker, counts=dict(cursor.fetchall()))


def narrow(tries: Tries, only: int) -> None:
    """The attempt is at one message after all; the others were not tried."""
    with _aside().cursor() as cursor:
        cursor.execute(_NARROW, [[only], tries.marker])


def forget(tries: Tries) -> None:
    """The attempt failed for a reason that is not the messages': it does not count."""
    with _aside().cursor() as cursor:
        cursor.execute(_END, [tries.marker])


def end(tries: Tries, done: Sequence[int], *, now: datetime) -> None:
    """Remove the mark together with the work, and what failed attempts left of the same messages."""
    with connection.cursor() as cursor:
        if any(count > 1 for count in tries.counts.values()):
            cursor.execute(_END_ALL, [tries.marker, list(done), now - KEEP])
        else:
            cursor.execute(_END, [tries.marker])


@cache
def _second_connection() -> BaseDatabaseWrapper:
    return connection.copy()


def _aside() -> BaseDatabaseWrapper:
    """The second connection, autocommit; opened anew where the database went away meanwhile."""
    aside = _second_connection()
    aside.settings_dict = connection.settings_dict
    aside.close_if_unusable_or_obsolete()
    return aside
