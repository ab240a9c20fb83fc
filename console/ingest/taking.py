"""What one request of an authenticated sender brings: read, stored in one transaction, counted, and told on.

The front door and the pollers take alike; they differ in how a message comes and how it is answered.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec
import psycopg
from django.utils.functional import cached_property
from psycopg_pool import AsyncConnectionPool

from console.feeds.normalised import Kind, Reading, Rejected
from console.feeds.reading import Body, Item, read_body
from console.ingest.answers import Counts
from console.ingest.bells import RECORD
from console.ingest.directory import KnownFeed
from console.ingest.lanes import lane_of
from console.ingest.store import Incoming, Refused, Store, StoreBusy, Submission, Unholdable
from console.ingest.tally import Tally

KEPT_HEADERS = ("content-type", "x-amz-sns-", "aeg-", "ce-")
"""Headers that a parser needs to read the body again."""


@dataclass(frozen=True)
class Request:
    """One body, read to its end."""

    feed: KnownFeed
    headers: dict[str, str]
    body: bytes
    received_at: datetime

    @cached_property
    def kept_headers(self) -> dict[str, str]:
        return {name: value for name, value in self.headers.items() if name.startswith(KEPT_HEADERS)}

    @cached_property
    def kept_headers_json(self) -> str:
        """Written once for all items of the request."""
        return msgspec.json.encode(self.kept_headers).decode()

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
        is_work = any(event.kind is not Kind.HEARTBEAT for event in reading.events)
        has_work = bool(is_work or reading.facts or reading.machine)
        return Incoming(
            feed_id=self.feed.id,
            origin=self.feed.origin,
            delivery_id=reading.delivery_id,
            received_at=self.received_at,
            result=reading.result.value,
            note=reading.note[:200],
            headers_json=self.kept_headers_json,
            body=body,
            reading=msgspec.json.encode(reading) if has_work else None,
            occurred_at=reading.occurred_at,
            lane=lane_of(reading),
            is_heartbeat=reading.is_heartbeat,
        )


class Taking:
    """Everything it counts is on disk when it says so."""

    def __init__(self, pool: AsyncConnectionPool) -> None:
        self._store = Store(pool)
        self._tally = Tally(pool)

    def start(self) -> None:
        self._store.start()
        self._tally.start()

    async def stop(self) -> None:
        await self._store.stop()
        await self._tally.stop()

    async def take(self, request: Request) -> tuple[Body, Counts]:
        """Read a body and keep all of it: what this counts is on disk, as a delivery or in quarantine."""
        body = read(request)
        return body, await self.keep(request, body, is_urgent=tells_of_a_reclaim(body))

    async def keep(self, request: Request, body: Body, *, is_urgent: bool) -> Counts:
        """Keep all of a body that was read."""
        try:
            counts = await self._keep(request, body, is_urgent=is_urgent)
        except StoreBusy:
            self.turn_away(request, body)
            raise
        self._tally.count(request.feed.id, counts, now=request.received_at)
        return counts

    def turn_away(self, request: Request, body: Body) -> None:
        """Count what is not taken now: its sender is told to come back."""
        self._tally.count(request.feed.id, Counts(turned_away=len(body.items)), now=request.received_at)

    async def set_aside(self, request: Request, rejected: Rejected) -> None:
        """Keep a body in quarantine that could not be taken otherwise."""
        counts = Counts()
        counts.reject(0, rejected)
        await self._store.put(Submission([], [request.refuse(request.body, rejected)]))
        self._tally.count(request.feed.id, counts, now=request.received_at)

    async def _keep(self, request: Request, body: Body, *, is_urgent: bool) -> Counts:
        """Store every item of one request in one transaction, and count what became of each."""
        taken: list[tuple[Item, Reading]] = []
        refused: list[Refused] = []
        counts = Counts()
        for item in body.items:
            if isinstance(item.outcome, Rejected):
                refused.append(request.refuse(item.raw, item.outcome))
                counts.reject(item.index, item.outcome)
            else:
                taken.append((item, item.outcome))
        incoming = [request.incoming(item.raw, reading) for item, reading in taken]
        kept = await self._store.put(Submission(incoming, refused, is_urgent=is_urgent))
        if any(is_new is True and item.reading for is_new, item in zip(kept, incoming, strict=True)):
            RECORD.ring()
        unholdable: list[Refused] = []
        for (item, reading), is_new in zip(taken, kept, strict=True):
            if isinstance(is_new, Exception):
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


def read(request: Request) -> Body:
    """What a body says, item by item."""
    return read_body(
        request.body,
        kind=request.feed.kind,
        content_type=request.headers.get("content-type", ""),
        headers=request.headers,
        context=request.feed.context,
        received_at=request.received_at,
    )


def tells_of_a_reclaim(body: Body) -> bool:
    """Whether any of it may open an interruption now; what an archive sends again has time."""
    return any(
        event.may_open
        for item in body.items
        if isinstance(item.outcome, Reading) and not item.outcome.is_replay
        for event in item.outcome.events
    )


def _unholdable(error: Unholdable) -> Rejected:
    """The parsers let a text through that the database cannot hold: its bytes are kept in quarantine."""
    said = error.diag.message_primary if isinstance(error, psycopg.Error) else error.reason
    return Rejected("invalid_field", f"The database refuses this: {said or error}")
