"""From the outbox to a provider that answers well, badly, late or not at all. Each promise a sentence."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from console.lib import outgoing
from console.notifications.claiming import LEASE, claim
from console.notifications.models import (
    AllowedHost,
    AttemptOutcome,
    Channel,
    ChannelKind,
    Importance,
    Notification,
    NotificationKind,
)
from console.notifications.outbox import call_off
from console.notifications.sending import Outcome, send_next, settle
from tests.make_accounts import make_user
from tests.make_notifications import make_method, make_rule, queue
from tests.notifications.outbox_hands import answers, send_due, states
from tests.notifications.sinks import Sink

pytestmark = pytest.mark.django_db
ChannelTo = Callable[..., Channel]
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def short_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "TOTAL_TIMEOUT", 0.3)


@pytest.mark.parametrize("kind", ChannelKind.values)
@pytest.mark.parametrize("origin", ["sample", "drill", "test"])
def test_no_sender_lets_anything_but_live_out_of_the_house(
    kind: ChannelKind, origin: str, channel_to: ChannelTo, sink: Sink
) -> None:
    queue(origin=origin, channel_id=channel_to(kind, addresses="a@example.com").pk)

    assert send_due(after=3600) == 0
    assert (sink.heard, answers(), states()) == ([], [], ["not_sent"])


@pytest.mark.parametrize(
    ("answer", "state", "waits", "words"),
    [
        ((200, {}, "thanks"), "delivered", None, "200 thanks"),
        ((500, {}, "oh no"), "queued", 5, "500 oh no"),
        ((429, {"Retry-After": "120"}, "slow down"), "queued", 120, "429 slow down"),
        ((404, {}, "no such hook"), "failed", None, "404 no such hook"),
        ((302, {"Location": "/b"}, ""), "failed", None, "302: a redirect is not followed"),
        ((504, {}, "upstream"), "unknown", 5, "504 upstream"),
        ("cut", "unknown", 5, "127.0.0.1 broke off before it answered"),
        ("hang", "unknown", 5, "127.0.0.1 did not answer within 0 s"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_a_provider_answers_decides_what_becomes_of_a_message(
    answer: object, state: str, waits: int | None, words: str, channel_to: ChannelTo, sink: Sink
) -> None:
    sink.answers = [answer]
    pk = queue(channel_id=channel_to().pk).pk

    send_due()

    row = Notification.objects.get(pk=pk)
    assert (row.state, row.note.startswith(words), len(sink.heard)) == (state, True, 1)
    assert (row.settled_at is None) == (waits is not None)
    if waits:
        assert row.send_at is not None
        assert abs((row.send_at - timezone.now()).total_seconds() - waits) < 3


def test_a_message_whose_answer_was_lost_is_sent_again_and_says_so(channel_to: ChannelTo, sink: Sink) -> None:
    sink.answers = ["cut"]
    queue(channel_id=channel_to().pk)

    send_due(), send_due(after=6)

    first, second = (request.json for request in sink.heard)
    assert (first["is_possibly_duplicated"], second["is_possibly_duplicated"]) == (False, True)
    assert second["text"].startswith("Possibly duplicated: it is not known whether the message of ")
    assert states() == ["delivered"]


def test_retries_end_and_the_provider_has_the_last_word(channel_to: ChannelTo, sink: Sink) -> None:
    sink.answers = [(503, {}, f"try {number}") for number in range(1, 20)]
    queue(channel_id=channel_to().pk)

    for number in range(1, 12):
        send_due(after=number * 301)

    assert [outcome for outcome, _ in answers()] == ["failed"] * 8
    assert states() == ["failed"]
    assert Notification.objects.get().note == "503 try 8"


def test_a_message_that_may_have_arrived_is_never_called_failed(channel_to: ChannelTo, sink: Sink) -> None:
    sink.answers = ["cut", (404, {}, "gone")]
    queue(channel_id=channel_to().pk)

    send_due(), send_due(after=6)

    assert states() == ["unknown"]
    assert Notification.objects.get().send_at is None


def test_acknowledging_while_it_is_being_sent_keeps_it_from_being_tried_again(
    channel_to: ChannelTo, sink: Sink
) -> None:
    sink.answers = [(500, {}, "no")]
    queue(channel_id=channel_to().pk)
    claimed = claim(now=timezone.now())
    assert claimed is not None

    call_off(["group:1"], kinds=[NotificationKind.PAGE], reason="Alice has it", now=timezone.now())
    settle(claimed, Outcome(AttemptOutcome.FAILED, "500 no"), now=timezone.now())

    assert states() == ["called_off"]
    assert send_due(after=3600) == 0


def test_a_message_sent_late_says_when_it_was_due(channel_to: ChannelTo, sink: Sink) -> None:
    queue(channel_id=channel_to().pk, now=timezone.now() - 7 * MINUTE)

    send_due()

    due = timezone.now() - 7 * MINUTE
    assert sink.heard[0].json["text"].startswith(f"Late: due {due:%-d %b %H:%M} UTC, sent ")


def test_what_is_said_later_about_the_same_thing_never_overtakes(channel_to: ChannelTo, sink: Sink) -> None:
    channel = channel_to(ChannelKind.PAGERDUTY)
    sink.answers = [(500, {}, "no")]
    queue(channel_id=channel.pk)
    send_due()
    queue(channel_id=channel.pk, kind=NotificationKind.HEALED)
    queue(channel_id=channel.pk, subject="group:2")

    send_due(), send_due(after=6)

    told = [
        (body["event_action"], body["dedup_key"][-7:]) for body in (request.json for request in sink.heard)
    ]
    assert told == [
        ("trigger", "group:1"),
        ("trigger", "group:2"),
        ("trigger", "group:1"),
        ("resolve", "group:1"),
    ]


def test_more_messages_than_a_method_takes_come_as_one_with_their_count(
    channel_to: ChannelTo, sink: Sink
) -> None:
    alice = make_user("alice")
    method = _method_to_sink(alice, channel_to)

    queue(person_id=alice.pk, importance=Importance.IMPORTANT)
    first = send_due()
    for number in range(2, 7):
        queue(person_id=alice.pk, importance=Importance.IMPORTANT, title=f"page {number}")
    second = send_due()
    queue(person_id=alice.pk, importance=Importance.IMPORTANT, title="page 7")
    third = send_due()
    waits = Notification.objects.get(title="page 7")
    for number in (8, 9):
        queue(person_id=alice.pk, importance=Importance.IMPORTANT, title=f"page {number}")
    fourth = send_due(after=301)

    titles = [request.json["title"] for request in sink.heard]
    assert (first, second, third, fourth) == (1, 1, 0, 1)
    assert titles == ["checkout: 3 of 12 replicas", "5 messages: page 2", "3 messages: page 7"]
    assert "- page 6" in sink.heard[1].json["text"]
    assert waits.note == f"Waits, to come as one: 2 messages in 5 min went to {method} already"
    assert set(states()) == {"delivered"}


def test_default_messages_never_hold_up_an_important_one(channel_to: ChannelTo, sink: Sink) -> None:
    alice = make_user("alice")
    _method_to_sink(alice, channel_to)
    for _ in range(3):
        queue(person_id=alice.pk, kind=NotificationKind.TICKET)
        send_due()
    queue(person_id=alice.pk, importance=Importance.IMPORTANT, title="page")

    send_due()

    assert [request.json["title"] for request in sink.heard][-1] == "page"


def test_a_worker_with_a_fast_clock_takes_no_lease_from_another(channel_to: ChannelTo) -> None:
    """All of them go by the database's clock: what `send_next` is given is never their own."""
    queue(channel_id=channel_to().pk)
    claimed = claim(now=timezone.now())
    assert claimed is not None

    assert send_next(now=timezone.now() + LEASE / 2) is False
    assert states() == ["sending"]


def test_a_lease_that_is_over_belongs_to_whoever_claims_next(channel_to: ChannelTo, sink: Sink) -> None:
    queue(channel_id=channel_to().pk, now=timezone.now() - 2 * LEASE)
    slow = claim(now=timezone.now() - 2 * LEASE)
    assert slow is not None

    send_due()
    is_written = settle(slow, Outcome(AttemptOutcome.FAILED, "500", is_final=True), now=timezone.now())

    assert (is_written, states()) == (False, ["delivered"])
    assert [outcome for outcome, _ in answers()] == ["lost", "delivered"]
    assert sink.heard[0].json["is_possibly_duplicated"] is True


@pytest.mark.parametrize("is_archived", [True, False])
def test_what_became_unusable_meanwhile_fails_at_once_and_says_why(
    is_archived: bool, channel_to: ChannelTo
) -> None:
    channel = channel_to()
    queue(channel_id=channel.pk)
    if is_archived:
        channel.archive(now=timezone.now())
    else:
        Channel.objects.update(sealed_settings="sealed with another key")

    send_due()

    row = Notification.objects.get()
    expected = "archived meanwhile" if is_archived else "another SECRET_KEY"
    assert (row.state, expected in row.note) == ("failed", True)


def test_a_private_host_that_nobody_allowed_is_never_called(channel_to: ChannelTo, sink: Sink) -> None:
    channel = channel_to()
    AllowedHost.objects.all().delete()
    queue(channel_id=channel.pk)

    send_due()

    assert (sink.heard, states()) == ([], ["failed"])


def _method_to_sink(person: object, channel_to: ChannelTo, **fields: object) -> object:
    """A contact method that takes two messages in five minutes, and is the person's for everything."""
    method = make_method(person, kind="webhook", sealed_settings=channel_to().sealed_settings, bundle_after=2)  # type: ignore[arg-type]
    make_rule(method), make_rule(method, importance=Importance.DEFAULT)
    return method
