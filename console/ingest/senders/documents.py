"""Certificates and keys of vendors, fetched off the event loop, remembered, and never asked for in a rush."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from console.lib.outgoing import CannotFetch, fetch

logger = logging.getLogger(__name__)

Fetch = Callable[..., bytes]
MOST_KEPT = 64
FAILED_FOR = 10.0
"""Seconds in which an address that failed is not asked again: strangers decide how often we are asked."""


class Documents:
    """Bodies by address, each as old as the asker bears. A failure leaves what is there as it is."""

    def __init__(self, fetch: Fetch = fetch) -> None:
        self._fetch = fetch
        self._kept: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._failed: OrderedDict[str, float] = OrderedDict()
        self._lock = asyncio.Lock()

    async def get(self, url: str, *, is_allowed: Callable[[str], bool], max_age: float) -> bytes:
        """The body; CannotFetch where there is none. One at a time: a rush of strangers waits in line."""
        body = self._fresh(url, max_age)
        if body is None:
            async with self._lock:
                body = self._fresh(url, max_age)
                if body is None:
                    body = await self._ask(url, is_allowed)
        return body

    def _fresh(self, url: str, max_age: float) -> bytes | None:
        if url in self._kept:
            at, body = self._kept[url]
            if time.monotonic() - at < max_age:
                return body
        if url in self._failed and time.monotonic() - self._failed[url] < FAILED_FOR:
            raise CannotFetch(f"{url[:120]} could not be fetched a moment ago")
        return None

    async def _ask(self, url: str, is_allowed: Callable[[str], bool]) -> bytes:
        try:
            body = await asyncio.to_thread(self._fetch, url, is_allowed=is_allowed)
        except CannotFetch as error:
            logger.warning("senders.cannot_fetch", extra={"url": url[:200], "error": str(error)})
            self._failed[url] = time.monotonic()
            _bound(self._failed)
            raise
        self._kept[url] = (time.monotonic(), body)
        self._kept.move_to_end(url)
        _bound(self._kept)
        return body


def _bound(kept: OrderedDict[str, Any]) -> None:
    while len(kept) > MOST_KEPT:
        kept.popitem(last=False)
