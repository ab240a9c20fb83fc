"""Reading again what the quarantine holds: stored as receiving stores, once, whoever asks and however often."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from django.db import connection

from console.accounts.audit import Actor
from console.accounts.models import AuditEntry
from console.feeds import reading
from console.feeds.models import (
    Delivery,
    DeliveryKey,
    Feed,
    HeartbeatDelivery,
    QuarantinedItem,
    QuarantineReplay,
    QueuedDelivery,
)
from console.feeds.normalised import Reading
from console.ingest.quarantine import QuarantineFilter, ask_for_replay, discard
from console.ingest.replaying import MOST_AT_ONCE, Replayed, replay, work_off_replays
from tests.make_feeds import NOON, make_feed, make_held

LATER = NOON + timedelta(days=2)
BY = Actor.console("test")


def warning(number: int = 1) -> bytes:
    return json.dumps(
        {
            "id": f"7bf73129-1428-4cd3-a780-{number:012d}",
            "detail-type": "EC2 Spot Instance Interruption Warning",
            "source": "aws.ec2",
            "account": "111122223333",
            "region": "eu-west-1",
            "time": "2026-03-11T12:00:00Z",
            "detail": {"instance-id": f"i-{number:017x}", "instance-action": "terminate"},
        }
    ).encode()


def again(*items: QuarantinedItem) -> Replayed:
    return replay([item.pk for item in items], by=BY, now=LATER)


@pytest.mark.django_db
def test_what_can_be_read_now_is_stored_and_queued_with_its_first_receive_time() -> None:
    feed = make_feed()
    item = make_held(feed, warning(), headers={"content-type": "application/json", "ce-extra": "x"})
    assert again(item) == Replayed(replayed=1)
    delivery = Delivery.objects.get(feed=feed)
    assert (bytes(delivery.body), delivery.received_at, delivery.result) == (warning(), NOON, "accepted")
    assert delivery.headers == item.headers
    queued = QueuedDelivery.objects.get(delivery_pk=delivery.pk)
    reading = msgspec.json.decode(bytes(queued.reading), type=Reading)
    assert (queued.received_at, reading.events[0].machine.instance_id) == (NOON, f"i-{1:017x}")
    item.refresh_from_db()
    assert (item.state, item.decided_at) == ("replayed", LATER)


@pytest.mark.django_db
def test_a_second_replay_finds_nothing_held_and_changes_nothing() -> None:
    item = make_held(make_feed(), warning())
    again(item)
    assert again(item) == Replayed()
    assert (Delivery.objects.count(), AuditEntry.objects.filter(action="quarantine.replay").count()) == (1, 1)


@pytest.mark.django_db
def test_a_message_that_came_again_meanwhile_is_known_and_not_queued_twice() -> None:
    feed = make_feed()
    again(make_held(feed, warning()))
    assert again(make_held(feed, warning())) == Replayed(replayed=1, duplicates=1)
    assert (Delivery.objects.count(), DeliveryKey.objects.count(), QueuedDelivery.objects.count()) == (
        1,
        1,
        1,
    )


@pytest.mark.django_db
def test_what_is_still_refused_stays_held_under_what_is_wrong_now(monkeypatch: pytest.MonkeyPatch) -> None:
    built = {kind: parser for kind, parser in reading.PARSERS.items() if kind != "aws-sns"}
    monkeypatch.setattr(reading, "PARSERS", built)
    feed = make_feed(kind="aws-sns")
    item = make_held(feed, b'{"detail-type": 7}', code="malformed_json", detail="once was")
    assert again(item) == Replayed(refused=1)
    item.refresh_from_db()
    assert (item.state, item.code) == ("held", "kind_not_available")
    Feed.objects.filter(pk=feed.pk).update(kind="aws-eventbridge")
    again(item)
    item.refresh_from_db()
    assert (item.state, item.code, item.detail) == ("held", "invalid_field", "detail-type: must be text")


@pytest.mark.django_db
def test_the_same_bytes_held_under_the_new_code_are_kept_once_with_both_counts() -> None:
    feed = make_feed()
    kept = make_held(feed, b'{"detail-type": 7}', seen_count=2)
    other = make_held(feed, b'{"detail-type": 7}', code="malformed_json", seen_count=3)
    assert again(other) == Replayed(refused=1)
    assert list(QuarantinedItem.objects.order_by("pk").values_list("state", "seen_count")) == [
        ("held", 5),
        ("discarded", 3),
    ]
    assert QuarantinedItem.objects.held().get() == kept


@pytest.mark.django_db
def test_a_body_that_turns_out_a_batch_is_taken_item_by_item() -> None:
    feed = make_feed()
    body = b"[" + warning(1) + b"," + warning(2) + b',{"detail-type": 7},' + warning(1) + b"]"
    assert again(make_held(feed, body, code="malformed_json")) == Replayed(replayed=1)
    assert sorted(bytes(d.body) for d in Delivery.objects.all()) == sorted([warning(1), warning(2)])
    assert [bytes(item.body) for item in QuarantinedItem.objects.held()] == [b'{"detail-type": 7}']


@pytest.mark.django_db
def test_a_sign_of_life_goes_where_signs_of_life_go() -> None:
    feed = make_feed(kind="node-report")
    body = json.dumps(
        {"schema": "node-report/1", "instance_id": "i-0123456789abcdef0", "reports": [{"type": "heartbeat"}]}
    ).encode()
    again(make_held(feed, body))
    assert (HeartbeatDelivery.objects.count(), Delivery.objects.count()) == (1, 0)


@pytest.mark.django_db
def test_a_message_that_recording_could_not_digest_is_queued_again_from_its_delivery() -> None:
    feed = make_feed()
    again(make_held(feed, warning()))
    delivery = Delivery.objects.get()
    QueuedDelivery.objects.all().delete()
    item = make_held(feed, warning(), code="processing_error", delivery_pk=delivery.pk)
    assert again(item) == Replayed(replayed=1)
    assert list(QueuedDelivery.objects.values_list("delivery_pk", "received_at")) == [(delivery.pk, NOON)]
    assert Delivery.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_people_who_replay_the_same_items_at_once_store_them_once() -> None:
    feed = make_feed()
    items = [make_held(feed, warning(n)) for n in range(1, 21)]
    outcomes: list[Replayed] = []

    def work(order: int) -> None:
        outcomes.append(again(*items[::order]))
        connection.close()

    workers = [threading.Thread(target=work, args=(order,)) for order in (1, -1, 1)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sum(outcomes, start=Replayed()) == Replayed(replayed=20)
    assert (Delivery.objects.count(), QueuedDelivery.objects.count()) == (20, 20)


@pytest.mark.django_db
def test_all_of_a_filter_is_replayed_in_batches_and_what_came_later_is_left() -> None:
    feed, other = make_feed(), make_feed()
    for number in range(MOST_AT_ONCE + 5):
        make_held(feed, warning(number))
    make_held(feed, b'{"detail-type": 7}')
    make_held(other, warning())
    wanted = QuarantineFilter(origin="live", feed=feed.slug)
    asked = ask_for_replay(wanted, by=BY, now=LATER)
    assert asked is not None
    assert asked.wanted_count == MOST_AT_ONCE + 6
    late = make_held(feed, warning(9999))
    batches: list[Any] = []
    while read := work_off_replays(now=LATER):
        batches.append(read)
    asked.refresh_from_db()
    assert (batches, asked.finished_at) == ([MOST_AT_ONCE, 6], LATER)
    assert (asked.replayed_count, asked.refused_count) == (MOST_AT_ONCE + 5, 1)
    assert list(QuarantinedItem.objects.held().filter(feed=feed).order_by("pk"))[-1] == late
    assert QuarantinedItem.objects.held().filter(feed=other).count() == 1
    actions = AuditEntry.objects.order_by("pk").values_list("action", "actor_label")
    assert list(actions) == [("quarantine.replay_all", "test"), ("quarantine.replayed", "quarantine")]


@pytest.mark.django_db
def test_asking_for_nothing_leaves_no_wish() -> None:
    assert ask_for_replay(QuarantineFilter(origin="live"), by=BY, now=LATER) is None
    assert QuarantineReplay.objects.count() == 0


@pytest.mark.django_db
def test_discarded_items_are_let_go_and_written_down() -> None:
    feed = make_feed()
    first, second = make_held(feed, b"1"), make_held(feed, b"2")
    wanted = QuarantineFilter(origin="live")
    assert discard(wanted, only=[first.pk], by=BY, now=LATER) == 1
    assert discard(wanted, only=None, by=BY, now=LATER) == 1
    assert discard(wanted, only=None, by=BY, now=LATER) == 0
    second.refresh_from_db()
    assert (second.state, second.decided_at) == ("discarded", LATER)
    assert again(first, second) == Replayed()
    assert AuditEntry.objects.filter(action="quarantine.discard").count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    "q", ["i-00000000000000007", "must be", "7bf73129-1428-4cd3-a780-000000000007", "MUST BE"]
)
def test_the_search_looks_into_details_and_bodies(q: str) -> None:
    feed = make_feed()
    item = make_held(feed, warning(7))
    make_held(feed, b"\xff\x00 not text", detail="another")
    assert list(QuarantineFilter(origin="live", q=q).rows()) == [item]
