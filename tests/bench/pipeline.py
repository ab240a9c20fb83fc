"""Record and alert by two workers, against raw inserts."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

from django.db import connection

from console.alerts.models import GroupMember
from console.feeds.models import Feed, FeedKind, QueuedDelivery
from console.feeds.normalised import Reading
from console.feeds.reading import read_body
from console.fleet.models import AttributionRule, Service
from console.ingest.directory import KnownFeed
from console.ingest.store import storing
from console.ingest.taking import Request
from console.interruptions.models import Interruption, InterruptionChange
from tests.bench import floors
from tests.bench.figure import Figure
from tests.bench.messages import REGIONS, life

MACHINES = 6_000
WORKERS = 2
LIMIT = 0.15
_WORK = """
import gc
import sys
import django
django.setup()
from django.utils import timezone
from console.alerts import pipeline as alerting
from console.ingest import pipeline
gc.collect()
gc.freeze()  # as the hands do
print("ready", flush=True)
sys.stdin.readline()
idle = 0
while idle < 3:
    done = pipeline.record_batch(now=timezone.now())
    done += alerting.alert_batch(now=timezone.now())
    idle = 0 if done else idle + 1
"""


def recorded() -> Figure:
    """Deliveries a second, claimed, recorded and correlated by two workers ÷ rows of raw inserts of 1,000."""
    before = floors.multi_row_inserts(seconds=3.0)
    deliveries = _fill()
    workers = [_start() for _ in range(WORKERS)]
    started = time.perf_counter()
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write(b"go\n")
        worker.stdin.flush()
    while InterruptionChange.objects.exists() or QueuedDelivery.objects.exists():
        time.sleep(0.05)
    seconds = time.perf_counter() - started
    for worker in workers:
        worker.communicate(timeout=60)
    floor = (before + floors.multi_row_inserts(seconds=3.0)) / 2
    members = GroupMember.objects.filter(group__key__startswith="service:")
    assert Interruption.objects.count() == members.count() == MACHINES
    return Figure(deliveries / seconds, floor, LIMIT, {"deliveries": deliveries, "workers": WORKERS})


def _start() -> subprocess.Popen[bytes]:
    worker = subprocess.Popen(
        [sys.executable, "-c", _WORK], env=os.environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert worker.stdout is not None
    assert worker.stdout.readline() == b"ready\n"
    return worker


def _fill() -> int:
    """Reclaims of many machines within minutes, their messages mixed as feeds mix them."""
    feed = Feed.objects.create(slug="bench", name="Bench", kind=FeedKind.AWS_EVENTBRIDGE, origin="test")
    for place, region in enumerate(REGIONS, start=1):
        service = Service.objects.create(slug=f"service-{place}", name=f"Service {place}", origin="test")
        AttributionRule.objects.create(origin="test", position=place, region=region, service=service)
    now = datetime.now(UTC)
    told: list[tuple[float, bytes]] = []
    for number in range(MACHINES):
        begin = number / 20
        messages = life(number, "p", at=now - timedelta(seconds=400) + timedelta(seconds=begin))
        told += [
            (begin + 40 * place + random.Random(number).random() * 30, body)
            for place, body in enumerate(messages)
        ]
    bodies = [body for _, body in sorted(told)]
    known = KnownFeed(feed.pk, feed.slug, feed.kind, feed.origin, "", "", "", False, {})
    for start in range(0, len(bodies), 1_000):
        _store(known, bodies[start : start + 1_000], now=now)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return len(bodies)


def _store(feed: KnownFeed, bodies: list[bytes], *, now: datetime) -> None:
    items = []
    for body in bodies:
        request = Request(feed, {"content-type": "application/json"}, body, now)
        (item,) = read_body(body, kind=feed.kind, content_type="application/json", headers={},
                            context=feed.context, received_at=now).items  # fmt: skip
        assert isinstance(item.outcome, Reading), item.outcome
        items.append(request.incoming(item.raw, item.outcome))
    with connection.cursor() as cursor:
        for sql, columns in storing(sorted(items, key=lambda item: item.key)):
            cursor.execute(sql, columns)
