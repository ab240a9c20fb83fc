"""Events in: authenticate, bound, read, store, and only then answer.

A raw ASGI application under `/ingest/<feed-slug>`. Checks run in the order of `feeds.md` section 10:
size, sender, media type, JSON, shape, mapping. What an authenticated sender sent and could not be taken is
kept in quarantine; of an unauthenticated one nothing is kept.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import msgspec
import psycopg
from django.utils.functional import cached_property
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from console.feeds.normalised import Kind, Reading, Rejected
from console.feeds.reading import MAX_BODY, Item, read_body
from console.ingest.answers import Answer, Counts, answer_batch, answer_single, not_allowed, problem, too_busy
from console.ingest.bells import RECORD
from console.ingest.directory import FeedDirectory, KnownFeed
from console.ingest.lanes import lane_of
from console.ingest.senders import event_grid, google_oidc, sns_signature
from console.ingest.senders.bearer_tokens import BearerTokens, issuer_of
from console.ingest.senders.documents import Fetch
from console.ingest.senders.secret import secret_of
from console.ingest.store import Incoming, Refused, Store, StoreBusy, StoreUnavailable, Submission, Unholdable
from console.ingest.tally import Tally
from console.lib.outgoing import fetch

logger = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

DRAIN_FOR = 10.0
MOST_DRAINED = 32 * MAX_BODY
KEPT_HEADERS = ("content-type", "x-amz-sns-", "aeg-", "ce-")
"""Headers that a parser needs to read the body again."""


@dataclass(frozen=True)
class Request:
    """One POST, read to its end."""

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


class Receiver:
    """The application. Everything it counts in an answer of 2xx is on disk when it answers."""

    def __init__(self, pool: AsyncConnectionPool, fetch: Fetch = fetch) -> None:
        self._sns = sns_signature.Sns(fetch)
        self._tokens = BearerTokens(fetch)
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
        slug = scope["path"].removeprefix("/ingest/").strip("/")
        if scope["method"] == "OPTIONS" and event_grid.ORIGIN in headers:
            return await self._permit(slug, headers)
        if scope["method"] != "POST":
            return not_allowed()
        if int(headers.get("content-length") or 0) > MAX_BODY:
            raise _too_large()
        secret = secret_of(headers, scope["query_string"].decode("latin-1"))
        feed, body = await self._authenticate(slug, secret, headers, receive)
        if feed.is_paused:
            return too_busy("paused feed", retry_after=60)
        check_encoding(headers)
        if body is None:
            body = await _read(receive)
        now = datetime.now(UTC)
        google_oidc.check_subscription(feed, body)
        if feed.kind == "aws-sns":
            sns_signature.check_enveloped_topic(feed, headers, body)
        greeting = event_grid.validation_answer(feed, headers, body)
        greeting = greeting or await self._sns.handshake(feed, headers, body, now=now)
        if greeting is not None:
            return Answer(HTTPStatus.OK, greeting)
        return await self._take(Request(feed=feed, headers=headers, body=body, received_at=now))

    async def _authenticate(
        self, slug: str, secret: str, headers: dict[str, str], receive: Receive
    ) -> tuple[KnownFeed, bytes | None]:
        """The feed, its sender checked one of the ways it takes. The body only where it is what is signed."""
        feed = await self._directory.known(slug)
        if feed is not None and sns_signature.is_signed(feed, headers, secret=secret):
            body = await _read(receive)
            await self._sns.check(feed, body, now=datetime.now(UTC))
            return feed, body
        issuer = issuer_of(feed, headers) if feed is not None else None
        if feed is not None and issuer is not None:
            await self._tokens.check(issuer, feed, headers, now=datetime.now(UTC))
            return feed, None
        return await self._directory.authenticate(slug, secret), None

    async def _permit(self, slug: str, headers: dict[str, str]) -> Answer:
        allowed = event_grid.permission(await self._directory.known(slug), headers)
        return not_allowed() if allowed is None else Answer(HTTPStatus.OK, {}, allowed)

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


def check_encoding(headers: Mapping[str, str]) -> None:
    """A few packed bytes may unfold to gigabytes: nothing packed is taken."""
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding not in ("", "identity"):
        raise Rejected(
            "unsupported_media_type",
            f"Content-Encoding {encoding[:40]!r} is not taken. Send the body as it is, unpacked.",
        )


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
    if any(n.lower() == b"expect" and v.strip().lower() == b"100-continue" for n, v in scope["headers"]):
        return
    dropped = 0
    with suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_FOR):
            while dropped < MOST_DRAINED:
                message = await receive()
                dropped += len(message.get("body", b""))
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return


def _unholdable(error: Unholdable) -> Rejected:
    """The parsers let a text through that the database cannot hold: its bytes are kept in quarantine."""
    said = error.diag.message_primary if isinstance(error, psycopg.Error) else error.reason
    return Rejected("invalid_field", f"The database refuses this: {said or error}")


def _too_large() -> Rejected:
    return Rejected("too_large", "The body is over the limit of 1 MiB. Send fewer messages at a time.")
