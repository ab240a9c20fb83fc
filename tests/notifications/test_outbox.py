"""Putting messages in, calling them off, and who heard: each promise a sentence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from console.notifications.models import (
    ContactKind,
    ContactMethod,
    Importance,
    Notification,
    NotificationKind,
    NotificationState,
)
from console.notifications.outbox import Recipient, call_off, heard_of, put
from tests.make_accounts import make_user
from tests.make_notifications import (
    be_heard,
    make_channel,
    make_message,
    make_method,
    make_quiet,
    make_rule,
    queue,
)

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 11, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_a_message_put_twice_is_one_although_the_rules_changed_in_between() -> None:
    alice = make_user("alice")
    make_rule(make_method(alice))
    message = make_message(person_id=alice.pk, importance=Importance.IMPORTANT)

    put([message, message], now=NOON)
    make_rule(make_method(alice, label="Call"), after=5)
    put([message], now=NOON + MINUTE)

    assert [row.key for row in Notification.objects.all()] == [message.key]


def test_a_person_is_told_by_their_rules_one_method_after_the_other() -> None:
    alice = make_user("alice")
    sms, call = make_method(alice), make_method(alice, label="Call")
    make_rule(sms), make_rule(call, after=5), make_rule(call, after=10)
    make_rule(make_method(alice, label="New", verified_at=None))
    make_rule(call, importance=Importance.DEFAULT)

    queue(person_id=alice.pk, importance=Importance.IMPORTANT, key="k", now=NOON)

    rows = Notification.objects.order_by("key").values_list("key", "method", "due_at", "reason")
    why = "their rule for important messages"
    assert list(rows) == [
        ("k", sms.pk, NOON, f"On call for checkout · at once by SMS, {why}"),
        ("k#2", call.pk, NOON + 5 * MINUTE, f"On call for checkout · after 5 min by Call, {why}"),
        ("k#3", call.pk, NOON + 10 * MINUTE, f"On call for checkout · after 10 min by Call, {why}"),
    ]


@pytest.mark.parametrize(
    ("rule_for", "reason"),
    [
        (None, "On call for checkout · no rules of their own: e-mail at once"),
        ("default", "On call for checkout · no rule of theirs for important messages: e-mail at once"),
    ],
)
def test_somebody_without_a_rule_gets_an_e_mail_at_once_and_it_says_so(
    rule_for: str | None, reason: str
) -> None:
    alice = make_user("alice")
    if rule_for:
        make_rule(make_method(alice), importance=rule_for)

    row = queue(person_id=alice.pk, importance=Importance.IMPORTANT, now=NOON)

    assert row.method is not None
    assert (row.method.kind, row.due_at, row.reason) == (ContactKind.ACCOUNT, NOON, reason)


def test_what_needs_no_steps_goes_by_the_first_method_alone_and_at_once() -> None:
    alice = make_user("alice")
    sms = make_method(alice)
    make_rule(sms, importance=Importance.DEFAULT, after=5)
    make_rule(make_method(alice), importance=Importance.DEFAULT, after=10)

    queue(person_id=alice.pk, kind=NotificationKind.TICKET, now=NOON)

    assert list(Notification.objects.values_list("method", "due_at")) == [(sms.pk, NOON)]


def test_in_quiet_hours_the_important_comes_through_and_the_rest_waits_until_they_end() -> None:
    alice = make_user("alice", time_zone="Europe/Berlin")
    make_quiet(alice, "22:00", "07:00")
    night = datetime(2026, 3, 29, 1, 30, tzinfo=ZoneInfo("Europe/Berlin"))  # the clock jumps at two

    waits = queue(person_id=alice.pk, now=night)
    comes = queue(person_id=alice.pk, importance=Importance.IMPORTANT, now=night)

    assert waits.due_at == datetime(2026, 3, 29, 5, tzinfo=UTC)
    assert waits.note == "Waits for their quiet hours to end: Sun 07:00 CEST, 05:00Z"
    assert comes.due_at == night


@pytest.mark.parametrize(("at", "minutes"), [("21:59", 0), ("22:00", 540), ("06:59", 1), ("07:00", 0)])
def test_quiet_hours_are_half_open(at: str, minutes: int) -> None:
    alice = make_user("alice")
    make_quiet(alice, "22:00", "06:00"), make_quiet(alice, "06:00", "07:00")
    now = datetime.fromisoformat(f"2026-03-11T{at}+00:00")

    assert queue(person_id=alice.pk, now=now).due_at == now + minutes * MINUTE


@pytest.mark.parametrize("origin", ["sample", "drill", "test"])
def test_what_is_not_live_is_written_and_can_never_be_sent(origin: str) -> None:
    row = queue(origin=origin, channel_id=make_channel().pk)

    assert (row.state, row.note, row.send_at) == (NotificationState.NOT_SENT, f"Not sent: {origin}", None)
    for change in (
        {"state": "queued", "send_at": NOON},
        {"state": "sending", "send_at": NOON},
        {"attempt_count": 1},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Notification.objects.filter(pk=row.pk).update(**change)


def test_calling_off_stops_what_waits_and_what_would_be_tried_again() -> None:
    channels = [make_channel().pk for _ in range(4)]
    queued, sending, unknown, gone = [queue(channel_id=channel, now=NOON).pk for channel in channels]
    Notification.objects.filter(pk=sending).update(state=NotificationState.SENDING)
    Notification.objects.filter(pk=unknown).update(state=NotificationState.UNKNOWN)
    Notification.objects.filter(pk=gone).update(state=NotificationState.DELIVERED, send_at=None)

    count = call_off(["group:1"], kinds=[NotificationKind.PAGE], reason="Alice has it", now=NOON + MINUTE)

    rows = Notification.objects.in_bulk()
    assert count == 3
    assert [rows[pk].state for pk in (queued, sending, unknown, gone)] == [
        "called_off", "sending", "unknown", "delivered",
    ]  # fmt: skip
    assert [rows[pk].send_at for pk in (queued, unknown)] == [None, None]
    assert rows[sending].called_off_at == NOON + MINUTE
    assert (rows[queued].note, rows[gone].note) == ("Alice has it", "")


def test_everyone_who_heard_that_it_broke_hears_that_it_healed_by_the_same_methods() -> None:
    alice, bob, channel = make_user("alice"), make_user("bob"), make_channel()
    sms, call = make_method(alice), make_method(alice, label="Call")
    make_rule(sms), make_rule(call), make_rule(make_method(alice), after=10)
    for whom in ({"person_id": alice.pk}, {"channel_id": channel.pk}):
        queue(importance=Importance.IMPORTANT, **whom)
    Notification.objects.filter(key__endswith="#3").delete()
    be_heard("group:1")
    queue(person_id=bob.pk)

    heard = heard_of(["group:1", "group:2"], kinds=[NotificationKind.PAGE])
    queue(kind=NotificationKind.HEALED, person_id=alice.pk, key="healed")

    assert heard == {"group:1": {Recipient(alice.pk, None), Recipient(None, channel.pk)}, "group:2": set()}
    healed = Notification.objects.filter(message_key="healed").values_list("method", flat=True)
    assert set(healed) == {sms.pk, call.pk}


def test_a_thousand_messages_take_as_many_statements_as_one() -> None:
    people = [make_user(f"p{number}") for number in range(40)]

    def cost(amount: int) -> int:
        messages = [
            make_message(person_id=people[number % 40].pk, kind=NotificationKind.HEALED)
            for number in range(amount)
        ]
        with CaptureQueriesContext(
            connection,
        ) as captured:
            put(messages, now=NOON)
        return len(captured)

    cost(40)
    assert cost(1) == cost(1000) <= 8
    assert ContactMethod.objects.count() == 40


def test_a_pager_whose_clock_is_five_minutes_fast_delays_nothing() -> None:
    fast = datetime.now(UTC) + 5 * MINUTE

    row = queue(channel_id=make_channel().pk, now=fast)

    assert row.send_at is not None
    assert row.send_at <= datetime.now(UTC)
