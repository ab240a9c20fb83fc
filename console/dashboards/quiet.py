"""Why an empty board is quiet and not deaf."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from console.alerts.canary import Canary, last_canary
from console.feeds.health import FeedState, feed_states
from console.feeds.models import Feed
from console.lib.origin import Origin


@dataclass(frozen=True, slots=True)
class Quiet:
    """What the feeds and the canary say when a board has nothing to show."""

    feeds: int
    silent: int
    late: int
    paused: int
    last_event_at: datetime | None
    canary: Canary
    is_stuck: bool
    """Messages came through before, and now do not."""

    @property
    def is_deaf(self) -> bool:
        return self.feeds == 0 or self.silent > 0 or self.is_stuck

    @property
    def heard(self) -> int:
        return self.feeds - self.silent - self.late - self.paused


def proof_of_quiet(*, origin: Origin, now: datetime) -> Quiet:
    feeds = list(Feed.objects.of_origin(origin))
    states = Counter(feed_states(feeds, now=now).values())
    canary = last_canary()
    return Quiet(
        feeds=len(feeds),
        silent=states[FeedState.SILENT],
        late=states[FeedState.DELAYED],
        paused=states[FeedState.PAUSED],
        last_event_at=max((feed.last_seen_at for feed in feeds if feed.last_seen_at), default=None),
        canary=canary,
        is_stuck=canary.sent_at is not None and canary.is_late(now=now),
    )
