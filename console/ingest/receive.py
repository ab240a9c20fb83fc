"""Events in: authenticate, bound, read, store, and only then answer.

A raw ASGI application under `/ingest/<feed-slug>`. Checks run in the order of `feeds.md` section 10:
size, sender, media type, JSON, shape, mapping. What an authenticated sender sent and could not be taken is
kept in quarantine; of an unauthenticated one nothing is kept.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from console.feeds.normalised import Reading, Rejected
from console.feeds.reading import MAX_BODY, Item, read_body
from console.ingest.answers import Answer, Counts, answer_batch, answer_single, not_allowed, problem, too_busy
from console.ingest.bells import RECORD
from console.ingest.directory import FeedDirectory, KnownFeed, secret_of
from console.ingest.store import Incoming, Refused, Store, StoreBusy, StoreUnavailable, Submission
from console.ingest.tally import Tally

logger = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

DRAIN_FOR = 10.0
MOST_DRAINED = 32 * MAX_BODY
KEPT_HEADERS = ("content-type", "x-amz-sns-", "aeg-", "ce-")
"""Headers that a parser needs to read the body again."""


@dataclass(frozen=True, slots=True)
class Request:
    """One POST, read to its end."""

    feed: KnownFeed
    headers: dict[str, str]
    body: bytes
    received_at: datetime

    @property
    def kept_headers(self) -> dict[str, str]:
        return {name: value for name, value in self.headers.items() if name.startswith(KEPT_HEADERS)}

    def refuse(self, body: bytes, rejected: Rejected) -> Refused:
        return Refused(
            feed_id=self.feed.id,
            origin=self.feed.origin,
            code=rejected.code,
            body=body,
            received_at=self.received_at,
            detail=rejected.detail,
            headers=self.kept_headers,
        )

    def incoming(self, body: bytes, reading: Reading) -> Incoming:
        has_work = bool(reading.events or reading.facts or reading.machine)
        return Incoming(
            feed_id=self.feed.id,
            origin=self.feed.origin,
            delivery_id=reading.delivery_id,
            received_at=self.received_at,
            result=reading.result.value,
            note=reading.note[:200],
            headers=self.kept_headers,
            body=body,
            reading=msgspec.json.encode(reading) if has_work else None,
            occurred_at=reading.occurred_at,
            is_heartbeat=reading.is_heartbeat,
        )


class Receiver:
    """The application. Everything it counts in an answer of 2xx is on disk when it answers."""

    def __init__(self, pool: AsyncConnectionPool) -> None:
        self._directory = FeedDirectory(pool)
        self._store = Store(pool)
        self._tally = Tally(pool)

    def start(self) -> None:
        self._store.start()
        self._tally.start()

    async def stop(self) -> None:
        await self._store.stop()
        await self._tally.stop()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            answer = await self._answer(scope, receive)
        except Rejected as rejected:
            answer = problem(rejected)
            if rejected.code == "too_large":
                await _drain(scope, receive)
        except StoreBusy:
            answer = too_busy("queue", retry_after=1)
        except (StoreUnavailable, PoolTimeout, psycopg.OperationalError):
            answer = too_busy("database", retry_after=5)
        except asyncio.CancelledError:
            raise
        except Exception:
            logger.exception("receive.failed", extra={"path": scope["path"]})
            answer = too_busy("console", retry_after=5)
        await answer.send(send)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        if scope["method"] != "POST":
            return not_allowed()
        if int(headers.get("content-length") or 0) > MAX_BODY:
            raise _too_large()
        slug = scope["path"].removeprefix("/ingest/").strip("/")
        query = scope["query_string"].decode("latin-1")
        feed = await self._directory.authenticate(slug, secret_of(headers, query))
        if feed.is_paused:
            return too_busy("paused feed", retry_after=60)
        body = await _read(receive)
        request = Request(feed=feed, headers=headers, body=body, received_at=datetime.now(UTC))
        return await self._take(request)

    async def _take(self, request: Request) -> Answer:
        feed = request.feed
        body = read_body(
            request.body,
            kind=feed.kind,
            content_type=request.headers.get("content-type", ""),
            headers=request.headers,
            context=feed.context,
            received_at=request.received_at,
        )
        counts = await self._keep(request, body.items)
        self._tally.count(feed.id, counts, now=request.received_at)
        return answer_batch(counts) if body.is_answered_with_counts else answer_single(counts)

    async def _keep(self, request: Request, items: Sequence[Item]) -> Counts:
        """Store every item of one request in one transaction, and count what became of each."""
        taken: list[tuple[Item, Reading]] = []
        refused: list[Refused] = []
        counts = Counts()
        for item in items:
            if isinstance(item.outcome, Rejected):
                refused.append(request.refuse(item.raw, item.outcome))
                counts.reject(item.index, item.outcome)
            else:
                taken.append((item, item.outcome))
        incoming = [request.incoming(item.raw, reading) for item, reading in taken]
        kept = await self._store.put(Submission(incoming, refused))
        if any(is_new is True and item.reading for is_new, item in zip(kept, incoming, strict=True)):
            RECORD.ring()
        unholdable: list[Refused] = []
        for (item, reading), is_new in zip(taken, kept, strict=True):
            if isinstance(is_new, psycopg.Error):
                rejected = _unholdable(is_new)
                unholdable.append(request.refuse(item.raw, rejected))
                counts.reject(item.index, rejected)
            elif is_new:
                counts.take(reading)
            else:
                counts.duplicates += 1
                self._tally.saw_again(request.feed, reading, now=request.received_at)
        if unholdable:
            await self._store.put(Submission([], unholdable))
        return counts


async def _read(receive: Receive) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Rejected("malformed_json", "The body ended early. Send it again.")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MAX_BODY:
            raise _too_large()
        if not message.get("more_body", False):
            return b"".join(parts)


async def _drain(scope: Scope, receive: Receive) -> None:
    """Take in, for a while, what still comes of a body too large, and drop it.

    A sender that writes to the end before it reads would meet a closed connection instead of its answer.
    One that asks first (`Expect: 100-continue`) is not told to go on.
    """
    if (b"expect", b"100-continue") in scope["headers"]:
        return
    dropped = 0
    with suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_FOR):
            while dropped < MOST_DRAINED:
                message = await receive()
                dropped += len(message.get("body", b""))
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return


def _unholdable(error: psycopg.Error) -> Rejected:
    """The parsers let a text through that the database cannot hold: its bytes are kept in quarantine."""
    return Rejected("invalid_field", f"The database refuses this: {error.diag.message_primary}")


def _too_large() -> Rejected:
    return Rejected("too_large", "The body is over the limit of 1 MiB. Send fewer messages at a time.")
