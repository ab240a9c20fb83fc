"""How the watching of a cluster goes, for the feed's page: since when it fails and why, or when it last answered."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from console.feeds.models import Feed, PolledSource
from console.feeds.pollers.kubernetes_watch import News
from console.lib.live import announce

SAY_EVERY = timedelta(seconds=10)
"""Between two notes that it answers, where nothing else changed."""


class Standing:
    """Of one API server. It fails while anything that cannot be done without fails."""

    def __init__(self, feed_id: int, address: str) -> None:
        self._feed_id = feed_id
        self._address = address[:400]
        self._failing: dict[str, News] = {}
        self._is_heard = False
        self._written: tuple[str, datetime] | None = None

    def take(self, found: Iterable[News]) -> None:
        for news in found:
            if news.what == "failed":
                self._failing[news.resource] = news
            elif news.what != "denied":
                self._failing.pop(news.resource, None)
                self._is_heard = True

    def write(self, *, now: datetime) -> None:
        """Only where there is something new to say. What another server's watch left is taken away."""
        failing = self._failing.get("events") or next(iter(self._failing.values()), None)
        reason = failing.reason.replace("\0", "")[:300] if failing else ""
        if not failing and not self._is_heard:
            return
        if self._written and self._written[0] == reason and now - self._written[1] < SAY_EVERY:
            return
        if not Feed.objects.filter(pk=self._feed_id).exists():
            return
        mine = PolledSource.objects.filter(feed_id=self._feed_id)
        mine.exclude(address=self._address).delete()
        before = mine.filter(address=self._address).values_list("failing_since", flat=True).first()
        said = {
            "reason": reason,
            "failing_since": (before or now) if failing else None,
            "retry_at": now + timedelta(seconds=failing.again_in) if failing else None,
        } | ({"asked_at": now} if not failing else {})
        mine.update_or_create(feed_id=self._feed_id, address=self._address, defaults=said)
        if not self._written or self._written[0] != reason:
            announce("feeds")
        self._written = (reason, now)
