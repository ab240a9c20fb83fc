"""Which feeds there are and whose secret is whose, kept in memory and never older than a second."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from psycopg_pool import AsyncConnectionPool

from console.accounts.models import hash_secret
from console.feeds.feed_settings import SenderSettings, sender_settings
from console.feeds.normalised import ParseContext, Rejected

FRESH_FOR = 1.0
"""Seconds. A token that is withdrawn opens nothing after this long."""
RELOAD_AT_MOST_EVERY = 0.1

_FEEDS = """
SELECT f.id, f.slug, f.kind, f.origin, f.account, f.region, f.cluster, f.paused_at IS NOT NULL,
       coalesce(array_agg(t.secret_hash) FILTER (WHERE t.id IS NOT NULL), '{}'),
       coalesce(array_agg(t.expires_at) FILTER (WHERE t.id IS NOT NULL), '{}'),
       f.settings, f.most_per_second
FROM feeds_feed f LEFT JOIN feeds_feedtoken t ON t.feed_id = f.id GROUP BY f.id
"""


@dataclass(frozen=True, slots=True)
class KnownFeed:
    """What receiving needs to know of a feed."""

    id: int
    slug: str
    kind: str
    origin: str
    account: str
    region: str
    cluster: str
    is_paused: bool
    secrets: dict[str, datetime | None]
    settings: SenderSettings = field(default_factory=SenderSettings)
    most_per_second: int | None = None

    @property
    def context(self) -> ParseContext:
        """What the feed's configuration says beside a body."""
        return ParseContext(
            account=self.account or None, region=self.region or None, cluster=self.cluster or None
        )

    def opens_to(self, secret_hash: str, *, now: datetime) -> bool:
        if secret_hash not in self.secrets:
            return False
        expires_at = self.secrets[secret_hash]
        return expires_at is None or expires_at > now


class FeedDirectory:
    """The feeds by slug. `authenticate` answers from memory and reloads before it says no."""

    def __init__(self, pool: AsyncConnectionPool) -> None:
        self._pool = pool
        self._feeds: dict[str, KnownFeed] = {}
        self._owners: dict[str, KnownFeed] = {}
        self._loaded_at = -FRESH_FOR
        self._lock = asyncio.Lock()

    async def known(self, slug: str) -> KnownFeed | None:
        """The feed at `slug`, no older than a second; its sender is still to be checked."""
        asked_at = time.monotonic()
        if asked_at - self._loaded_at > FRESH_FOR:
            await self._reload(since=asked_at - FRESH_FOR)
        feed = self._feeds.get(slug)
        if feed is None:
            await self._reload(since=asked_at)
        return self._feeds.get(slug)

    async def authenticate(self, slug: str, secret: str) -> KnownFeed:
        """The feed that `secret` may post to at `slug`; else `Rejected` as unauthenticated or forbidden.

        A no is always said from what the database held after the question was asked.
        """
        asked_at = time.monotonic()
        if asked_at - self._loaded_at > FRESH_FOR:
            await self._reload(since=asked_at - FRESH_FOR)
        secret_hash = hash_secret(secret) if secret else ""
        feed = self._feeds.get(slug)
        if feed is None or not feed.opens_to(secret_hash, now=datetime.now(UTC)):
            await self._reload(since=asked_at)
            feed = self._feeds.get(slug)
        now = datetime.now(UTC)
        if feed is not None and feed.opens_to(secret_hash, now=now):
            return feed
        owner = self._owners.get(secret_hash)
        if owner is not None and owner.slug != slug and owner.opens_to(secret_hash, now=now):
            raise Rejected(
                "forbidden_sender", "This secret belongs to another feed. Post to that feed's address."
            )
        raise Rejected(
            "unauthenticated",
            "No feed at this address takes this secret. Send it as a bearer token, in X-Api-Key,"
            " as the password of Basic, or as ?token=.",
        )

    async def _reload(self, *, since: float) -> None:
        """Read the feeds unless that was begun after `since`. Whoever guesses secrets waits for its turn."""
        async with self._lock:
            if self._loaded_at >= since:
                return
            await asyncio.sleep(max(self._loaded_at + RELOAD_AT_MOST_EVERY - time.monotonic(), 0))
            began_at = time.monotonic()
            async with self._pool.connection() as connection:
                rows = await (await connection.execute(_FEEDS)).fetchall()
            feeds = [_known(row) for row in rows]
            self._feeds = {feed.slug: feed for feed in feeds}
            self._owners = {secret: feed for feed in feeds for secret in feed.secrets}
            self._loaded_at = began_at


def _known(row: tuple[Any, ...]) -> KnownFeed:
    secrets = dict(zip(row[8], row[9], strict=True))
    return KnownFeed(
        row[0],
        row[1],
        row[2],
        row[3],
        row[4],
        row[5],
        row[6],
        row[7],
        secrets,
        sender_settings(row[10]),
        row[11],
    )
