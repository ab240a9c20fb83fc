"""How much each feed may send: a bucket of messages a feed, kept in this process's memory.

A bucket fills by the feed's limit a second and holds `BURST` seconds of it. A request is let in while there is
anything in it and pays for all it brings, so a batch of any size passes once and is paid back. What tells of a
reclaim is let in always: it pays too, and so what is quieter waits for it, never the other way round.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from console.feeds.models import MOST_PER_SECOND
from console.ingest.directory import KnownFeed

BURST = 30.0
"""Seconds of its limit that a feed may send at once."""
MOST_DEBT = 10.0
"""Seconds of its limit that a storm can leave a feed in debt: so soon after it the rest is let in again."""


@dataclass(slots=True)
class _Bucket:
    rate: float
    tokens: float
    at: float

    def fill(self, *, rate: float, now: float) -> None:
        if rate != self.rate:  # its settings were changed: begin anew
            self.rate, self.tokens = rate, rate * BURST
        self.tokens = min(self.tokens + (now - self.at) * rate, rate * BURST)
        self.at = now


class FeedLimits:
    """The buckets of all feeds that sent something. `clock` is in seconds and never goes back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[int, _Bucket] = {}

    def wait_of(self, feed: KnownFeed) -> int:
        """Whole seconds until the feed may send again; 0: now."""
        bucket = self._bucket(feed)
        return 0 if bucket.tokens > 0 else max(math.ceil(-bucket.tokens / bucket.rate), 1)

    def charge(self, feed: KnownFeed, messages: int, *, is_urgent: bool) -> None:
        """Let it pay for what was let in. A storm leaves no deeper debt than `MOST_DEBT`."""
        bucket = self._bucket(feed)
        floor = min(bucket.tokens, -bucket.rate * MOST_DEBT) if is_urgent else -math.inf
        bucket.tokens = max(bucket.tokens - messages, floor)

    def _bucket(self, feed: KnownFeed) -> _Bucket:
        rate, now = float(limit_of(feed)), self._clock()
        bucket = self._buckets.setdefault(feed.id, _Bucket(rate, rate * BURST, now))
        bucket.fill(rate=rate, now=now)
        return bucket


def limit_of(feed: KnownFeed) -> int:
    """Messages a second."""
    return feed.most_per_second or MOST_PER_SECOND
