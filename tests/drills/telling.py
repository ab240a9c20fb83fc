"""The sample fleet told to the console as its player tells it, without the wire."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from django.db import connection, transaction

from console.alerts import pipeline as alerting
from console.drills.sample.history import History
from console.drills.sample.lanes import Post
from console.drills.setting_up import ORDERS
from console.feeds.models import Feed
from console.feeds.normalised import Reading
from console.feeds.reading import read_body
from console.fleet.inventory import InventoryRow, check_inventory, take_inventory
from console.fleet.workloads import WorkloadRow, take_workloads
from console.ingest import pipeline
from console.ingest.directory import KnownFeed
from console.ingest.store import storing
from console.ingest.taking import Request
from console.lib.pushed import judge
from console.slo.counting import RequestRow, take_requests
from console.slo.episodes import sum_episodes


def tell_inventory(rows: Sequence[dict[str, Any]], *, now: datetime) -> None:
    batch = judge(rows, InventoryRow)
    check_inventory(batch, now=now)
    assert not batch.errors
    take_inventory(batch, origin="sample", now=now)


def tell_workloads(rows: Sequence[dict[str, Any]]) -> None:
    batch = judge(rows, WorkloadRow)
    assert not batch.errors
    take_workloads(batch, origin="sample")
    assert not batch.warnings


def tell_requests(rows: Sequence[dict[str, Any]], *, now: datetime) -> None:
    batch = judge(rows, RequestRow)
    take_requests(batch, origin="sample", now=now)
    assert not batch.errors
    sum_episodes(now=now)


def tell_feeds(posts: Iterable[Post], *, now: datetime) -> None:
    """Stored as receiving stores them, recorded and alerted on."""
    by_feed: dict[str, list[dict[str, Any]]] = {}
    for post in posts:
        by_feed.setdefault(post.lane, []).append(post.body)
    for lane, bodies in by_feed.items():
        feed = Feed.objects.get(slug=ORDERS[lane].slug)
        store(feed, bodies, now=now)
    while pipeline.record_batch(now=now):
        pass
    alerting.alert(now=now)


def store(feed: Feed, bodies: list[dict[str, Any]], *, now: datetime) -> None:
    known = KnownFeed(feed.pk, feed.slug, feed.kind, feed.origin, "", "", "", False, {})
    raw = msgspec.json.encode(bodies)
    request = Request(known, {"content-type": "application/json"}, raw, now)
    body = read_body(
        raw,
        kind=feed.kind,
        content_type="application/json",
        headers={},
        context=known.context,
        received_at=now,
    )
    items = {}
    for item in body.items:
        if isinstance(item.outcome, Reading):
            incoming = request.incoming(item.raw, item.outcome)
            items.setdefault(incoming.key, incoming)
    with transaction.atomic(), connection.cursor() as cursor:
        for sql, columns in storing([items[key] for key in sorted(items)]):
            cursor.execute(sql, columns)
            cursor.fetchall()


def tell_past(history: History, *, batches: int, now: datetime) -> None:
    tell_inventory(history.running, now=now)
    tell_inventory(history.past, now=now)
    for batch in history.batches[:batches]:
        tell_feeds(batch, now=now)
