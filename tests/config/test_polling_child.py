"""The process that polls is there while it is needed, and its library in no other."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from psycopg.conninfo import make_conninfo

from console.config import polling_child
from console.config.ledger import Ledger
from console.config.polling_child import CHILD, PollingChild, is_anything_polled
from console.config.processes import Child, Process
from console.config.supervisor import Supervisor
from console.feeds.models import Feed
from tests.make_feeds import make_feed

QUEUE = "https://sqs.eu-west-1.amazonaws.com/111122223333/spot-console"


def test_it_is_started_with_the_first_feed_and_ended_with_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling_child, "LOOK_EVERY", 0.0)
    answers: list[bool | None] = [False, True, True, None, False]

    def sleeper(child: Child) -> Process:
        argv = [sys.executable, "-c", "import time\nwhile True: time.sleep(1)"]
        return Process(Child(child.name, argv, stop_within=child.stop_within))

    supervisor = Supervisor(ledger=Ledger(tmp_path), show=lambda *_: None, spawn=sleeper)
    tending = PollingChild(supervisor, ask=lambda: answers.pop(0))
    there = []
    for _ in range(5):
        tending.tend()
        there.append(supervisor.has(CHILD.name))
    supervisor.stop()
    assert there == [False, True, True, True, False]


def test_the_database_is_not_asked_all_the_time(tmp_path: Path) -> None:
    asked: list[float] = []
    supervisor = Supervisor(ledger=Ledger(tmp_path), show=lambda *_: None)
    tending = PollingChild(supervisor, ask=lambda: asked.append(time.monotonic()))
    for _ in range(10):
        tending.tend()
    assert len(asked) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("kind", "known", "is_wanted"),
    [
        ("aws-sqs", {}, False),
        ("aws-sqs", {"queue_urls": [QUEUE]}, True),
        ("gcp-pubsub-pull", {"subscriptions": ["projects/shop/subscriptions/spot"]}, True),
        ("aws-sns", {"topic_arns": ["arn:aws:sns:eu-west-1:111122223333:spot"]}, False),
    ],
)
def test_only_a_feed_that_names_what_to_poll_wants_it(
    monkeypatch: pytest.MonkeyPatch, kind: str, known: dict[str, list[str]], is_wanted: bool
) -> None:
    url = make_conninfo(settings.DATABASE_URL, dbname=str(connection.settings_dict["NAME"]))
    monkeypatch.setattr(settings, "DATABASE_URL", url)
    make_feed(kind=kind, settings=known)
    assert is_anything_polled() is is_wanted
    Feed.objects.update(paused_at=timezone.now())
    assert is_anything_polled() is False


def test_a_database_that_does_not_answer_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    assert is_anything_polled() is None


@pytest.mark.parametrize("module", ["console.config.asgi", "console.config.hands", "console.ingest.poller"])
def test_the_vendor_s_library_is_loaded_by_none_that_does_not_poll(module: str) -> None:
    script = f"import django; django.setup(); import {module}, sys; print('boto3' in sys.modules, 'botocore' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False False"
