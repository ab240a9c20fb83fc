"""Why an empty board is quiet and not deaf."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest

from console.alerts.canary import Canary, last_canary
from console.feeds.health import FeedState, feed_states
from console.feeds.models import Feed
from console.lib.origin import Origin
from console.lib.pages import once


@dataclass(frozen=True, slots=True)
class Quiet:
    """What the feeds and the canary say when a board has nothing to show."""

    feeds: int
    silent: int
    late: int
    paused: int
    last_event_at: datetime | None
    now: datetime
    canary: Canary
    """Looked for only where the board has nothing else to show."""

    @property
    def is_stuck(self) -> bool:
        """Messages came through before, and now do not."""
        return self.canary.sent_at is not None and self.canary.is_late(now=self.now)

    @property
    def heard(self) -> int:
        return self.feeds - self.silent - self.late - self.paused


def feeds_of(request: HttpRequest, origin: Origin) -> list[Feed]:
    """The feeds as the board and the strip above it look at them: read once a request."""
    read: dict[Origin, list[Feed]] = request.__dict__.setdefault("feeds_read", {})
    if origin not in read:
        read[origin] = list(Feed.objects.of_origin(origin).only(*LOOKED_AT))
    return read[origin]


LOOKED_AT = ("expects_within", "paused_at", "resumed_at", "delayed_since", "last_seen_at", "created_at")


def proof_of_quiet(feeds: Sequence[Feed], *, now: datetime) -> Quiet:
    states = Counter(feed_states(feeds, now=now).values())
    return Quiet(
        feeds=len(feeds),
        silent=states[FeedState.SILENT],
        late=states[FeedState.DELAYED],
        paused=states[FeedState.PAUSED],
        last_event_at=max((feed.last_seen_at for feed in feeds if feed.last_seen_at), default=None),
        now=now,
        canary=once(last_canary),
    )
