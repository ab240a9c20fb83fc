"""The console's message to itself: the whole way, its age in the strip, and nothing left behind."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from console.accounts.models import Role
from console.alerts.canary import DEAD_AFTER, LATE_AFTER, last_canary
from console.alerts.models import AlertGroup, GroupMember, Receipt
from console.dashboards.quiet import proof_of_quiet
from console.dashboards.strip import canary_item
from console.feeds.models import CANARY, Delivery, Feed, FeedToken
from console.fleet.models import Machine, Service
from console.ingest.canary import clear_old, send_canary
from console.interruptions.models import Interruption, Observation
from tests.make_accounts import make_user
from tests.make_feeds import make_feed
from tests.serving import console_on_a_port, work_off

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def door(transactional_db: None) -> Iterator[str]:
    with console_on_a_port() as port:
        yield f"http://127.0.0.1:{port}"


def test_a_canary_goes_through_the_front_door_and_both_pipelines_to_a_receipt(door: str) -> None:
    now = timezone.now()

    sent = send_canary(now=now, door=door)
    assert (sent.status, last_canary().sent_at) == (202, None)
    work_off()

    canary = last_canary()
    assert canary.sent_at is not None
    assert abs(canary.sent_at - now) < timedelta(seconds=1)
    receipt = Receipt.objects.get()
    assert (receipt.origin, receipt.reason) == ("test", "Not sent: test")
    assert Delivery.objects.get().feed.slug == CANARY
    assert not FeedToken.objects.exists()


def test_a_stopped_worker_makes_the_canary_late_and_then_dead(door: str) -> None:
    now = timezone.now()
    send_canary(now=now - timedelta(minutes=1), door=door)
    work_off()
    assert canary_item(now=now).tone == "neutral"

    send_canary(now=now + timedelta(minutes=1), door=door)  # stored, and nobody works

    assert canary_item(now=now + LATE_AFTER).tone == "warn"
    assert canary_item(now=now + DEAD_AFTER).tone == "danger"
    assert proof_of_quiet([], now=now + LATE_AFTER).is_stuck
    work_off()
    assert canary_item(now=now + LATE_AFTER).tone == "neutral"


def test_a_door_that_does_not_open_is_told_and_leaves_no_secret(transactional_db: None) -> None:
    sent = send_canary(now=timezone.now(), door="http://127.0.0.1:9")

    assert (sent.is_taken, FeedToken.objects.count()) == (False, 0)
    assert sent.failure


def test_before_the_first_canary_the_strip_waits_and_then_warns(transactional_db: None) -> None:
    now = timezone.now()
    assert (canary_item(now=now).text, canary_item(now=now).tone) == ("no canary was sent yet", "warn")

    make_feed(slug=CANARY, kind="node-report", origin="test", created_at=now)

    assert canary_item(now=now + timedelta(minutes=1)).tone == "muted"
    assert canary_item(now=now + timedelta(minutes=6)).tone == "warn"
    assert canary_item(now=now + timedelta(minutes=11)).tone == "danger"


def test_old_canaries_are_cleared_away_except_the_last_one_that_came_through(door: str) -> None:
    now = timezone.now()
    for later in range(3):
        send_canary(now=now + timedelta(seconds=later), door=door)
        work_off()
    feed = Feed.objects.get(slug=CANARY)

    assert clear_old(feed, now=now + timedelta(minutes=50)) == 0
    assert clear_old(feed, now=now + timedelta(minutes=90)) > 0

    models = (Interruption, GroupMember, Machine, Observation, AlertGroup)
    assert [model.objects.count() for model in models] == [1, 1, 1, 1, 1]
    assert last_canary().sent_at is not None
    work_off()
    assert clear_old(feed, now=now + timedelta(minutes=90)) == 0


def test_the_canary_shows_on_no_page_of_another_origin(door: str) -> None:
    send_canary(now=timezone.now(), door=door)
    work_off()
    client = Client()
    client.force_login(make_user(role=Role.ADMIN))

    for path in (
        "/oncall/",
        "/feeds/",
        "/services/",
        "/alerts/?status=all",
        "/interruptions/",
        "/instances/",
    ):
        page = client.get(path).content.decode()
        assert "Console canary" not in page, path
        assert "canary-" not in page, path
    kept = (Feed, Service, Machine, Interruption, AlertGroup)
    assert {origin for model in kept for origin in model.objects.values_list("origin", flat=True)} == {"test"}
