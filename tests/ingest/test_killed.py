"""Workers that die: what was in their hands is done by others, and only what kills them is put aside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from random import Random
from threading import Event, Thread
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from console.alerts import working_off
from console.feeds.models import PipelineAttempt, QuarantinedItem, QueuedDelivery
from console.fleet.models import Machine
from console.ingest import pipeline
from console.interruptions.models import Interruption
from console.interruptions.recording import Heard, record_heard
from tests.crew import Crew
from tests.ingest.hearing import HOUR, MINUTE, at, aws, hear, store
from tests.reclaims.judging import judge
from tests.reclaims.telling import messages, stream

pytestmark = pytest.mark.django_db(transaction=True)

POISON = f"i-{0xDEAD:017x}"
FEW = 8


class Killed(BaseException):
    """The worker is gone: nothing of ours runs after it, and the database rolls back."""


Dies = Callable[[int, bool], bool]
"""Whether the worker dies over so many messages, the poison among them or not."""


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Callable[[Dies], list[int]]:
    """Workers that die as told, each followed by the next a minute later, until all is done. Sizes of what they took."""

    def work(dies: Dies) -> list[int]:
        sizes: list[int] = []

        def deadly(heard: Sequence[Heard], **rest: Any) -> None:
            sizes.append(len(heard))
            named = {event.machine.instance_id for one in heard for event in one.reading.events}
            if dies(len(heard), POISON in named):
                raise Killed
            record_heard(heard, **rest)

        monkeypatch.setattr(pipeline, "record_heard", deadly)
        monkeypatch.setattr(working_off, "FEW", FEW)
        for minute in range(1_000):
            try:
                while pipeline.record_batch(now=at(60 + MINUTE * minute)):
                    pass
            except Killed:
                continue
            if not QueuedDelivery.objects.exists():
                return sizes
        raise AssertionError("it never ends")

    return work


def tell(innocents: int, *, poison: bool = True) -> None:
    machines = [f"i-{n:017x}" for n in range(innocents)]
    if poison:
        machines.insert(innocents // 2, POISON)
    store([aws("spot-warning-terminate", n % 50, machine=machine) for n, machine in enumerate(machines)])


def held() -> list[tuple[str, bool]]:
    return [(one.detail, POISON.encode() in bytes(one.body)) for one in QuarantinedItem.objects.held()]


def test_a_message_that_kills_every_worker_is_put_aside_after_five_deaths_and_all_else_is_recorded(
    worker: Callable[[Dies], list[int]],
) -> None:
    tell(60)
    deaths: list[int] = []

    def dies(size: int, is_poisoned: bool) -> bool:
        deaths.extend([size] * is_poisoned)
        return is_poisoned

    sizes = worker(dies)
    whole, among_few, *alone = deaths
    assert (whole, among_few <= FEW, alone) == (61, True, [1, 1, 1])
    assert sizes.count(1) < FEW + len(alone), "only what died among few runs alone"
    assert held() == [(working_off.DIED, True)]
    assert Interruption.objects.count() == 60
    assert not PipelineAttempt.objects.exists()


def test_when_every_batch_dies_that_is_no_single_message_nothing_is_put_aside(
    worker: Callable[[Dies], list[int]],
) -> None:
    """As where memory is short: one at a time goes through."""
    tell(20, poison=False)
    sizes = worker(lambda size, _: size > 1)
    assert [size for size in sizes if size > 1] == [20, FEW, FEW, 4]
    assert held() == []
    assert Interruption.objects.count() == 20


@pytest.mark.parametrize("seed", range(3))
def test_deaths_at_random_put_no_innocent_aside(seed: int, worker: Callable[[Dies], list[int]]) -> None:
    """The longer a batch takes the likelier its worker is killed; the poison kills every one of its own."""
    tell(30)
    chance = Random(seed)
    worker(lambda size, is_poisoned: is_poisoned or chance.random() < min(0.9, 0.05 + size / 20))
    assert held() == [(working_off.DIED, True)]
    assert Interruption.objects.count() == 30
    assert not PipelineAttempt.objects.exists()


def test_one_that_runs_alone_does_not_wait_for_another_worker_and_that_is_no_attempt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Killed while it waits it would look as if it killed."""
    monkeypatch.setattr(working_off, "_IMPATIENT", "SET LOCAL lock_timeout TO '100ms'")
    hear([aws("spot-warning-terminate", 0, machine=POISON)])
    store([aws("state-terminated", 100, machine=POISON)])
    queued = list(QueuedDelivery.objects.values_list("pk", flat=True))
    for second in (200, 201):
        PipelineAttempt.objects.create(pipeline="record", queued_ids=queued, at=at(second))
    with held_by_another(), pytest.raises(OperationalError):
        pipeline.record_batch(now=at(300))
    assert PipelineAttempt.objects.count() == 2
    assert QueuedDelivery.objects.get().due_at == at(300.5)
    assert pipeline.record_batch(now=at(301)) == 1
    assert Interruption.objects.get().terminated_at == at(100)
    assert not PipelineAttempt.objects.exists()


class held_by_another:
    """Every machine is locked by another connection."""

    def __enter__(self) -> None:
        self._locked, self._over = Event(), Event()
        self._thread = Thread(target=self._hold)
        self._thread.start()
        assert self._locked.wait(10)

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(10)

    def _hold(self) -> None:
        with transaction.atomic():
            list(Machine.objects.select_for_update())
            self._locked.set()
            self._over.wait(10)
        connection.close()


@pytest.mark.faults
@pytest.mark.timeout(180)
def test_workers_killed_at_random_beside_one_that_a_message_kills() -> None:
    """Real processes, SIGKILL at any moment: each reclaim is one interruption, and only the poison is put aside."""
    told = stream(40, seed=7)
    hear(
        [aws("spot-warning-terminate", 0, machine=f"i-{1:017x}")]
    )  # partitions, rules: what the first one makes
    before = Interruption.objects.count()
    heard = messages(told)
    heard.insert(len(heard) // 3, aws("spot-warning-terminate", 0, machine=POISON))
    store(heard)
    begin = at(0) + timedelta(seconds=24 * HOUR)
    with Crew(begin=begin, pace=10, size=2, killed_every=(0.2, 0.7), most_killed=8, killer=POISON) as crew:
        crew.wait_until_done(within=120)
    assert crew.killed >= 2
    assert held() == [(working_off.DIED, True)]
    verdict = judge(told)
    assert verdict.found - before == verdict.told
    assert (verdict.wrong_merges, verdict.splits, verdict.lost) == ([], [], [])
