"""What happens to messages when recording them fails: each rule of `design.md` section 2, a test."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from threading import Barrier, Thread
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
from psycopg_pool import PoolTimeout

from console.alerts import pipeline as alerting
from console.alerts.models import AlertGroup, Receipt
from console.feeds.models import PipelineAttempt, PipelineStop, QuarantinedItem, QueuedDelivery
from console.fleet.identity import ClosureGrew
from console.ingest import pipeline
from console.ingest.pipeline import is_passing
from console.interruptions.models import Interruption, InterruptionChange
from console.interruptions.recording import Heard, record_heard
from tests.ingest.hearing import MINUTE, Message, at, aws, node, record, store

pytestmark = pytest.mark.django_db(transaction=True)


def warnings(count: int, *, start: int = 0) -> list[Message]:
    return [aws("spot-warning-terminate", n % 50, machine=f"i-{n:017x}") for n in range(start, start + count)]


def machine(number: int) -> str:
    return f"i-{number:017x}"


@pytest.fixture
def fail(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let recording raise while any of the machines is in the batch (all, if none is named)."""

    def install(error: Exception, *numbers: int) -> None:
        bad = {machine(number) for number in numbers}

        def broken(heard: Sequence[Heard], **rest: Any) -> None:
            said = {event.machine.instance_id for one in heard for event in one.reading.events}
            if not bad or said & bad:
                raise error
            record_heard(heard, **rest)

        monkeypatch.setattr(pipeline, "record_heard", broken)

    return install


def as_django_raises(kind: type[psycopg.Error], wrapped: type[Exception]) -> Exception:
    error = wrapped(kind.__name__)
    error.__cause__ = kind(kind.__name__)
    return error


PASSING = [
    as_django_raises(psycopg.OperationalError, OperationalError),
    as_django_raises(psycopg.InterfaceError, InterfaceError),
    as_django_raises(psycopg.errors.DeadlockDetected, OperationalError),
    as_django_raises(psycopg.errors.SerializationFailure, OperationalError),
    as_django_raises(psycopg.errors.LockNotAvailable, OperationalError),
    as_django_raises(psycopg.errors.ReadOnlySqlTransaction, DatabaseError),
    as_django_raises(psycopg.errors.DiskFull, OperationalError),
    as_django_raises(psycopg.errors.AdminShutdown, OperationalError),
    as_django_raises(PoolTimeout, OperationalError),
    ConnectionResetError("gone"),
    ClosureGrew("named meanwhile"),
]


@pytest.mark.parametrize("error", PASSING, ids=lambda error: str(error))
def test_an_error_that_may_pass_gives_the_batch_back_and_counts_no_attempt(
    error: Exception, fail: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    store(warnings(4))
    fail(error)
    for attempt in range(7):
        with pytest.raises(type(error)):
            pipeline.record_batch(now=at(60 + MINUTE * attempt))
    assert QueuedDelivery.objects.count() == 4
    assert not PipelineAttempt.objects.exists()
    assert not QuarantinedItem.objects.exists()
    monkeypatch.undo()
    assert record(seconds=60 + 7 * MINUTE) == 4
    assert Interruption.objects.count() == 4


def test_a_value_the_database_cannot_hold_is_the_messages_own_fault() -> None:
    error = as_django_raises(psycopg.DataError, DatabaseError)
    assert error.__cause__ is not None
    assert not is_passing(error)
    assert not is_passing(ValueError("no"))


def test_a_deterministic_error_isolates_its_culprit_and_the_rest_is_recorded(
    fail: Callable[..., None],
) -> None:
    store(warnings(40))
    fail(ValueError("cannot"), 7, 23)
    assert record(seconds=60) == 40
    assert Interruption.objects.count() == 38
    held = QuarantinedItem.objects.held()
    assert {item.code for item in held} == {"processing_error"}
    assert {item.detail for item in held} == {"ValueError: cannot"}
    assert (
        sorted(bytes(i.body).count(machine(n).encode()) > 0 for i in held for n in (7, 23)).count(True) == 2
    )
    assert not QueuedDelivery.objects.exists()
    assert not PipelineAttempt.objects.exists()


def test_a_poisoned_reading_goes_to_quarantine_byte_for_byte() -> None:
    messages = warnings(12)
    store(messages)
    first = QueuedDelivery.objects.order_by("pk")[0]
    QueuedDelivery.objects.filter(pk=first.pk).update(reading=b'{"delivery_id": \xff')
    assert record(seconds=60) == 12
    (held,) = QuarantinedItem.objects.held()
    assert held.delivery_pk == first.delivery_pk
    assert bytes(held.body).decode() in {message.body for message in messages}
    assert Interruption.objects.count() == 11


def test_a_poisoned_heartbeat_is_kept_too() -> None:
    store([node(0, {"type": "heartbeat"})])
    QueuedDelivery.objects.update(reading=b"[]")
    record(seconds=60)
    assert QuarantinedItem.objects.held().count() == 1


def test_an_error_with_a_nul_in_its_text_can_be_kept(fail: Callable[..., None]) -> None:
    store(warnings(1))
    fail(ValueError("a\x00b"))
    record(seconds=60)
    assert QuarantinedItem.objects.get().detail == "ValueError: a\ufffdb"


@pytest.mark.parametrize(("size", "bad"), [(100, 6), (20, 5)])
def test_too_many_culprits_stop_the_pipeline_and_raise_an_alert(
    size: int, bad: int, fail: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    store(warnings(size))
    fail(ValueError("a bug of ours"), *range(bad))
    assert record(seconds=60) == 0
    assert QueuedDelivery.objects.count() == size
    assert not QuarantinedItem.objects.exists()
    assert not PipelineAttempt.objects.exists()
    assert PipelineStop.objects.get().name == "record"
    (group,) = AlertGroup.objects.all()
    assert (group.key, group.severity, group.status, group.origin) == (
        "pipeline_stopped:record", "critical", "triggered", "live")  # fmt: skip
    assert "ValueError: a bug of ours" in group.impact
    assert Receipt.objects.filter(group=group).count() == 1

    assert record(seconds=60 + MINUTE - 1) == 0, "it rests for a minute"
    assert record(seconds=60 + MINUTE) == 0, "it tries again, and stops again"
    assert AlertGroup.objects.count() == 1
    alerting.alert(now=at(3 * 3600))
    group.refresh_from_db()
    assert group.is_open, "time alone does not close it"

    monkeypatch.undo()
    assert record(seconds=60 + 2 * MINUTE) == size
    group.refresh_from_db()
    assert (group.status, group.resolution) == ("resolved", "healed")
    kinds = [event.kind for event in group.events.order_by("pk")]
    assert (kinds[0], kinds[-1], kinds.count("triggered"), kinds.count("resolved")) == (
        "triggered", "resolved", 1, 1)  # fmt: skip
    assert not PipelineStop.objects.exists()


def test_few_culprits_in_a_small_batch_do_not_stop_anything(fail: Callable[..., None]) -> None:
    store(warnings(4))
    fail(ValueError("no"), 0, 1, 2, 3)
    assert record(seconds=60) == 4
    assert QuarantinedItem.objects.count() == 4
    assert not PipelineStop.objects.exists()


def test_a_machine_named_by_another_worker_meanwhile_is_tried_again_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store(warnings(3))
    left = [ClosureGrew("once"), ClosureGrew("twice")]

    def growing(heard: Sequence[Heard], **rest: Any) -> None:
        record_heard(heard, **rest)
        if left:
            raise left.pop()

    monkeypatch.setattr(pipeline, "record_heard", growing)
    assert record(seconds=60) == 3
    assert Interruption.objects.count() == 3


WORKER = """
import os, sys
import django
django.setup()
from console.ingest import pipeline
from console.interruptions.recording import record_heard
from tests.ingest.hearing import at
KILLER, SECONDS = sys.argv[1], int(sys.argv[2])
def deadly(heard, **rest):
    if any(event.machine.instance_id == KILLER for one in heard for event in one.reading.events):
        os._exit(9)
    record_heard(heard, **rest)
pipeline.record_heard = deadly
while pipeline.record_batch(now=at(SECONDS)):
    pass
"""


def work(killer: str = "", *, seconds: int = 60) -> int:
    """A worker of its own process at that second; its exit code."""
    known = connection.settings_dict
    url = f"postgresql://{known['USER']}@/{known['NAME']}?host={known['HOST']}&port={known['PORT'] or 5432}"
    env = os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "console.config.settings"}
    worker = subprocess.run(
        [sys.executable, "-c", WORKER, killer, str(seconds)],
        env=env,
        cwd=settings.BASE_DIR,
        check=False,
        timeout=60,
    )
    return worker.returncode


def test_a_message_that_kills_its_worker_runs_alone_from_the_third_attempt_and_is_put_aside_after_the_fifth() -> (
    None
):
    store(warnings(5))
    codes = [work(machine(2), seconds=60 * n) for n in (1, 2)]
    assert codes == [9, 9]
    assert not Interruption.objects.exists(), "its companions went down with it"
    third = work(machine(2), seconds=180)
    assert third == 9
    assert Interruption.objects.count() >= 2, "what came before it ran alone and is recorded"
    codes = []
    while QueuedDelivery.objects.exists():
        codes.append(work(machine(2), seconds=240 + 60 * len(codes)))
        assert len(codes) < 6
    assert codes == [9, 9, 0]
    assert Interruption.objects.count() == 4
    (held,) = QuarantinedItem.objects.held()
    assert (held.code, machine(2) in bytes(held.body).decode()) == ("processing_error", True)
    assert not PipelineAttempt.objects.exists()


def test_a_message_that_stops_killing_is_recorded_after_all() -> None:
    store(warnings(3))
    assert [work(machine(1), seconds=60 * n) for n in (1, 2, 3)] == [9, 9, 9]
    assert work(seconds=240) == 0
    assert Interruption.objects.count() == 3
    assert not PipelineAttempt.objects.exists()


def in_threads(count: int, act: Callable[[int], None]) -> list[BaseException]:
    """Run `act` in threads that start together, each with a connection of its own. What they raised."""
    start, errors = Barrier(count), []

    def run(number: int) -> None:
        try:
            start.wait()
            act(number)
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [Thread(target=run, args=[number]) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads), "a worker hangs"
    return errors


def work_on(_: int) -> None:
    while pipeline.record_batch(now=at(600)) or alerting.alert_batch(now=at(600)):
        pass


def test_two_workers_never_double_work_nor_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches over the same machines and services, all at once."""
    monkeypatch.setattr(pipeline, "MOST_DELIVERIES", 7)
    told = []
    for n in range(25):
        told += [
            aws(case, n + offset, machine=machine(n))
            for case, offset in (
                ("rebalance", 0),
                ("spot-warning-terminate", 30),
                ("state-shutting-down", 100),
                ("state-terminated", 140),
            )
        ]
    store(told)
    errors: list[BaseException] = []
    for _ in range(5):
        QueuedDelivery.objects.update(due_at=None)  # what was given back has rested
        InterruptionChange.objects.update(due_at=None)
        errors += in_threads(3, work_on)
        if not QueuedDelivery.objects.exists():
            break
    assert all(is_passing(error) for error in errors), errors
    QueuedDelivery.objects.update(due_at=None)
    InterruptionChange.objects.update(due_at=None)
    work_on(0)
    assert Interruption.objects.filter(state="ended", observation_count=4).count() == 25
    assert AlertGroup.objects.get(key__startswith="service:").member_count == 25
    assert not PipelineAttempt.objects.exists()


def test_a_batch_locked_by_one_worker_is_not_seen_by_another() -> None:
    store(warnings(3))
    with transaction.atomic():
        assert len(pipeline._claim(at(60))) == 3
        seen: list[int] = []
        assert in_threads(1, lambda _: seen.append(pipeline.record_batch(now=at(60)))) == []
    assert seen == [0]
