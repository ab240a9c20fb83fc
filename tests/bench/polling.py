"""Two polling processes that drain a queue of a local double of SQS."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field

import psutil
from django.db.models import Sum

from console.feeds.models import Delivery, Feed, FeedHour, FeedKind
from console.lib.sealing import seal
from tests.ingest.polling_double import KEY, KEY_ID, Queues, double, warning

QUEUES = [f"bench-{number}" for number in range(10)]
EACH = 100  # the double takes longer for each message, the more of them wait in a queue
MESSAGES = EACH * len(QUEUES)
POLLERS = 2
WITHIN = 240.0


@dataclass(frozen=True)
class Drained:
    """Messages a second, and how many were worked twice."""

    rate: float
    duplicates: int
    more: dict[str, object] = field(default_factory=dict)

    @property
    def is_ok(self) -> bool:
        return self.duplicates == 0 and self.more["stored"] == MESSAGES and self.more["left"] == 0

    def line(self, name: str) -> dict[str, object]:
        value = round(self.rate, 1)
        known = {"name": name, "value": value, "unit": "messages/s", "ok": self.is_ok}
        return {
            **known,
            "duplicates": self.duplicates,
            "pollers": POLLERS,
            "queues": len(QUEUES),
            **self.more,
        }


def drained() -> Drained:
    """From the first stored message to the last, with every message deleted from the queue at the end."""
    with double() as endpoint, ExitStack() as running:
        queues = Queues(endpoint)
        feed = Feed.objects.create(
            slug="bench-sqs", name="Bench", kind=FeedKind.AWS_SQS, origin="test",
            settings={"queue_urls": [queues.make(name) for name in QUEUES], "access_key_id": KEY_ID},
            sealed={"secret_access_key": seal(KEY)},
        )  # fmt: skip
        for place, name in enumerate(QUEUES):
            queues.send(name, [warning(place * EACH + number) for number in range(EACH)])
        pollers = [running.enter_context(Poller(endpoint)) for _ in range(POLLERS)]
        first, seconds = _until_stored(feed)
        left = _until_empty(queues)
        cpu = sum(poller.cpu_seconds() for poller in pollers)
        time.sleep(1.5)  # the last second's counts
        counted = FeedHour.objects.filter(feed=feed).aggregate(n=Sum("duplicates"))["n"] or 0
        stored = Delivery.objects.filter(feed=feed).count()
    more = {"stored": stored, "left": left, "poller_cpu_s": round(cpu, 2)}
    return Drained((stored - first) / seconds, counted, more)


class Poller:
    """`manage.py poll`, as a service of its own runs it."""

    def __init__(self, endpoint: str) -> None:
        self._env = {**os.environ, "AWS_ENDPOINT_URL": endpoint}

    def __enter__(self) -> Poller:
        self._process = subprocess.Popen([sys.executable, "manage.py", "poll"], env=self._env)
        return self

    def cpu_seconds(self) -> float:
        """Its start, which loads the vendor's library, included."""
        times = psutil.Process(self._process.pid).cpu_times()
        return times.user + times.system

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(15)


def _until_stored(feed: Feed) -> tuple[int, float]:
    """How many the first look found, and the seconds from it to the last message."""
    begun, first, end = 0.0, 0, time.monotonic() + WITHIN
    while time.monotonic() < end:
        count = Delivery.objects.filter(feed=feed).count()
        if count and not begun:
            begun, first = time.monotonic(), count
        if count >= MESSAGES:
            break
        time.sleep(0.05)
    return first, max(time.monotonic() - begun, 0.001)


def _until_empty(queues: Queues) -> int:
    end = time.monotonic() + 20
    while (left := sum(map(queues.left, QUEUES))) and time.monotonic() < end:
        time.sleep(0.1)
    return left
