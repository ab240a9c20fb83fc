"""Promise 6: quiet is told apart from deaf. Each feed has a heartbeat, and a canary passes through the whole path."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from console.accounts.models import Role
from console.alerts.canary import LATE_AFTER
from console.alerts.feed_findings import watch_feeds
from console.alerts.models import AlertGroup
from console.feeds.models import Feed
from console.ingest.canary import send_canary
from tests.make_accounts import make_user
from tests.make_feeds import make_feed
from tests.serving import console_on_a_port, work_off

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def door(transactional_db: None) -> Iterator[str]:
    with console_on_a_port() as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def board(client: Client, transactional_db: None) -> Client:
    make_user("root", role=Role.ADMIN)
    client.force_login(make_user("anna"))
    return client


def feed_heard(at: datetime) -> Feed:
    known = {"expects_within": 15 * MINUTE, "created_at": at - timedelta(days=1), "last_seen_at": at}
    return make_feed(slug="aws", name="AWS", **known)


def says(board: Client) -> str:
    return board.get("/oncall/").content.decode()


def test_an_empty_board_proves_that_it_hears(board: Client, door: str) -> None:
    now = timezone.now()
    feed_heard(now - MINUTE)
    send_canary(now=now, door=door)
    work_off()
    text = says(board)
    assert "Quiet." in text
    assert "1 feed healthy" in text
    assert "canary passed" in text


def test_a_feed_that_owes_its_heartbeat_is_deafness_and_somebody_is_told(board: Client) -> None:
    now = timezone.now()
    feed_heard(now - 20 * MINUTE)
    watch_feeds(now=now)
    text = says(board)
    assert "Quiet." not in text
    assert "1 of 1 feed is silent" in text
    assert AlertGroup.objects.get(key="feed_silent:aws").is_open


def test_workers_that_stand_still_are_deafness_though_every_feed_is_heard(
    board: Client, door: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    feed_heard(now)
    send_canary(now=now - MINUTE, door=door)
    work_off()
    send_canary(now=now, door=door)  # stored, and nobody works
    monkeypatch.setattr("django.utils.timezone.now", lambda: now + LATE_AFTER)
    text = says(board)
    assert "Quiet." not in text
    assert "But nothing comes through" in text
