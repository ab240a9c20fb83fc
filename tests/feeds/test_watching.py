"""Feeds that become silent or late are noticed once, told once, and told of again when they are heard."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from console.accounts.audit import Actor
from console.accounts.models import Role
from console.alerts.feed_findings import watch_feeds
from console.alerts.models import AlertGroup, Resolution, Severity
from console.feeds.connecting import FeedOrder, connect
from console.feeds.models import Delivery, Feed, FeedEvent, FeedKind, HeartbeatDelivery
from console.feeds.pace import pace_of
from console.feeds.tending import pause, resume, revoke, rotate
from tests.make_accounts import make_user
from tests.make_feeds import NOON, make_feed
from tests.make_fleet import make_team

pytestmark = pytest.mark.django_db
ALICE = Actor.console("alice")


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def owing(**fields: Any) -> Feed:
    """A feed that speaks every quarter of an hour, last at noon."""
    known = {"expects_within": minutes(15), "created_at": NOON - minutes(600), "last_seen_at": NOON}
    return make_feed(**(known | fields))


def told(feed: Feed) -> list[tuple[str, datetime]]:
    return list(feed.events.order_by("pk").values_list("kind", "at"))


def groups(feed: Feed) -> list[AlertGroup]:
    return list(AlertGroup.objects.filter(key=f"feed_silent:{feed.slug}").order_by("pk"))


def deliver(feed: Feed, *, at: datetime, late: timedelta | None, count: int = 1) -> None:
    occurred_at = None if late is None else at - late
    for number in range(count):
        Delivery.objects.create(
            feed=feed,
            delivery_id=f"{at}-{number}",
            result="accepted",
            body=b"{}",
            received_at=at,
            occurred_at=occurred_at,
        )
    Feed.objects.filter(pk=feed.pk).update(last_accepted_at=at, last_seen_at=at)


def test_a_feed_that_owes_a_message_is_silent_since_the_moment_it_owed_it() -> None:
    feed = owing()

    assert watch_feeds(now=NOON + minutes(15)) == []
    watch_feeds(now=NOON + minutes(16))

    feed.refresh_from_db()
    assert feed.silent_since == NOON + minutes(15)
    assert told(feed) == [("silent", NOON + minutes(15))]


def test_a_silence_is_told_once_however_often_it_is_looked_at() -> None:
    feed = owing(team=make_team(name="Platform"))

    for later in (16, 17, 600):
        watch_feeds(now=NOON + minutes(later))

    (group,) = groups(feed)
    assert (group.severity, group.origin) == (Severity.WARNING, "live")
    assert "last message 11 Mar 12:00 UTC" in group.impact
    assert "For Platform" in group.impact
    assert group.events.exclude(kind="ticket").count() == group.receipts.count() == 1
    assert FeedEvent.objects.count() == 1


def test_the_group_closes_by_itself_when_the_feed_is_heard() -> None:
    feed = owing()
    watch_feeds(now=NOON + minutes(16))
    Feed.objects.update(last_seen_at=NOON + minutes(20))

    for later in (21, 22):
        watch_feeds(now=NOON + minutes(later))

    (group,) = groups(feed)
    assert (group.status, group.resolution) == ("resolved", Resolution.HEALED)
    assert told(feed)[1:] == [("heard", NOON + minutes(20))]
    feed.refresh_from_db()
    assert feed.silent_since is None


def test_a_group_that_a_person_closed_stays_closed_until_the_next_silence() -> None:
    feed = owing()
    watch_feeds(now=NOON + minutes(16))
    AlertGroup.objects.update(status="resolved", resolution="by_hand", resolved_at=NOON + minutes(17))

    watch_feeds(now=NOON + minutes(18))
    assert len(groups(feed)) == 1
    Feed.objects.update(last_seen_at=NOON + minutes(20))
    watch_feeds(now=NOON + minutes(21))
    watch_feeds(now=NOON + minutes(40))

    assert [group.status for group in groups(feed)] == ["resolved", "triggered"]


def test_a_feed_that_is_paused_is_excused_and_owes_nothing_right_after_the_pause() -> None:
    feed = owing()
    watch_feeds(now=NOON + minutes(16))
    pause(feed, by=ALICE, now=NOON + minutes(17))
    watch_feeds(now=NOON + minutes(18))
    resume(feed, by=ALICE, now=NOON + minutes(60))

    watch_feeds(now=NOON + minutes(61))
    assert [kind for kind, _ in told(feed)] == ["silent", "excused"]
    watch_feeds(now=NOON + minutes(76))

    assert told(feed)[-1] == ("silent", NOON + minutes(75))


def test_quiet_feeds_and_those_of_other_origins_open_nothing_among_live_groups() -> None:
    make_feed(last_seen_at=NOON - timedelta(days=9))
    sample = owing(origin="sample")

    watch_feeds(now=NOON + minutes(16))

    assert [group.origin for group in AlertGroup.objects.all()] == ["sample"]
    assert [group.key for group in groups(sample)] == [f"feed_silent:{sample.slug}"]


def test_a_failure_while_telling_leaves_the_change_to_be_found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    feed = owing()

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr("console.alerts.feed_findings.open_finding", fail)
        with pytest.raises(RuntimeError):
            watch_feeds(now=NOON + minutes(16))
    assert told(feed) == []

    watch_feeds(now=NOON + minutes(17))
    assert len(told(feed)) == len(groups(feed)) == 1


def test_a_feed_half_of_whose_messages_come_late_is_delayed_until_they_come_in_time() -> None:
    feed = make_feed(created_at=NOON - timedelta(hours=1))
    deliver(feed, at=NOON, late=minutes(9), count=5)
    watch_feeds(now=NOON + minutes(1))
    watch_feeds(now=NOON + minutes(1))

    (group,) = groups(feed)
    assert group.title == f"{feed.name} is late"
    deliver(feed, at=NOON + minutes(10), late=timedelta(seconds=2), count=6)
    watch_feeds(now=NOON + minutes(11))

    assert [kind for kind, _ in told(feed)] == ["delayed", "in_time"]
    assert [group.resolution for group in groups(feed)] == ["healed"]


def test_few_late_messages_are_no_delay() -> None:
    feed = make_feed()
    deliver(feed, at=NOON, late=minutes(9), count=4)
    deliver(feed, at=NOON, late=None, count=0)

    assert watch_feeds(now=NOON + minutes(1)) == []


def test_a_late_feed_that_falls_silent_keeps_its_one_group() -> None:
    feed = owing()
    deliver(feed, at=NOON, late=minutes(9), count=5)
    watch_feeds(now=NOON + minutes(1))
    watch_feeds(now=NOON + minutes(16))

    (group,) = groups(feed)
    assert (group.title, group.status) == (f"{feed.name} is silent", "triggered")


def test_the_pace_of_a_feed_is_that_of_its_newest_messages() -> None:
    feed = make_feed()
    for number in range(20):
        deliver(feed, at=NOON + minutes(number), late=timedelta(seconds=number + 1))
    HeartbeatDelivery.objects.create(
        feed=feed, delivery_id="beat", body=b"{}", received_at=NOON + minutes(119)
    )

    pace = pace_of(feed, now=NOON + minutes(120))

    assert pace.delays == (10.0, 19.0, 20.0)
    assert (pace.delay_count, pace.gap_count, pace.gaps, pace.longest_gap) == (20, 20, (60.0, 60.0), 6000.0)
    assert (pace.waiting, pace.waiting_since) == (0, None)


def test_a_feed_that_told_nothing_has_no_pace() -> None:
    pace = pace_of(make_feed(), now=NOON)

    assert (pace.delays, pace.gaps, pace.longest_gap) == (None, None, None)


def test_the_page_tells_what_was_done_to_the_feed_by_whom_and_what_it_did_itself() -> None:
    made = connect(
        FeedOrder(name="Nodes", kind=FeedKind.NODE_REPORT, expects_within=minutes(15)), by=ALICE, now=NOON
    )
    token, _ = rotate(made.feed, by=ALICE, now=NOON + minutes(1))
    revoke(token, by=ALICE, now=NOON + minutes(2))
    watch_feeds(now=NOON + minutes(16))
    pause(made.feed, by=ALICE, now=NOON + minutes(17))
    client = Client()
    client.force_login(make_user(role=Role.VIEWER))

    page = client.get("/feeds/nodes/").content.decode()

    history = page[page.index('id="feed-history"') :]
    order = ["Paused", "Silent", "Secret revoked", "Secret issued", "Connected"]
    places = [history.index(f"<b>{what}</b>") for what in order]
    assert places == sorted(places)
    assert history.count("alice") == 4
    assert f"{token.prefix}…" in history


def test_what_happened_before_a_feed_was_made_is_its_history_and_no_delay() -> None:
    feed = make_feed(created_at=NOON - minutes(1))
    deliver(feed, at=NOON, late=minutes(9), count=5)
    watch_feeds(now=NOON + minutes(1))
    assert groups(feed) == []
    assert told(feed) == []
