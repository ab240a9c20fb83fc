"""How feeds are: heard, quiet, or deaf. Quiet is a feed that owes nothing; silent is one that does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import models
from django.db.models import Count, Sum

from console.feeds.models import Feed, FeedHour, QuarantinedItem

RECENT = timedelta(hours=1)
DAY = 24
COUNTS = ("accepted", "duplicates", "ignored", "unrecognised", "rejected", "heartbeats", "turned_away")


class FeedState(models.TextChoices):
    """Worked out, never stored: what a feed's times say now."""

    HEALTHY = "healthy", "Healthy"
    QUIET = "quiet", "Quiet"
    SILENT = "silent", "Silent"
    DELAYED = "delayed", "Late"
    PAUSED = "paused", "Paused"
    WAITING = "waiting", "Waiting for the first message"


def feed_state(feed: Feed, *, now: datetime) -> FeedState:
    """Paused before all; silent where it owes a message; late; then how long ago it was heard."""
    if feed.paused_at is not None:
        return FeedState.PAUSED
    if feed.is_silent(now=now):
        return FeedState.SILENT
    if feed.delayed_since is not None:
        return FeedState.DELAYED
    if feed.last_seen_at is None:
        return FeedState.WAITING
    if feed.expects_within is not None or now - feed.last_seen_at <= RECENT:
        return FeedState.HEALTHY
    return FeedState.QUIET


def feed_states(feeds: Iterable[Feed], *, now: datetime) -> dict[int, FeedState]:
    """The state of each feed by its id. Asks the database nothing."""
    return {feed.pk: feed_state(feed, now=now) for feed in feeds}


@dataclass(slots=True)
class FeedFigures:
    """What a feed did: hour by hour over a day, and since the hour before this one began."""

    since: datetime
    hours: list[dict[str, int]] = field(default_factory=list)
    held: int = 0

    @property
    def is_turned_away(self) -> bool:
        """Whether the feed was told to come back in this hour or the last."""
        return self.recent["turned_away"] > 0

    @property
    def recent(self) -> dict[str, int]:
        return {name: sum(hour[name] for hour in self.hours[-2:]) for name in COUNTS}

    @property
    def day(self) -> dict[str, int]:
        return {name: sum(hour[name] for hour in self.hours) for name in COUNTS}


def feed_figures(feeds: Sequence[Feed], *, now: datetime) -> dict[int, FeedFigures]:
    """The figures of each feed by its id; two queries however many there are."""
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    start = this_hour - timedelta(hours=DAY - 1)
    figures = {
        feed.pk: FeedFigures(since=this_hour - RECENT, hours=[dict.fromkeys(COUNTS, 0) for _ in range(DAY)])
        for feed in feeds
    }
    rows = FeedHour.objects.filter(feed__in=figures, hour__gte=start, hour__lte=this_hour)
    for row in rows:
        place = int((row.hour - start) / timedelta(hours=1))
        figures[row.feed_id].hours[place] = {name: getattr(row, name) for name in COUNTS}
    held = QuarantinedItem.objects.held().filter(feed__in=figures).values("feed_id")
    for feed_id, count in held.annotate(n=Count("pk")).order_by("feed_id").values_list("feed_id", "n"):
        figures[feed_id].held = count
    return figures


def total_since(feed: Feed, *, since: datetime) -> dict[str, int]:
    """The counts of a feed from the hour of `since` on."""
    sums = feed.hours.filter(hour__gte=since.replace(minute=0, second=0, microsecond=0)).aggregate(
        **{name: Sum(name, default=0) for name in COUNTS}
    )
    return {name: int(sums[name]) for name in COUNTS}
