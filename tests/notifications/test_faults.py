"""Workers that die, race or find a database that only reads: nothing is lost, and nothing goes out twice unsaid."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from psycopg.conninfo import make_conninfo

from console.notifications import sending, tasks
from console.notifications.claiming import LEASE
from console.notifications.models import Attempt, Channel, Notification, NotificationKind
from console.notifications.outbox import call_off
from console.notifications.senders.sender import Taken
from console.notifications.sending import send_next
from tests.make_notifications import queue
from tests.notifications.outbox_hands import answers, send_due, states
from tests.notifications.sinks import Sink

pytestmark = pytest.mark.django_db(transaction=True)
ChannelTo = Callable[..., Channel]
SEND = """
import django; django.setup()
from console.notifications.tasks import send
send()
"""


def _database() -> str:
    return make_conninfo(settings.DATABASE_URL, dbname=str(connection.settings_dict["NAME"]))


@pytest.mark.faults
def test_a_page_whose_sender_was_killed_in_the_middle_is_sent_again_and_says_so(
    channel_to: ChannelTo, sink: Sink
) -> None:
    sink.answers = ["hang"]
    queue(channel_id=channel_to().pk)
    env = {**os.environ, "DATABASE_URL": _database()}
    process = subprocess.Popen([sys.executable, "-c", SEND], env=env)
    assert sink.arrived.wait(60)
    process.send_signal(signal.SIGKILL)
    process.wait(10)

    before = states(), send_due()
    after = send_due(after=LEASE.total_seconds() + 1)

    assert (before, after, states()) == ((["sending"], 0), 1, ["delivered"])
    assert [request.json["is_possibly_duplicated"] for request in sink.heard] == [False, True]
    assert [outcome for outcome, _ in answers()] == ["lost", "delivered"]


def test_senders_at_once_send_each_message_once_and_one_at_a_time_by_a_route(
    channel_to: ChannelTo, sink: Sink
) -> None:
    channels = [channel_to() for _ in range(3)]
    keys = [queue(channel_id=channels[number % 3].pk, subject=f"group:{number}").key for number in range(30)]

    _at_once(lambda: [None for _ in iter(_send_until_quiet, False)], threads=5)

    heard = [request.json["id"] for request in sink.heard]
    assert Counter(heard) == Counter(keys)
    for number in range(3):
        assert [key for key in heard if key in keys[number::3]] == keys[number::3]
    assert Attempt.objects.count() == 30


def test_an_acknowledgement_stops_everything_that_was_not_on_its_way_yet(
    channel_to: ChannelTo, sink: Sink
) -> None:
    channels = [channel_to() for _ in range(4)]
    for number in range(40):
        queue(channel_id=channels[number % 4].pk)

    def acknowledge() -> None:
        sink.arrived.wait(20)
        call_off(["group:1"], kinds=[NotificationKind.PAGE], reason="Alice has it", now=timezone.now())
        acknowledged_with.append(len(sink.heard))

    acknowledged_with: list[int] = []
    _at_once(_send_until_quiet, _send_until_quiet, acknowledge)

    counts = Counter(states())
    assert counts["called_off"] > 0
    assert counts["delivered"] == len(sink.heard) <= acknowledged_with[0] + 2
    assert counts["delivered"] + counts["called_off"] == 40


def test_while_the_database_only_reads_nothing_is_sent_and_afterwards_all_is(
    channel_to: ChannelTo, sink: Sink
) -> None:
    queue(channel_id=channel_to().pk)
    with _read_only():
        tasks.send()
        assert sink.heard == []

    tasks.send()

    assert (len(sink.heard), states()) == (1, ["delivered"])


def test_a_page_whose_outcome_could_not_be_written_is_sent_again_and_says_so(
    channel_to: ChannelTo, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_over = sending._hand_over

    def hand_over_and_fall(*words: Any) -> Taken:
        taken = hand_over(*words)
        _set_read_only("on")
        return taken

    queue(channel_id=channel_to().pk)
    monkeypatch.setattr(sending, "_hand_over", hand_over_and_fall)
    tasks.send()
    _set_read_only("off")
    monkeypatch.undo()

    assert states() == ["sending"]
    send_due(after=LEASE.total_seconds() + 1)

    assert [request.json["is_possibly_duplicated"] for request in sink.heard] == [False, True]
    assert states() == ["delivered"]


@pytest.mark.parametrize("beats", [0, 1, 2, 5])
def test_however_often_the_beat_strikes_a_message_goes_out_once(
    beats: int, channel_to: ChannelTo, sink: Sink
) -> None:
    queue(channel_id=channel_to().pk)

    for _ in range(beats):
        tasks.send()
    if not beats:  # it stood still for two minutes: the next stroke finds it, and it says how late it is
        Notification.objects.update(due_at=timezone.now() - timedelta(minutes=2))
        tasks.send()

    (request,) = sink.heard
    assert request.json["text"].startswith("Late: due ") is (beats == 0)


def _send_until_quiet() -> bool:
    while send_next(now=timezone.now()):
        pass
    return False


def _at_once(*work: Callable[[], object], threads: int = 1) -> None:
    running = [threading.Thread(target=_run, args=[each]) for each in work for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(60)


def _run(work: Callable[[], object]) -> None:
    try:
        work()
    finally:
        connection.close()


@contextmanager
def _read_only() -> Iterator[None]:
    """As on a standby: this session may only read."""
    _set_read_only("on")
    yield
    _set_read_only("off")


def _set_read_only(word: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET default_transaction_read_only = {word}")
