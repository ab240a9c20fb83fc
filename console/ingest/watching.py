"""Watching clusters: a thread a stream asks, one thread a feed stores what was told.

Nothing is remembered beside the database: after a crash everything is listed anew, events that are stored already
are repeats by their ids, and machines that went meanwhile are ended by the first list that lacks them. Two watchers
of one feed do no harm; a session lock keeps it to one.
"""

from __future__ import annotations

import logging
import os
import queue
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import TypeVar

from django.db import InterfaceError, OperationalError, close_old_connections, connection
from django.utils import timezone

from console.feeds.feed_settings import sender_settings
from console.feeds.models import Feed, FeedKind
from console.feeds.pollers.kubernetes_api import Access, Api, NotConfigured, access_of
from console.feeds.pollers.kubernetes_state import Cluster
from console.feeds.pollers.kubernetes_watch import RESOURCES, News, Resource, Stream
from console.fleet.inventory import InventoryRow, check_inventory, take_inventory
from console.fleet.models import RunningInterval
from console.fleet.workloads import WorkloadRow, check_workloads, take_workloads
from console.ingest.directory import KnownFeed
from console.ingest.fetched import take
from console.ingest.watch_standing import Standing
from console.lib.problems import Problem
from console.lib.pushed import MAX_ROWS, Batch

logger = logging.getLogger(__name__)

_Found = TypeVar("_Found")
MOST_WAITING = 2_000
GATHER = 1.0
"""Seconds in which news are gathered before they are written."""
WHOLE_EVERY = 60.0
"""Seconds after which all machines and workloads are told again: what is not told grows stale."""
HEARD_EVERY = 10.0
"""Seconds between two notes that the feed is heard, where no event says so."""
GONE_AFTER = timedelta(minutes=2)
"""How long a machine may be missing from the nodes before it counts as gone: another list may know it sooner."""
LOOK_EVERY = 5.0
"""Seconds after which a feed is looked at again: it may have been paused, changed or removed."""

CALL = "calls/watch_kubernetes"
"""Under CONSOLE_VAR; empty, it is there or it is not."""

_LOCK = "SELECT pg_try_advisory_lock(hashtext('ingest.watching'), %s)"


def watched_feeds(slug: str = "") -> list[Feed]:
    """Feeds to be watched: of this kind, not paused, and told whom to ask."""
    feeds = Feed.objects.filter(kind=FeedKind.KUBERNETES_WATCH, paused_at=None, test_of=None)
    feeds = feeds.filter(slug=slug) if slug else feeds
    return [feed for feed in feeds.order_by("slug") if _access(feed) is not None]


def _access(feed: Feed) -> Access | None:
    try:
        return access_of(sender_settings(feed.settings), environ=os.environ)
    except NotConfigured:
        return None


def call_for_a_watch(var: Path) -> bool:
    """Lay down the file by which `manage.py up` knows that a cluster is to be watched, or take it away."""
    call = var / CALL
    if watched_feeds():
        call.parent.mkdir(parents=True, exist_ok=True)
        call.touch()
        return True
    call.unlink(missing_ok=True)
    return False


def known(feed: Feed) -> KnownFeed:
    return KnownFeed(
        feed.pk, feed.slug, feed.kind, feed.origin, feed.account, feed.region, feed.cluster, False, {}
    )


class Watch:
    """One feed, from the first list until it is paused, changed or `ending`."""

    def __init__(self, feed: Feed, *, ending: Event) -> None:
        access = _access(feed)
        assert access is not None, "only feeds that are told whom to ask are watched"
        self._feed = known(feed)
        self._asked_as = (feed.settings, feed.account, feed.region, feed.cluster)
        self._api = Api(access)
        self._standing = Standing(feed.pk, access.server)
        self._ending = ending
        self._over = Event()
        self._news: queue.Queue[News] = queue.Queue(MOST_WAITING)
        self.cluster = Cluster(feed.cluster, account=feed.account)
        self._heard_at = 0.0

    def run(self) -> None:
        """Until it is over. Every failure of the database is waited out: nothing told is dropped."""
        streams = [Thread(target=self._follow, args=[one], daemon=True) for one in RESOURCES]
        looked_at = whole_at = -WHOLE_EVERY
        try:
            while self._is_on():
                now = time.monotonic()
                if now - looked_at >= LOOK_EVERY:
                    if not self._outlast(self._is_ours):
                        return
                    looked_at = now
                    for stream in streams:
                        stream.start()
                    streams = []
                is_whole = now - whole_at >= WHOLE_EVERY and self.cluster.is_listed("nodes")
                whole_at = now if is_whole else whole_at
                self._outlast_writing(self._gather(), is_whole=is_whole)
        finally:
            self._over.set()
            _let_go()

    def _is_on(self) -> bool:
        return not self._ending.is_set() and not self._over.is_set()

    # Asking --------------------------------------------------------------------------------------

    def _follow(self, resource: Resource) -> None:
        Stream(self._api, resource, emit=self._emit, rest=self._rest).follow(self._is_on)

    def _emit(self, news: News) -> None:
        while self._is_on():
            try:
                self._news.put(news, timeout=0.5)
                return
            except queue.Full:
                continue

    def _rest(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while self._is_on() and (left := until - time.monotonic()) > 0:
            self._over.wait(min(left, 0.5))

    def _gather(self) -> list[News]:
        found: list[News] = []
        until = time.monotonic() + GATHER
        while self._is_on() and len(found) < MOST_WAITING and (left := until - time.monotonic()) > 0:
            try:
                found.append(self._news.get(timeout=min(left, 0.2)))
            except queue.Empty:
                continue
        return found

    # Writing -------------------------------------------------------------------------------------

    def _outlast_writing(self, found: Sequence[News], *, is_whole: bool) -> None:
        now = timezone.now()
        events = [
            raw
            for news in found
            if news.resource == "events" and news.what != "removed"
            for raw in news.objects
        ]
        for news in found:
            if news.resource != "events" and news.what in ("listed", "changed", "removed"):
                self.cluster.take(news, now=now)
        self._standing.take(found)
        self._outlast(lambda: self._standing.write(now=now))
        is_heard = any(news.what not in ("denied", "failed") for news in found)
        if events or (is_heard and time.monotonic() - self._heard_at >= HEARD_EVERY):
            self._outlast(lambda: take(self._feed, events, now=now))
            self._heard_at = time.monotonic()
        rows = self.cluster.inventory(is_whole=is_whole)
        if is_whole:
            rows += self._outlast(lambda: gone_nodes(self.cluster, origin=self._feed.origin, now=now)) or []
        self._outlast(lambda: put_inventory(rows, origin=self._feed.origin, now=now))
        states = self.cluster.workloads(at=now, is_whole=is_whole)
        self._outlast(lambda: put_workloads(states, origin=self._feed.origin, now=now))

    def _is_ours(self) -> bool:
        """Still wanted as it is, and nobody else's."""
        feed = Feed.objects.filter(pk=self._feed.id, paused_at=None).first()
        if feed is None or (feed.settings, feed.account, feed.region, feed.cluster) != self._asked_as:
            return False
        with connection.cursor() as cursor:
            cursor.execute(_LOCK, [feed.pk])
            return bool(cursor.fetchone()[0])

    def _outlast(self, act: Callable[[], _Found]) -> _Found | None:
        """Do it, again and again while the database is away; None where the watch ended meanwhile."""
        while self._is_on():
            try:
                return act()
            except (OperationalError, InterfaceError, Problem) as error:
                logger.warning(
                    "kubernetes_watch.waits", extra={"feed": self._feed.slug, "error": str(error)[:300]}
                )
                if connection.connection is not None and not isinstance(error, Problem):
                    connection.close()
                self._rest(1.0)
        return None


def _let_go() -> None:
    """Give the lock back at once: closing alone lets the server take its time."""
    with suppress(OperationalError, InterfaceError), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock_all()")
    connection.close()


def gone_nodes(cluster: Cluster, *, origin: str, now: datetime) -> list[InventoryRow]:
    """Machines of this cluster that still count as running, and are no longer among its nodes."""
    running = RunningInterval.objects.filter(
        origin=origin,
        ended_at=None,
        machine__cluster=cluster.name,
        machine__merged_into=None,
        machine__listed_at__lt=now - GONE_AFTER,
    ).exclude(machine__node_name__in=["", *cluster.node_names])
    if not cluster.name:
        return []
    return [
        InventoryRow(
            provider=interval.machine.provider or None,
            account=interval.machine.account or None,
            instance_id=interval.machine.instance_id or None,
            node_name=interval.machine.node_name,
            cluster=cluster.name,
            ended_at=now,
        )
        for interval in running.select_related("machine")
    ]


def put_inventory(rows: Sequence[InventoryRow], *, origin: str, now: datetime) -> None:
    for start in range(0, len(rows), MAX_ROWS):
        batch = Batch(list(enumerate(rows[start : start + MAX_ROWS])))
        check_inventory(batch, now=now)
        for error in batch.errors[:10]:
            logger.warning(
                "kubernetes_watch.node_left_out", extra={"field": error.field, "error": error.detail}
            )
        if batch.rows:
            take_inventory(batch, origin=origin, now=now)


def put_workloads(rows: Sequence[WorkloadRow], *, origin: str, now: datetime) -> None:
    for start in range(0, len(rows), MAX_ROWS):
        batch = Batch(list(enumerate(rows[start : start + MAX_ROWS])))
        check_workloads(batch, now=now)
        take_workloads(batch, origin=origin)


def watch_all(*, slug: str = "", ending: Event, is_kept: bool) -> None:
    """Watch every feed there is to watch, each in its thread, until `ending`.

    Where it is not `is_kept`, it ends as soon as nothing is left to watch.
    """
    running: dict[int, Thread] = {}
    while not ending.is_set():
        try:
            feeds = watched_feeds(slug)
        except (OperationalError, InterfaceError) as error:
            logger.warning("kubernetes_watch.no_database", extra={"error": str(error)})
            close_old_connections()
            ending.wait(LOOK_EVERY)
            continue
        running = {pk: thread for pk, thread in running.items() if thread.is_alive()}
        for feed in feeds:
            if feed.pk not in running:
                running[feed.pk] = Thread(target=Watch(feed, ending=ending).run, name=feed.slug)
                running[feed.pk].start()
        if not running and not feeds and not is_kept:
            return
        ending.wait(LOOK_EVERY)
    for thread in running.values():
        thread.join(timeout=3)
