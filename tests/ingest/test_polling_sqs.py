"""Queues are fetched from like SQS does it: at least once, deleted after the commit, poison set aside."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence

import pytest

from console.feeds.feed_settings import SenderSettings
from console.feeds.models import Feed, FeedHour, PolledSource
from console.feeds.pollers import sqs
from console.feeds.pollers.opening import open_source
from console.feeds.pollers.source import CannotPoll, Message, Source, Wanted
from console.ingest import polling as polling_room
from console.ingest.taking import Request, Taking
from console.lib.sealing import seal
from tests.ingest.conftest import Sender
from tests.ingest.polling_double import KEY, KEY_ID, REGION, Queues, double, polling, until, warning

MakeSender = Callable[..., Sender]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with double() as address:
        yield address


@pytest.fixture
def queues(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Queues:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setattr(sqs, "WAIT", 1)
    monkeypatch.setattr(polling_room, "LOOK_EVERY", 0.1)
    return Queues(endpoint)


def polled(sender: MakeSender, *addresses: str, **settings: str) -> Sender:
    known = {"queue_urls": list(addresses), "access_key_id": KEY_ID} | settings
    return sender(kind="aws-sqs", settings=known, sealed={"secret_access_key": seal(KEY)})


def test_messages_are_stored_byte_for_byte_and_then_deleted(sender: MakeSender, queues: Queues) -> None:
    feed = polled(sender, queues.make("plain"))
    bodies = [warning(number) for number in range(1, 24)]
    queues.send("plain", bodies)
    with polling():
        until(lambda: queues.left("plain") == 0)
    assert sorted(feed.stored()) == sorted(body.encode() for body in bodies)
    assert (feed.queued(), feed.held()) == (23, [])
    counted = FeedHour.objects.get(feed=feed.feed)
    assert (counted.accepted, counted.duplicates) == (23, 0)


def test_what_cannot_be_taken_is_set_aside_and_deleted_and_its_neighbours_are_taken(
    sender: MakeSender, queues: Queues
) -> None:
    feed = polled(sender, queues.make("poison"))
    queues.send("poison", [warning(1), "no JSON", warning(2)])
    with polling():
        until(lambda: queues.left("poison") == 0)
    assert len(feed.stored()) == 2
    assert feed.held() == [("malformed_json", b"no JSON")]


def test_a_notification_of_sns_in_a_queue_is_unwrapped(sender: MakeSender, queues: Queues) -> None:
    feed = polled(sender, queues.make("wrapped"))
    wrapped = {
        "Type": "Notification", "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": "arn:aws:sns:eu-west-1:123456789012:spot", "Message": warning(7),
        "Timestamp": "2026-03-11T12:00:01.000Z",
    }  # fmt: skip
    queues.send("wrapped", [json.dumps(wrapped)])
    with polling():
        until(lambda: queues.left("wrapped") == 0)
    assert (feed.stored(), feed.queued()) == ([json.dumps(wrapped).encode()], 1)


def test_several_queues_shared_by_two_pollers_are_worked_once(sender: MakeSender, queues: Queues) -> None:
    names = ["first", "second", "third"]
    feed = polled(sender, *[queues.make(name) for name in names])
    for place, name in enumerate(names):
        queues.send(name, [warning(place * 100 + number) for number in range(1, 41)])
    with polling(pollers=2):
        until(lambda: sum(map(queues.left, names)) == 0)
    assert len(feed.stored()) == 120
    counted = FeedHour.objects.get(feed=feed.feed)
    assert (counted.accepted, counted.duplicates) == (120, 0)


def test_nothing_is_deleted_before_it_is_stored(
    sender: MakeSender, queues: Queues, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A poller that dies between storing and deleting: its messages come again and are duplicates."""
    feed = polled(sender, queues.make("killed", VisibilityTimeout="1"))
    monkeypatch.setattr(sqs, "HELD_FOR", 1)
    queues.send("killed", [warning(1)])
    stored_when_deleting: list[int] = []

    class Dying:
        def __init__(self, source: Source) -> None:
            self._source = source
            self.fetch, self.keep, self.release = source.fetch, source.keep, source.release
            self.most = source.most

        def delete(self, messages: Sequence[Message]) -> None:
            stored_when_deleting.append(len(feed.stored()))
            if len(stored_when_deleting) == 1:
                raise CannotPoll("gone in between")
            self._source.delete(messages)

    with polling(open_source=lambda wanted: Dying(open_source(wanted))):
        until(lambda: queues.left("killed") == 0)
    assert stored_when_deleting == [1, 1]
    assert (len(feed.stored()), feed.queued()) == (1, 1)
    assert FeedHour.objects.get(feed=feed.feed).duplicates == 1


class Far:
    """A queue a long way off: each call takes a while, however many messages it is about."""

    most = 10

    def __init__(self, count: int) -> None:
        self._bodies = [warning(number) for number in range(count)]
        self._lock = threading.Lock()
        self._fetching = 0
        self.most_fetching = 0
        self.deleted = 0

    def fetch(self) -> list[Message]:
        with self._lock:
            self._fetching += 1
            self.most_fetching = max(self.most_fetching, self._fetching)
            given, self._bodies = self._bodies[: self.most], self._bodies[self.most :]
        time.sleep(0.1 if given else 0.3)
        with self._lock:
            self._fetching -= 1
        return [Message(body.encode(), body) for body in given]

    def delete(self, messages: Sequence[Message]) -> None:
        time.sleep(0.1)
        self.deleted += len(messages)

    def keep(self, messages: Sequence[Message]) -> None: ...

    def release(self, messages: Sequence[Message]) -> None: ...


def test_a_backlog_is_fetched_by_several_at_once_and_a_quiet_queue_by_one(sender: MakeSender) -> None:
    feed = polled(sender, f"https://sqs.{REGION}.amazonaws.com/123456789012/far")
    far = Far(205)
    with polling(open_source=lambda _: far):
        until(lambda: far.deleted == 205)
        assert far.most_fetching == 1 + polling_room.HELPERS
        until(lambda: far._fetching <= 1)
        time.sleep(0.4)
        far.most_fetching = 0
        time.sleep(0.7)
        assert far.most_fetching == 1
    assert len(feed.stored()) == 205
    assert FeedHour.objects.get(feed=feed.feed).duplicates == 0


def test_a_message_that_the_console_cannot_take_goes_aside_after_some_tries(
    sender: MakeSender, queues: Queues, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = polled(sender, queues.make("cursed"))
    monkeypatch.setattr(sqs, "HELD_FOR", 0)
    monkeypatch.setattr(polling_room, "POISON_AFTER", 2)
    take = Taking.take

    async def failing(self: Taking, request: Request) -> object:
        if b"cursed" in request.body:
            raise RuntimeError("cannot be taken")
        return await take(self, request)

    monkeypatch.setattr(Taking, "take", failing)
    queues.send("cursed", ["cursed"])
    with polling():
        until(lambda: queues.left("cursed") == 0)
    assert feed.held() == [("processing_error", b"cursed")]


def test_a_refusal_stands_on_the_feed_s_page_until_it_answers_again(
    sender: MakeSender, queues: Queues
) -> None:
    address = queues.make("there").replace("/there", "/not-there")
    feed = polled(sender, address)

    def reason() -> str:
        return "".join(PolledSource.objects.filter(feed=feed.feed).values_list("reason", flat=True))

    with polling():
        until(lambda: "NonExistent" in reason())
        assert PolledSource.objects.get(feed=feed.feed).retry_at is not None
        queues.make("not-there")
        until(lambda: reason() == "")
    assert PolledSource.objects.get(feed=feed.feed).asked_at is not None


def test_a_paused_feed_is_asked_no_more_and_resumes(sender: MakeSender, queues: Queues) -> None:
    feed = polled(sender, queues.make("paused"))
    with polling():
        until(lambda: PolledSource.objects.filter(feed=feed.feed, asked_at__isnull=False).exists())
        Feed.objects.filter(pk=feed.feed.pk).update(paused_at=feed.feed.created_at)
        time.sleep(2.0)
        queues.send("paused", [warning(1)])
        time.sleep(1.5)
        assert (feed.stored(), queues.left("paused")) == ([], 1)
        Feed.objects.filter(pk=feed.feed.pk).update(paused_at=None)
        until(lambda: len(feed.stored()) == 1)


def test_a_role_is_assumed_with_the_feed_s_own_key(queues: Queues) -> None:
    address = queues.make("by-role")
    queues.send("by-role", [warning(1)])
    role = "arn:aws:iam::123456789012:role/spot-console"
    settings = SenderSettings(queue_urls=(address,), access_key_id=KEY_ID, role_arn=role, external_id="e-1")
    wanted = Wanted("aws-sqs", address, "", settings, (("secret_access_key", KEY),))
    [message] = open_source(wanted).fetch()
    assert (message.body.decode(), message.times_received) == (warning(1), 1)


@pytest.mark.parametrize(
    "address",
    [
        f"https://sqs.{REGION}.amazonaws.com/123456789012/spot",
        f"https://{REGION}.queue.amazonaws.com/123456789012/spot",
    ],
)
def test_the_region_stands_in_the_address(address: str) -> None:
    assert sqs.region_of(Wanted("aws-sqs", address, "", SenderSettings())) == REGION
