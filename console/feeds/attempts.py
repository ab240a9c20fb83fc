"""How often queued work was taken up, known even when every attempt killed its worker; and when it may be next.

A marker row naming the whole batch is committed on a second connection before the work, while the batch's
rows are locked; it is removed in the transaction of the work. A marker that is left is a failed attempt.
Each failure doubles the time until the next attempt; it stands on the queue's own row (`due_at`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, connection
from django.db.backends.utils import CursorWrapper
from psycopg_pool import PoolTimeout

from console.lib.rows import as_table, run

logger = logging.getLogger(__name__)

KEEP = timedelta(days=1)
FIRST_DELAY = timedelta(seconds=0.5)
LONGEST_DELAY = timedelta(minutes=1)

# Not waiting for the disk: what a crash of the database takes away was no attempt that killed a worker.
_MARK = """
WITH unhurried AS (SELECT set_config('synchronous_commit', 'off', true))
INSERT INTO feeds_pipelineattempt (pipeline, queued_ids, at) SELECT %s, %s::bigint[], %s FROM unhurried RETURNING id
"""
_COUNT = """
SELECT q.id, count(*) + 1, max(a.at)
FROM feeds_pipelineattempt a CROSS JOIN LATERAL unnest(a.queued_ids) AS q (id)
WHERE a.pipeline = %s AND q.id = ANY(%s) GROUP BY q.id
"""
_FORGET = "DELETE FROM feeds_pipelineattempt WHERE id = ANY(%s)"
_STRIKE = """
UPDATE feeds_pipelineattempt
SET queued_ids = ARRAY(SELECT unnest(queued_ids) EXCEPT SELECT unnest(%(done)s::bigint[]))
WHERE pipeline = %(pipeline)s AND queued_ids && %(done)s::bigint[]
"""
_CLEAR = "DELETE FROM feeds_pipelineattempt WHERE queued_ids = '{}' OR at < %s"
# The rows are nobody's now: another worker may hold some of them again, and those are left to it.
_PUT_OFF = """
UPDATE {queue} SET put_off_count = least(put_off_count + 1, 1000),
    due_at = %(now)s + least(%(first)s * power(2::float8, least(put_off_count, 30)), %(longest)s)
WHERE id IN (SELECT id FROM {queue} WHERE id = ANY(%(ids)s) ORDER BY id FOR UPDATE SKIP LOCKED)
"""
_PUT_OFF_UNTIL = "UPDATE {queue} q SET due_at = u.due_at FROM {until} WHERE q.id = u.id"

_unforgotten: set[int] = set()
"""Markers of attempts that do not count, kept until the database is there again to remove them."""


def delay(failures: int) -> timedelta:
    """How long work rests that failed so often."""
    return min(FIRST_DELAY * 2 ** min(max(failures - 1, 0), 30), LONGEST_DELAY) if failures else timedelta()


class Attempt:
    """One attempt at a batch of a queue, and how many there have been at each row, this one included."""

    def __init__(self, pipeline: str, *, queue: str) -> None:
        self.counts: dict[int, int] = {}
        self._last_at: dict[int, datetime] = {}
        self._pipeline = pipeline
        self._queue = queue
        self._marker: int | None = None
        self._ids: list[int] = []

    def look(self, ids: Sequence[int]) -> None:
        """See how often these rows were tried. Nothing counts as an attempt yet."""
        self._ids = list(ids)
        self.counts = dict.fromkeys(self._ids, 1)
        with _second_connection() as cursor:
            _make_up_for(cursor)
            cursor.execute(_COUNT, [self._pipeline, self._ids])
            rows = cursor.fetchall()
        self.counts.update({pk: count for pk, count, _ in rows})
        self._last_at = {pk: last_at for pk, _, last_at in rows}

    def begin(self, ids: Sequence[int], *, now: datetime) -> None:
        """Leave the mark of an attempt at these of them, outside the caller's transaction.

        Only rows that are worked on are marked: a worker that dies before counts against nothing.
        """
        self._ids = list(ids)
        with _second_connection() as cursor:
            cursor.execute(_MARK, [self._pipeline, self._ids, now])
            self._marker = int(cursor.fetchone()[0])

    def resting(self, *, now: datetime) -> dict[int, datetime]:
        """Rows whose workers died so lately that it is too early for another attempt, and until when."""
        until = {pk: at + delay(self.counts[pk] - 1) for pk, at in self._last_at.items()}
        return {pk: due_at for pk, due_at in until.items() if due_at > now}

    def forget(self) -> None:
        """The attempt failed for a reason that is not the rows': it does not count."""
        if self._marker is None:
            return
        _unforgotten.add(self._marker)
        try:
            with _second_connection() as cursor:
                _make_up_for(cursor)
        except (DatabaseError, PoolTimeout, OSError) as error:
            logger.warning("pipeline.attempt_kept", extra={"error": str(error)})

    def put_off(self, *, now: datetime) -> None:
        """Let the rows rest, after the work was rolled back; each time twice as long as the time before.

        Where the database is gone this is too, and whoever comes next finds out whether it is there again.
        """
        values: dict[str, Any] = {
            "now": now,
            "ids": self._ids,
            "first": FIRST_DELAY,
            "longest": LONGEST_DELAY,
        }
        try:
            with _second_connection() as cursor:
                cursor.execute(_PUT_OFF.format(queue=self._queue), values)
        except (DatabaseError, PoolTimeout, OSError) as error:
            logger.warning("pipeline.not_put_off", extra={"error": str(error)})

    def put_off_until(self, until: Mapping[int, datetime]) -> None:
        """Let rows rest that this worker holds, as part of its transaction."""
        table, values = as_table(sorted(until.items()), {"id": "bigint", "due_at": "timestamptz"}, name="u")
        run(_PUT_OFF_UNTIL.format(queue=self._queue, until=table), values)

    def end(self, done: Sequence[int], *, now: datetime) -> None:
        """Remove the mark together with the work, and what failed attempts left of the same rows."""
        with connection.cursor() as cursor:
            if any(count > 1 for count in self.counts.values()):
                cursor.execute(_STRIKE, {"done": list(done), "pipeline": self._pipeline})
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
