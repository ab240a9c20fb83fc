"""The front door as its senders find it: the whole console behind a real server on a free port."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any

import pytest
from django.db import IntegrityError, connection
from pytest_django.plugin import DjangoDbBlocker

from console.feeds.models import Delivery, Feed, HeartbeatDelivery, QuarantinedItem, QueuedDelivery
from tests.make_feeds import make_feed, make_secret
from tests.serving import console_on_a_port

Headers = dict[str, str]


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Headers
    body: Any

    @property
    def code(self) -> str:
        return str(self.body.get("code", ""))


@dataclass(frozen=True)
class Sender:
    """Somebody who knows a feed's secret, and what came of what they sent."""

    port: int
    feed: Feed
    secret: str = field(repr=False)

    def post(self, body: bytes | object, *, headers: Headers | None = None, **options: Any) -> Answer:
        """With the secret as a bearer token and as JSON, unless `headers` say otherwise."""
        own = {"Authorization": f"Bearer {self.secret}", "Content-Type": "application/json"}
        return self.send(body, headers=own | (headers or {}), **options)

    def send(self, body: bytes | object, *, headers: Headers, path: str = "", method: str = "POST") -> Answer:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        client = HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            client.request(method, path or f"/ingest/{self.feed.slug}", raw, headers)
            answer = client.getresponse()
            said = answer.read()
        finally:
            client.close()
        return Answer(
            answer.status,
            {name.lower(): value for name, value in answer.getheaders()},
            json.loads(said) if said else {},
        )

    @property
    def basic(self) -> Headers:
        return {"Authorization": "Basic " + base64.b64encode(f"any:{self.secret}".encode()).decode()}

    def stored(self) -> list[bytes]:
        """What is kept as delivered, oldest first."""
        rows = Delivery.objects.filter(feed=self.feed).order_by("pk").values_list("body", flat=True)
        return [bytes(body) for body in rows]

    def heartbeats(self) -> list[bytes]:
        rows = HeartbeatDelivery.objects.filter(feed=self.feed).values_list("body", flat=True)
        return [bytes(body) for body in rows]

    def held(self) -> list[tuple[str, bytes]]:
        """What is kept in quarantine: code and bytes."""
        rows = QuarantinedItem.objects.filter(feed=self.feed).order_by("pk").values_list("code", "body")
        return [(code, bytes(body)) for code, body in rows]

    def queued(self) -> int:
        return QueuedDelivery.objects.filter(feed=self.feed, delivery_pk__gt=0).count()


@pytest.fixture(scope="session")
def front_door(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[int]:
    """The port of a running console on this run's test database."""
    with django_db_blocker.unblock(), console_on_a_port() as port:
        yield port


@pytest.fixture
def sender(front_door: int, django_db_blocker: DjangoDbBlocker) -> Iterator[Callable[..., Sender]]:
    """Makes feeds with somebody who knows their secret; really stored, and removed afterwards."""
    made: list[Feed] = []

    def make(**fields: Any) -> Sender:
        feed = make_feed(**fields)
        made.append(feed)
        return Sender(front_door, feed, make_secret(feed))

    with django_db_blocker.unblock():
        yield make
        for feed in made:
            for model in (Delivery, HeartbeatDelivery):
                model.objects.filter(feed=feed).delete()
            remove(feed)
        connection.close()


def remove(feed: Feed) -> None:
    """The counts of its last second may come in between."""
    for _ in range(5):
        try:
            feed.delete()
        except IntegrityError:
            time.sleep(0.05)
        else:
            return
