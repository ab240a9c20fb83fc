"""A silent or late feed is a group for its owner, `feed_silent:<feed>`; it closes by itself when the feed is heard.

Whom it is told is the rule's, `feed_silent`: a ticket, unless somebody says otherwise.
"""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import transaction

from console.alerts.findings import close_finding, open_finding
from console.alerts.models import Severity
from console.alerts.touched import Found
from console.feeds.models import Feed, FeedEventKind
from console.feeds.watching import Change, watch
from console.lib.live import announce

logger = logging.getLogger(__name__)

PREFIX = "feed_silent:"
OVER = {
    FeedEventKind.HEARD: "The feed is heard again",
    FeedEventKind.EXCUSED: "The feed owes nothing any more: it was paused, or given more time",
    FeedEventKind.IN_TIME: "Its messages come in time again",
}


@transaction.atomic
def watch_feeds(*, now: datetime) -> list[Change]:
    """Note what changed about feeds, and open or close their groups: all of it or nothing, once per change."""
    changes = watch(now=now)
    if not changes:
        return []
    kinds = {change.feed_id: change.kind for change in changes}  # the last of several counts
    for feed in Feed.objects.filter(pk__in=kinds).select_related("team").order_by("pk"):
        _tell(feed, kinds[feed.pk], now=now)
        logger.info("feed.changed", extra={"feed": feed.slug, "kind": kinds[feed.pk].value})
    announce("feeds")
    return changes


def _tell(feed: Feed, kind: FeedEventKind, *, now: datetime) -> None:
    key = PREFIX + feed.slug
    if feed.silent_since is None and feed.delayed_since is None:
        close_finding(key, text=OVER.get(kind, OVER[FeedEventKind.HEARD]), now=now, origin=feed.origin)
        return
    title = f"{feed.name} is {'silent' if feed.silent_since else 'late'}"
    open_finding(
        key,
        title=title,
        text=_text(feed),
        severity=Severity.WARNING,
        now=now,
        origin=feed.origin,
        detector="feed_silent",
        team_id=feed.team_id,
        found=Found(inputs={"feed": feed.slug, "last_seen_at": _iso(feed.last_seen_at)}),
    )


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _text(feed: Feed) -> str:
    owner = f"For {feed.team}" if feed.team else "Nobody owns this feed: name a team in its settings"
    if feed.silent_since is None:
        return f"Half of its messages come more than 5 minutes late, so reclaims are seen too late. {owner}."
    heard = f"last message {feed.last_seen_at:%-d %b %H:%M} UTC" if feed.last_seen_at else "no message ever"
    return (
        f"It owes a message every {feed.expects_within_text}; {heard}. "
        f"What it would tell is not seen: look at its sender. {owner}."
    )
