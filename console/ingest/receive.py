"""Events in: authenticate, bound, read, store, and only then answer.

A raw ASGI application under `/ingest/<feed-slug>`. Checks run in the order of `feeds.md` section 10:
size, sender, media type, JSON, shape, mapping. What an authenticated sender sent and could not be taken is
kept in quarantine; of an unauthenticated one nothing is kept.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import suppress
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from console.feeds.normalised import Rejected
from console.feeds.reading import MAX_BODY
from console.ingest.answers import (
    Answer,
    answer_batch,
    answer_single,
    not_allowed,
    over_limit,
    problem,
    too_busy,
)
from console.ingest.directory import FeedDirectory, KnownFeed
from console.ingest.limiting import FeedLimits, limit_of
from console.ingest.senders import event_grid, google_oidc, sns_signature
from console.ingest.senders.bearer_tokens import BearerTokens, issuer_of
from console.ingest.senders.documents import Fetch
from console.ingest.senders.secret import secret_of
from console.ingest.store import StoreBusy, StoreUnavailable
from console.ingest.taking import Request, Taking, read, tells_of_a_reclaim
from console.lib.outgoing import fetch

logger = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

DRAIN_FOR = 10.0
MOST_DRAINED = 32 * MAX_BODY


class Receiver:
    """The application. Everything it counts in an answer of 2xx is on disk when it answers."""

    def __init__(self, pool: AsyncConnectionPool, fetch: Fetch = fetch) -> None:
        self._sns = sns_signature.Sns(fetch)
        self._tokens = BearerTokens(fetch)
        self._directory = FeedDirectory(pool)
        self._taking = Taking(pool)
        self._limits = FeedLimits()

    def start(self) -> None:
        self._taking.start()

    async def stop(self) -> None:
        await self._taking.stop()

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
        """Store it, unless its feed sends too much; a reclaim is stored however much that is."""
        feed, wait = request.feed, self._limits.wait_of(request.feed)
        body = read(request)
        is_urgent = tells_of_a_reclaim(body)
        if wait and not is_urgent:
            self._taking.turn_away(request, body)
            return over_limit(feed.kind, per_second=limit_of(feed), retry_after=wait)
        self._limits.charge(feed, len(body.items), is_urgent=is_urgent)
        counts = await self._taking.keep(request, body, is_urgent=is_urgent)
        return answer_batch(counts) if body.is_answered_with_counts else answer_single(counts)


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


def _too_large() -> Rejected:
    return Rejected("too_large", "The body is over the limit of 1 MiB. Send fewer messages at a time.")
