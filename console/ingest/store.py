"""Group commit: requests that arrive together share one transaction, and each is answered after it.

A submission is what one request brought. Its deliveries and its refusals are stored in one transaction,
so an answer of 2xx means that everything it counts is on disk.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import msgspec
import psycopg
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from console.ingest.waiting import Waiting
from console.lib.rows import columns_of

logger = logging.getLogger(__name__)

MOST_ROWS = 500
MOST_BYTES = 1024 * 1024
MOST_WAITING = 10_000
MOST_BYTES_WAITING = 64 * 1024 * 1024
"""What may wait to be stored, in items and in bytes. Beyond this senders are told to come back (`waiting.py`)."""
WRITERS = 2

_STORE = """
WITH incoming AS (
    SELECT i.*, substring(%(bytes)s::bytea FROM body_from FOR body_length) AS body,
           substring(%(bytes)s::bytea FROM reading_from FOR reading_length) AS reading
    FROM unnest(
        %(feed)s::bigint[], %(key)s::text[], %(at)s::timestamptz[], %(origin)s::text[], %(result)s::text[],
        %(note)s::text[], %(headers)s::jsonb[], %(body_from)s::int[], %(body_length)s::int[],
        %(reading_from)s::int[], %(reading_length)s::int[], %(lane)s::int[], %(occurred)s::timestamptz[]
    ) AS i (feed_id, delivery_id, received_at, origin, result, note, headers, body_from, body_length,
        reading_from, reading_length, lane, occurred_at)
), fresh AS (
    INSERT INTO feeds_deliverykey (feed_id, delivery_id, received_at)
    SELECT feed_id, delivery_id, received_at FROM incoming ORDER BY feed_id, delivery_id
    ON CONFLICT DO NOTHING RETURNING id, feed_id, delivery_id
), stored AS (
    INSERT INTO feeds_delivery (id, received_at, feed_id, origin, delivery_id, result, note, occurred_at, headers, body)
    SELECT f.id, i.received_at, i.feed_id, i.origin, i.delivery_id, i.result, i.note, i.occurred_at, i.headers, i.body
    FROM incoming i JOIN fresh f USING (feed_id, delivery_id)
), queued AS (
    INSERT INTO feeds_queueddelivery (delivery_pk, received_at, feed_id, origin, reading, lane)
    SELECT f.id, i.received_at, i.feed_id, i.origin, i.reading, i.lane
    FROM incoming i JOIN fresh f USING (feed_id, delivery_id) WHERE i.reading IS NOT NULL
    ORDER BY f.id
)
SELECT feed_id, delivery_id FROM fresh
"""
_HEARTBEATS = _STORE.replace("feeds_delivery (", "feeds_heartbeatdelivery (").replace(
    "delivery_id, result, note, occurred_at,", "delivery_id,").replace(
    "i.delivery_id, i.result, i.note, i.occurred_at,", "i.delivery_id,")  # fmt: skip
_REFUSE = """
INSERT INTO feeds_quarantineditem AS q
    (origin, feed_id, received_at, last_at, seen_count, code, detail, body_hash, headers, body, state)
SELECT origin, feed_id, at, at, times, code, detail, hash, headers, body, 'held' FROM unnest(
    %(origin)s::text[], %(feed)s::bigint[], %(at)s::timestamptz[], %(times)s::int[], %(code)s::text[],
    %(detail)s::text[], %(hash)s::text[], %(headers)s::jsonb[], %(body)s::bytea[]
) AS r (origin, feed_id, at, times, code, detail, hash, headers, body) ORDER BY feed_id, code, hash
ON CONFLICT (feed_id, code, body_hash) WHERE state = 'held'
DO UPDATE SET seen_count = q.seen_count + excluded.seen_count, last_at = excluded.last_at
"""


class StoreBusy(Exception):
    """Too much waits already, or came that goes first; the item was not stored."""


class StoreUnavailable(Exception):
    """The database could not be reached, or the outcome is not known; the item may be sent again."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """One item to be stored: a delivery with what it says, ready for the queue."""

    feed_id: int
    origin: str
    delivery_id: str
    received_at: datetime
    result: str
    note: str
    headers_json: str
    body: bytes
    reading: bytes | None
    """None where there is nothing to record."""
    lane: int = 0
    occurred_at: datetime | None = None
    is_heartbeat: bool = False

    @property
    def key(self) -> tuple[int, str]:
        return self.feed_id, self.delivery_id


@dataclass(frozen=True, slots=True)
class Refused:
    """One item to be kept in quarantine. Two that differ in time and headers alone are one, seen twice."""

    feed_id: int
    origin: str
    code: str
    body: bytes
    received_at: datetime = field(compare=False)
    detail: str = field(compare=False)
    headers: dict[str, str] = field(compare=False)

    @property
    def body_hash(self) -> str:
        return hashlib.sha256(self.body).hexdigest()


Unholdable = psycopg.DataError | UnicodeEncodeError
"""The item's own fault: the database has no way to hold what it says, however often it comes."""
_UNHOLDABLE = (psycopg.DataError, UnicodeEncodeError)

Kept = bool | Unholdable
"""What became of an item: new, a repeat, or not stored because the database cannot hold it."""


@dataclass(slots=True)
class Submission:
    """What one request brought, and the promise of its answer: what became of each item."""

    items: Sequence[Incoming]
    refused: Sequence[Refused] = ()
    is_urgent: bool = False
    """It tells of a reclaim: stored first, and the last to be turned away."""
    answer: asyncio.Future[list[Kept]] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    @property
    def feed_id(self) -> int:
        """All that one request brings is of one feed."""
        return (self.items[0] if self.items else self.refused[0]).feed_id

    @property
    def size(self) -> int:
        return len(self.items) + len(self.refused)

    @property
    def byte_count(self) -> int:
        return sum(len(i.body) for i in self.items) + sum(len(r.body) for r in self.refused)

    def parts(self) -> tuple[Submission, Submission]:
        """Items and refusals apart; else two halves of what there is."""
        if self.items and self.refused:
            return Submission(self.items), Submission([], self.refused)
        i, r = len(self.items) // 2, len(self.refused) // 2
        return Submission(self.items[:i], self.refused[:r]), Submission(self.items[i:], self.refused[r:])


class Store:
    """A bounded line and a few writers that empty it in groups."""

    def __init__(self, pool: AsyncConnectionPool) -> None:
        self._pool = pool
        self._waiting: Waiting[Submission] = Waiting(most_rows=MOST_WAITING, most_bytes=MOST_BYTES_WAITING)
        self._unanswered = 0
        self._wake = asyncio.Event()
        self._writers: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._writers = [asyncio.create_task(self._write_forever()) for _ in range(WRITERS)]

    async def stop(self) -> None:
        """Finish what was submitted, then end."""
        while self._unanswered:
            await asyncio.sleep(0.01)
        for writer in self._writers:
            writer.cancel()
        await asyncio.gather(*self._writers, return_exceptions=True)

    async def put(self, submission: Submission) -> list[Kept]:
        """Store what a request brought. Returns, item by item, what became of it."""
        if not submission.size:
            return []
        for gone in self._waiting.put(submission):
            _settle(gone, StoreBusy())
        self._wake.set()
        self._unanswered += 1
        try:
            return await submission.answer
        finally:
            self._unanswered -= 1

    async def _write_forever(self) -> None:
        while True:
            await self._wake.wait()
            group = self._waiting.take(most_rows=MOST_ROWS, most_bytes=MOST_BYTES)
            if group:
                await self._commit(group)
            else:
                self._wake.clear()

    async def _commit(self, group: list[Submission]) -> None:
        try:
            fresh = await self._write(group)
        except _UNHOLDABLE as error:
            logger.warning("store.data_error", extra={"error": str(error), "submissions": len(group)})
            for submission in group:
                await (self._commit([submission]) if len(group) > 1 else self._isolate(submission, error))
        except (psycopg.IntegrityError, psycopg.ProgrammingError) as error:
            # Our fault and no item's: a schema by half, or a feed that is removed while its sender posts.
            logger.error("store.refused", extra={"error": str(error), "submissions": len(group)})
            for submission in group:
                if len(group) > 1:
                    await self._commit([submission])
                else:
                    _settle(submission, StoreUnavailable())
        except (psycopg.Error, PoolTimeout, OSError) as error:
            logger.warning("store.unavailable", extra={"error": str(error), "submissions": len(group)})
            for submission in group:
                _settle(submission, StoreUnavailable())
        except Exception as error:
            logger.exception("store.failed")
            for submission in group:
                _settle(submission, error)
        else:
            for submission in group:
                _settle(submission, _mark_fresh(submission, fresh))

    async def _isolate(self, submission: Submission, error: Unholdable) -> None:
        """Halve a request until what the database cannot hold stands alone; all else is stored, items first."""
        if submission.size == 1:
            await self._give_up(submission, error)
            return
        kept: list[Kept] = []
        for part in submission.parts():
            await self._commit([part])
            failure = part.answer.exception()
            if isinstance(failure, Exception):
                _settle(submission, failure)
                return
            kept += part.answer.result()
        _settle(submission, kept)

    async def _give_up(self, submission: Submission, error: Unholdable) -> None:
        """One item is answered with what stands against it; of one refusal the bytes are kept, if nothing else."""
        if submission.items:
            _settle(submission, [error])
            return
        (refused,) = submission.refused
        if refused.detail or refused.headers:
            bare = Submission([], [replace(refused, detail="", headers={})])
            await self._commit([bare])
            _settle(submission, bare.answer.exception() or [])
        else:
            logger.error("store.refusal_lost", extra={"error": str(error), "feed": refused.feed_id})
            _settle(submission, [])

    async def _write(self, group: list[Submission]) -> set[tuple[int, str]]:
        items = {item.key: item for submission in reversed(group) for item in reversed(submission.items)}
        ordered = [items[key] for key in sorted(items)]
        refused = Counter(refusal for submission in group for refusal in submission.refused)
        statements = storing(ordered)
        fresh: set[tuple[int, str]] = set()
        async with self._pool.connection() as connection:
            if len(statements) == 1 and not refused:
                return set(await (await connection.execute(*statements[0])).fetchall())
            async with connection.transaction():
                for statement in statements:
                    fresh |= set(await (await connection.execute(*statement)).fetchall())
                if refused:
                    await connection.execute(*refusing(refused))
        return fresh


def _settle(submission: Submission, outcome: list[Kept] | BaseException) -> None:
    if submission.answer.done():
        return
    if isinstance(outcome, BaseException):
        submission.answer.set_exception(outcome)
    else:
        submission.answer.set_result(outcome)


def _mark_fresh(submission: Submission, fresh: set[tuple[int, str]]) -> list[Kept]:
    """The first mention of a key takes its newness; every later one is a repeat."""
    marks: list[Kept] = []
    for item in submission.items:
        marks.append(item.key in fresh)
        fresh.discard(item.key)
    return marks


def storing(items: Sequence[Incoming]) -> list[tuple[str, dict[str, Any]]]:
    """The statements that store these and answer the keys of those that are new."""
    plain = [item for item in items if not item.is_heartbeat]
    beats = [item for item in items if item.is_heartbeat]
    statements = [(_STORE, _columns(plain))] if plain else []
    return [*statements, (_HEARTBEATS, _columns(beats))] if beats else statements


def refusing(times: Counter[Refused]) -> tuple[str, dict[str, Any]]:
    """The statement that keeps these in quarantine, each with how often it came."""
    return _REFUSE, _refusals(times)


_TYPES = {
    "feed": "bigint",
    "key": "text",
    "at": "timestamptz",
    "origin": "text",
    "result": "text",
    "note": "text",
    "headers": "jsonb",
    "body_from": "int",
    "body_length": "int",
    "reading_from": "int",
    "reading_length": "int",
    "lane": "int",
    "occurred": "timestamptz",
}


def _columns(items: Sequence[Incoming]) -> dict[str, Any]:
    """Arrays of values; all bodies and readings as one run of bytes, which PostgreSQL cuts where it is told."""
    rows: list[tuple[Any, ...]] = []
    run: list[bytes] = []
    end = 1
    for item in items:
        body, reading = item.body, item.reading
        after = end + len(body)
        has_work = reading is not None
        rows.append(
            (
                item.feed_id,
                item.delivery_id,
                item.received_at,
                item.origin,
                item.result,
                item.note,
                item.headers_json,
                end,
                len(body),
                after if has_work else None,
                len(reading) if reading is not None else None,
                item.lane,
                item.occurred_at,
            )
        )
        run += (body, reading or b"")
        end = after + len(reading or b"")
    columns = dict(zip(_TYPES, columns_of(rows, _TYPES.values()), strict=True))
    return columns | {"bytes": b"".join(run)}


def _refusals(times: Counter[Refused]) -> dict[str, Any]:
    refused = list(times)
    return {
        "times": list(times.values()),
        "origin": [r.origin for r in refused],
        "feed": [r.feed_id for r in refused],
        "at": [r.received_at for r in refused],
        "code": [r.code for r in refused],
        "detail": [r.detail[:500] for r in refused],
        "hash": [r.body_hash for r in refused],
        "headers": [Jsonb(r.headers, dumps=msgspec.json.encode) for r in refused],
        "body": [r.body for r in refused],
    }
