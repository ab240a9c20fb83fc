"""Polling processes that are killed at any moment: nothing is lost, nothing is worked twice."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from django.conf import settings
from django.db import connection
from psycopg.conninfo import make_conninfo

from console.lib.sealing import seal
from tests.ingest.conftest import Sender
from tests.ingest.polling_double import KEY, KEY_ID, Queues, double, until, warning

QUEUES = [f"killed-{number}" for number in range(5)]
EACH = 50
KILLS = 4
POLL = """
import django; django.setup()
from console.config import celery
from console.feeds.pollers import sqs
sqs.HELD_FOR, sqs.WAIT = 3, 1
from console.ingest.poller import main
main()
"""


def poller(endpoint: str) -> subprocess.Popen[bytes]:
    url = make_conninfo(settings.DATABASE_URL, dbname=str(connection.settings_dict["NAME"]))
    env = {**os.environ, "DATABASE_URL": url, "AWS_ENDPOINT_URL": endpoint}
    return subprocess.Popen([sys.executable, "-c", POLL], env=env, stderr=subprocess.DEVNULL)


@pytest.mark.faults
def test_pollers_killed_at_random_lose_no_message(sender: Callable[..., Sender]) -> None:
    with double() as endpoint:
        queues = Queues(endpoint)
        known = {"queue_urls": [queues.make(name) for name in QUEUES], "access_key_id": KEY_ID}
        feed = sender(kind="aws-sqs", settings=known, sealed={"secret_access_key": seal(KEY)})
        sent = {name: [warning(place * EACH + n) for n in range(EACH)] for place, name in enumerate(QUEUES)}
        for name, bodies in sent.items():
            queues.send(name, bodies)
        running = [poller(endpoint), poller(endpoint)]
        try:
            for _ in range(KILLS):
                seen = len(feed.stored())
                until(lambda seen=seen: len(feed.stored()) > seen or _left(queues) == 0, within=40)  # type: ignore[misc]
                time.sleep(random.uniform(0, 0.3))
                running[0].kill()
                running[0].wait(5)
                running = [running[1], poller(endpoint)]
            until(lambda: _left(queues) == 0, within=60)
        finally:
            for process in running:
                process.terminate()
            for process in running:
                process.wait(15)
    assert sorted(feed.stored()) == sorted(body.encode() for bodies in sent.values() for body in bodies)
    assert feed.queued() == EACH * len(QUEUES)


def _left(queues: Queues) -> int:
    return sum(map(queues.left, QUEUES))
