"""When the console cannot store: 503 with the limit's name and when to come back, and nothing is answered 2xx."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from unittest.mock import patch

import pytest
from django.conf import settings
from django.db import connection
from psycopg_pool import AsyncConnectionPool

from console.feeds.models import Delivery
from console.ingest import store
from console.ingest.receive import Receiver
from tests.make_feeds import make_feed, make_secret

pytestmark = pytest.mark.django_db(transaction=True)
BODY = b'{"detail-type": "x", "source": "y", "id": "1"}'


async def post(
    receiver: Receiver, slug: str, secret: str, body: bytes = BODY
) -> tuple[int, dict[str, str], Any]:
    """One request through the application itself."""
    sent: list[Any] = []
    headers = [(b"authorization", b"Bearer " + secret.encode()), (b"content-type", b"application/json")]
    scope = {
        "type": "http",
        "method": "POST",
        "path": f"/ingest/{slug}",
        "query_string": b"",
        "headers": headers,
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await receiver(scope, receive, send)
    answered = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], answered, json.loads(sent[1]["body"])


def pool_of_this_run(**options: Any) -> AsyncConnectionPool:
    name = str(connection.settings_dict["NAME"])
    keywords = {"autocommit": True, "dbname": name}
    return AsyncConnectionPool(settings.DATABASE_URL, open=False, kwargs=keywords, **options)


def test_a_full_queue_says_so_and_keeps_what_it_took() -> None:
    feed = make_feed()
    secret = make_secret(feed)

    async def flood() -> list[int]:
        async with pool_of_this_run(min_size=2, max_size=4) as pool:
            receiver = Receiver(pool)
            await post(receiver, feed.slug, "wrong")
            posts = [
                asyncio.create_task(post(receiver, feed.slug, secret, BODY.replace(b"1", str(n).encode())))
                for n in range(10)
            ]
            await asyncio.sleep(0.3)
            receiver.start()  # nobody wrote until now
            answers = await asyncio.gather(*posts)
            await receiver.stop()
        busy = [answer for answer in answers if answer[0] == 503]
        assert all(answer[2]["limit"] == "queue" for answer in busy)
        assert all(int(answer[1]["retry-after"]) > 0 for answer in busy)
        return [answer[0] for answer in answers]

    with patch.object(store, "MOST_WAITING", 4):
        statuses = asyncio.run(flood())
    assert sorted(statuses) == [202] * 4 + [503] * 6
    assert Delivery.objects.filter(feed=feed).count() == 4


def test_without_a_database_the_sender_is_told_to_come_back() -> None:
    async def ask() -> tuple[int, dict[str, str], Any]:
        nowhere = "postgresql://nobody@127.0.0.1:1/none"
        async with AsyncConnectionPool(nowhere, min_size=0, max_size=1, open=False, timeout=0.3) as pool:
            return await post(Receiver(pool), "any", "secret")

    status, headers, body = asyncio.run(ask())
    assert (status, body["limit"], body["code"]) == (503, "database", "unavailable")
    assert int(headers["retry-after"]) > 0
