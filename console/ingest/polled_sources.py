"""Which sources are to be polled, with what way in, and how the polling of each goes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg_pool import AsyncConnectionPool

from console.feeds.feed_settings import sender_settings
from console.feeds.pollers.source import ADDRESSES, Wanted
from console.ingest.directory import KnownFeed
from console.lib.live import CHANNEL, announcement
from console.lib.sealing import CannotUnseal, unseal

_FEEDS = """
SELECT id, slug, kind, origin, account, region, cluster, settings, sealed FROM feeds_feed
WHERE paused_at IS NULL AND kind = ANY(%s::text[])
"""
_ANY = """
SELECT EXISTS (
    SELECT 1 FROM feeds_feed WHERE paused_at IS NULL AND kind = ANY(%s::text[])
    AND (jsonb_array_length(coalesce(settings->'queue_urls', '[]')) > 0
        OR jsonb_array_length(coalesce(settings->'subscriptions', '[]')) > 0)
)
"""
_SUCCEEDED = """
INSERT INTO feeds_polledsource AS s (feed_id, address, asked_at, reason)
SELECT id, %(address)s, %(now)s, '' FROM feeds_feed WHERE id = %(feed)s
ON CONFLICT (feed_id, address) DO UPDATE
SET asked_at = excluded.asked_at, failing_since = NULL, reason = '', retry_at = NULL
"""
_FAILED = """
INSERT INTO feeds_polledsource AS s (feed_id, address, failing_since, reason, retry_at)
SELECT id, %(address)s, %(now)s, %(reason)s, %(retry_at)s FROM feeds_feed WHERE id = %(feed)s
ON CONFLICT (feed_id, address) DO UPDATE
SET failing_since = coalesce(s.failing_since, excluded.failing_since), reason = excluded.reason,
    retry_at = excluded.retry_at
"""
KINDS = [str(kind) for kind in ADDRESSES]
ANY_WANTED: tuple[str, list[Any]] = (_ANY, [KINDS])
"""The question whether anything is to be polled at all, and its parameters."""


class PolledSources:
    """Read and written by every process that polls."""

    def __init__(self, pool: AsyncConnectionPool) -> None:
        self._pool = pool

    async def wanted(self) -> dict[tuple[int, str], tuple[KnownFeed, Wanted]]:
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(_FEEDS, [KINDS])).fetchall()
        found: dict[tuple[int, str], tuple[KnownFeed, Wanted]] = {}
        for row in rows:
            feed = KnownFeed(
                row[0], row[1], row[2], row[3], row[4], row[5], row[6], False, {}, sender_settings(row[7])
            )
            secrets = _opened(row[8])
            for address in ADDRESSES[feed.kind](feed.settings):
                one = Wanted(feed.kind, address, feed.region, feed.settings, secrets)
                found[feed.id, address] = feed, one
        return found

    async def succeeded(self, feed_id: int, address: str, *, now: datetime) -> None:
        await self._write(_SUCCEEDED, {"feed": feed_id, "address": address, "now": now})

    async def failed(
        self, feed_id: int, address: str, *, reason: str, retry_at: datetime, now: datetime
    ) -> None:
        said = reason.replace("\0", "")[:300] or "No reason was given."
        await self._write(
            _FAILED, {"feed": feed_id, "address": address, "reason": said, "retry_at": retry_at, "now": now}
        )

    async def _write(self, statement: str, values: dict[str, Any]) -> None:
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute(statement, values)
            await connection.execute("SELECT pg_notify(%s, %s)", [CHANNEL, announcement(["feeds"])])


def _opened(sealed: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """A secret whose key is lost counts as missing: the vendor's refusal then says so on the feed's page."""
    opened = []
    for name, text in sorted(sealed.items()):
        try:
            opened.append((name, unseal(text)))
        except CannotUnseal:
            continue
    return tuple(opened)
