"""What is counted beside the messages: when a feed and its machines were last heard, and how often.

Kept in memory and written once a second, and told to the open pages with it. A crash costs at most that second
of counts, never a message.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from console.feeds.normalised import MachineRef, Reading, Result
from console.ingest.answers import Counts
from console.ingest.directory import KnownFeed
from console.lib.live import CHANNEL, announcement

logger = logging.getLogger(__name__)

WRITE_EVERY = 1.0
TELL_EVERY = 10.0
"""Seconds between two tellings that feeds are heard, where nothing but the time of their last message moved."""
AFTER_A_PAUSE = timedelta(seconds=30)
"""A feed that was not heard for so long is told of at once."""
_FIELDS = ("accepted", "duplicates", "ignored", "unrecognised", "rejected", "heartbeats", "turned_away")

_HOURS = f"""
INSERT INTO feeds_feedhour AS h (feed_id, hour, {", ".join(_FIELDS)})
SELECT u.* FROM unnest(%s::bigint[], %s::timestamptz[], {", ".join(["%s::int[]"] * len(_FIELDS))}) AS u (feed_id)
JOIN feeds_feed f ON f.id = u.feed_id ORDER BY u.feed_id
ON CONFLICT (feed_id, hour) DO UPDATE SET {", ".join(f"{f} = h.{f} + excluded.{f}" for f in _FIELDS)}
"""  # noqa: S608
_SEEN = """
UPDATE feeds_feed f SET last_seen_at = greatest(f.last_seen_at, s.seen),
    last_accepted_at = greatest(f.last_accepted_at, s.accepted)
FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[]) AS s (id, seen, accepted) WHERE f.id = s.id
"""
_TOUCH = """
INSERT INTO feeds_queueddelivery (delivery_pk, received_at, feed_id, origin, reading)
SELECT 0, u.* FROM unnest(%s::timestamptz[], %s::bigint[], %s::text[], %s::bytea[])
    AS u (received_at, feed_id, origin, reading)
JOIN feeds_feed f ON f.id = u.feed_id
"""
"""A feed may be removed while its last messages are counted: the others' counts must not suffer."""


class Touch(NamedTuple):
    """When a machine was last spoken of by a repeat, and when it was alive."""

    at: datetime
    heartbeat_at: datetime | None = None


class Tally:
    """Counts by feed and hour, and machines that were named again by a repeat."""

    def __init__(self, pool: AsyncConnectionPool) -> None:
        self._pool = pool
        self._hours: dict[tuple[int, datetime], Counts] = defaultdict(Counts)
        self._seen: dict[int, datetime] = {}
        self._accepted: dict[int, datetime] = {}
        self._touched: dict[tuple[int, str, MachineRef], Touch] = {}
        self._heard: dict[int, datetime] = {}
        self._told_at = 0.0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._write_forever())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._write()

    def count(self, feed_id: int, counts: Counts, *, now: datetime) -> None:
        hour = self._hours[feed_id, now.replace(minute=0, second=0, microsecond=0)]
        for name in _FIELDS:
            setattr(hour, name, getattr(hour, name) + getattr(counts, name))
        self._seen[feed_id] = now
        if counts.accepted:
            self._accepted[feed_id] = now

    def saw_again(self, feed: KnownFeed, reading: Reading, *, now: datetime) -> None:
        """A repeat says nothing new, except that its machine was spoken of again, and that it lives.

        A watcher that polls the same answer again and again says so with the same words each time.
        """
        for event in reading.events:
            self._touch(feed, event.machine, Touch(now))
        if reading.machine is not None and (reading.heartbeat_at or not reading.events):
            self._touch(feed, reading.machine, Touch(now, reading.heartbeat_at))

    def _touch(self, feed: KnownFeed, machine: MachineRef, touch: Touch) -> None:
        if machine.identifier:
            self._touched[feed.id, feed.origin, machine] = touch

    async def _write_forever(self) -> None:
        while True:
            await asyncio.sleep(WRITE_EVERY)
            await self._write()

    async def _write(self) -> None:
        hours, seen, accepted, touched = self._hours, self._seen, self._accepted, self._touched
        if not seen and not touched:
            return
        self._hours, self._seen, self._accepted, self._touched = defaultdict(Counts), {}, {}, {}
        try:
            async with self._pool.connection() as connection, connection.transaction():
                await connection.execute(_HOURS, _hour_columns(hours))
                ids = sorted(seen)
                await connection.execute(_SEEN, [ids, [seen[i] for i in ids], [accepted.get(i) for i in ids]])
                if touched:
                    await connection.execute(_TOUCH, _touch_columns(touched))
                topics = self._topics(hours, seen)
                await connection.execute("SELECT pg_notify(%s, %s)", [CHANNEL, announcement(topics)])
        except (psycopg.Error, PoolTimeout, OSError) as error:
            logger.warning("tally.lost", extra={"error": str(error), "feeds": len(seen)})

    def _topics(
        self, hours: Mapping[tuple[int, datetime], Counts], seen: Mapping[int, datetime]
    ) -> Iterator[str]:
        """Every second what is counted; that feeds are heard at once after a pause, else now and then."""
        yield "deliveries"
        if any(counts.rejected for counts in hours.values()):
            yield "quarantine"
        is_back = any(
            feed_id not in self._heard or at - self._heard[feed_id] > AFTER_A_PAUSE
            for feed_id, at in seen.items()
        )
        self._heard.update(seen)
        if is_back or time.monotonic() - self._told_at > TELL_EVERY:
            self._told_at = time.monotonic()
            yield "feeds"


def counting(feed_id: int, counts: Counts, *, now: datetime) -> list[tuple[str, list[Any]]]:
    """The statements that count one taking at once, for what does not come through the front door."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    accepted = now if counts.accepted else None
    return [(_HOURS, _hour_columns({(feed_id, hour): counts})), (_SEEN, [[feed_id], [now], [accepted]])]


def _hour_columns(hours: dict[tuple[int, datetime], Counts]) -> list[Any]:
    keys = sorted(hours)
    counts = [[getattr(hours[key], name) for key in keys] for name in _FIELDS]
    return [[key[0] for key in keys], [key[1] for key in keys], *counts]


def _touch_columns(touched: dict[tuple[int, str, MachineRef], Touch]) -> list[object]:
    def said(machine: MachineRef, touch: Touch) -> bytes:
        reading = Reading(
            delivery_id="", result=Result.IGNORED, machine=machine, heartbeat_at=touch.heartbeat_at
        )
        return msgspec.json.encode(reading)

    return [
        [touch.at for touch in touched.values()],
        [feed_id for feed_id, _, _ in touched],
        [origin for _, origin, _ in touched],
        [said(machine, touch) for (_, _, machine), touch in touched.items()],
    ]
