"""Since your last shift, and who is on call in the strip."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from console.accounts.models import User
from console.alerts.models import AlertEvent, AlertGroup
from console.dashboards.shift_brief import brief_of
from console.feeds.models import FeedEvent
from console.fleet.models import Service
from console.oncall.models import HandOffNote, Rotation
from tests.make_accounts import make_user
from tests.make_feeds import make_feed
from tests.make_fleet import make_service, make_team
from tests.make_interruptions import make_interruption
from tests.make_oncall import make_override, make_rotation

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def alice() -> User:
    return make_user("alice", time_zone="Europe/Berlin")


@pytest.fixture
def rotation(alice: User, now: datetime) -> Rotation:
    """Bob has it, but for Alice from 40 to 30 hours ago, and again since an hour."""
    rotation = make_rotation(make_user("bob"), slug="checkout", team=make_team(slug="shop", name="Shop"))
    for start, end in ((-40, -30), (-1, 5)):
        begins = now + start * HOUR
        make_override(rotation, alice, started_at=begins, ended_at=now + end * HOUR, now=begins)
    return rotation


def make_group(service: Service, at: datetime, **fields: Any) -> AlertGroup:
    key = f"service:{service.slug}:{at.isoformat()}"
    known = {
        "key": key,
        "title": f"{service.name} group",
        "triggered_at": at,
        "last_news_at": at,
        "service": service,
    }
    return AlertGroup.objects.create(**(known | fields))


def test_the_brief_tells_what_happened_since_the_end_of_the_last_shift(
    rotation: Rotation, alice: User, now: datetime
) -> None:
    shop, other = make_service(name="Checkout", team=rotation.team), make_service(name="Elsewhere")
    bob = User.objects.get(name="Bob")
    held = {"status": "acknowledged", "acknowledged_at": now - 20 * HOUR, "acknowledged_by": bob}
    done = {"status": "resolved", "resolved_at": now - 10 * HOUR, "resolution": "healed"}
    make_group(shop, now - 50 * HOUR)  # before, and still open
    group = make_group(shop, now - 21 * HOUR, **held)
    make_group(shop, now - 35 * HOUR, **done)  # opened in my shift, closed after it
    make_group(other, now - 20 * HOUR)
    AlertEvent.objects.create(group=group, kind="note", text="Zone c was empty", at=now - 19 * HOUR, by=bob)
    HandOffNote.objects.create(rotation=rotation, by=bob, at=now - 3 * HOUR, text="All calm")
    HandOffNote.objects.create(rotation=rotation, by=bob, at=now - 45 * HOUR, text="Long ago")
    make_interruption(service=shop, started_at=now - 5 * HOUR, cause="spot")
    make_interruption(service=shop, started_at=now - 45 * HOUR, cause="spot")
    silent = make_feed(name="AWS production", silent_since=now - 60 * HOUR)
    FeedEvent.objects.create(feed=silent, kind="silent", at=now - 60 * HOUR, text="Silent")
    brief = brief_of(alice, origin="live", now=now)
    assert brief.absence.since == now - 30 * HOUR
    assert brief.absence.why == "since your last shift, Checkout"
    assert (brief.opened_count, brief.closed_count, brief.open_count, brief.reclaim_count) == (1, 1, 2, 1)
    assert brief.holders == [("Bob", 1)]
    client = Client()
    client.force_login(alice)
    html = client.get("/schedules/brief/").content.decode()
    assert all(
        words in html
        for words in ("Zone c was empty", "All calm", "AWS production", "Bob has it", "nobody has it", "Shop")
    )
    assert "Long ago" not in html
    assert "Elsewhere" not in html
    everything = client.get("/schedules/brief/?scope=all&since=168").content.decode()
    assert "Elsewhere group" in everything
    assert "Long ago" in everything


def test_whoever_has_no_shift_is_told_of_the_last_week(
    now: datetime, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    stranger = make_user("stranger")
    brief = brief_of(stranger, origin="live", now=now)
    assert brief.absence.since == now - 7 * DAY
    assert "no shift of yours" in brief.absence.why
    for _ in range(20):
        make_group(make_service(), now - DAY)
        make_rotation(stranger, make_user())
    client = Client()
    client.force_login(stranger)
    with django_assert_max_num_queries(20):
        assert client.get("/schedules/brief/").status_code == 200


def strip_of(person: User) -> str:
    client = Client()
    client.force_login(person)
    return " ".join(client.get("/strip/").content.decode().split())


def test_the_strip_says_who_is_on_call_until_when(rotation: Rotation, alice: User, now: datetime) -> None:
    ends = timezone.localtime(now + 5 * HOUR, alice.zone)
    assert "You are on call" in strip_of(alice)
    assert f"{ends:%H:%M %Z}</b>" in strip_of(alice)
    assert "On call <b>Alice until" in strip_of(User.objects.get(name="Bob"))
    make_rotation(name="Search")
    make_rotation(name="Desk", is_round_the_clock=False)
    bare = strip_of(alice)
    assert "Nobody is on call for <b>Search</b>" in bare
    assert 'data-tone="danger"' in bare
    make_rotation(User.objects.get(name="Bob"), name="All of us")
    assert "On call <b>Bob +1</b>" in strip_of(make_user("charlie"))


def test_the_strip_says_plainly_that_nobody_is_on_call(alice: User) -> None:
    assert "Nobody is on call" in strip_of(alice)
