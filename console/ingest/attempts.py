"""How often a queued delivery was taken up, known even when every attempt killed its worker.

A marker row naming the whole batch is committed on a second connection before the work, while the batch's
rows are locked; it is removed in the transaction of the work. A marker that is left is a failed attempt.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import DatabaseError, connection
from django.db.backends.utils import CursorWrapper
from psycopg_pool import PoolTimeout

logger = logging.getLogger(__name__)

KEEP = timedelta(days=1)

# Not waiting for the disk: what a crash of the database takes away was no attempt that killed a worker.
_MARK = """
WITH unhurried AS (SELECT set_config('synchronous_commit', 'off', true))
INSERT INTO feeds_recordattempt (queued_ids, at) SELECT %s::bigint[], %s FROM unhurried RETURNING id
"""
_COUNT = """
SELECT q.id, count(*) FROM feeds_recordattempt a CROSS JOIN LATERAL unnest(a.queued_ids) AS q (id)
WHERE q.id = ANY(%s) GROUP BY q.id
"""
_NARROW = "UPDATE feeds_recordattempt SET queued_ids = %s WHERE id = %s"
_FORGET = "DELETE FROM feeds_recordattempt WHERE id = ANY(%s)"
_STRIKE = """
UPDATE feeds_recordattempt SET queued_ids = ARRAY(SELECT unnest(queued_ids) EXCEPT SELECT unnest(%(done)s::bigint[]))
WHERE queued_ids && %(done)s::bigint[]
"""
_CLEAR = "DELETE FROM feeds_recordattempt WHERE queued_ids = '{}' OR at < %s"

_unforgotten: set[int] = set()
"""Markers of attempts that do not count, kept until the database is there again to remove them."""


class Attempt:
    """One attempt at a batch, and how many there have been at each message, this one included."""

    def __init__(self) -> None:
        self.counts: dict[int, int] = {}
        self._marker: int | None = None

    def begin(self, ids: Sequence[int], *, now: datetime) -> None:
        """Leave the mark of an attempt at these messages, outside the caller's transaction."""
        with _second_connection() as cursor:
            _make_up_for(cursor)
            cursor.execute(_MARK, [list(ids), now])
            self._marker = int(cursor.fetchone()[0])
            cursor.execute(_COUNT, [list(ids)])
            self.counts = dict(cursor.fetchall())

    def narrow(self, only: int) -> None:
        """The attempt is at one message after all; the others were not tried."""
        with _second_connection() as cursor:
            cursor.execute(_NARROW, [[only], self._marker])

    def forget(self) -> None:
        """The attempt failed for a reason that is not the messages': it does not count."""
        if self._marker is None:
            return
        _unforgotten.add(self._marker)
        try:
            with _second_connection() as cursor:
                _make_up_for(cursor)
        except (DatabaseError, PoolTimeout, OSError) as error:
            logger.warning("ingest.attempt_kept", extra={"error": str(error)})

    def end(self, done: Sequence[int], *, now: datetime) -> None:
        """Remove the mark together with the work, and what failed attempts left of the same messages."""
        with connection.cursor() as cursor:
            if any(count > 1 for count in self.counts.values()):
                cursor.execute(_STRIKE, {"done": list(done)})
                cursor.execute(_CLEAR, [now - KEEP])
            else:
                cursor.execute(_FORGET, [[self._marker]])


def _make_up_for(cursor: CursorWrapper) -> None:
    if _unforgotten:
        forgotten = list(_unforgotten)
        cursor.execute(_FORGET, [forgotten])
        _unforgotten.difference_update(forgotten)


@contextmanager
def _second_connection() -> Iterator[CursorWrapper]:
    """Another connection of the pool, autocommit, given back at once."""
    aside = connection.copy()
    try:
        with aside.cursor() as cursor:
            yield cursor
    finally:
        aside.close()
