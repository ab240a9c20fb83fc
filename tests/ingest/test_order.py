"""Any order, any repetition, any split into batches and any number of workers give the same record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from threading import Event, Thread
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.alerts import pipeline as alerting
from console.alerts.models import AlertGroup, GroupMember
from console.feeds.models import QueuedDelivery
from console.ingest import claimed, pipeline
from console.ingest.pipeline import is_passing
from console.interruptions.models import Interruption, InterruptionChange
from console.interruptions.reattributing import follow_machines
from console.interruptions.recording import settle_due
from tests.ingest import outcome
from tests.ingest.hearing import HOUR, MINUTE, NODE, Message, at, aws, hear, node, pod, record, said, store

pytestmark = pytest.mark.django_db(transaction=True)

MACHINES = [f"i-{n:017x}" for n in range(4)]
NODES = [f"{n}.{NODE}" for n in range(4)]
GROUPS = st.sampled_from(["web-spot", "api-spot"])
NOW = 10 * 24 * HOUR


@st.composite
def lives(draw: st.DrawFn) -> list[Message]:
    """What some feeds tell of a few machines over hours; any message may be missing."""
    told: list[Message] = []
    for place in range(draw(st.integers(1, 3))):
        begin = draw(st.integers(0, 12)) * 2 * MINUTE
        told += draw(_reclaim(place, begin))
        if draw(st.booleans()):
            again = begin + 3 * HOUR
            told += [aws("state-running", again - HOUR, machine=MACHINES[place], received=NOW)]
            told += draw(_reclaim(place, again))
        if draw(st.booleans()):
            told += [_launched(MACHINES[place], begin - 2 * HOUR, group=draw(GROUPS))]
    told += [
        _launched(f"i-{100 + n:017x}", draw(st.integers(0, 75)) * MINUTE, group=draw(GROUPS))
        for n in range(draw(st.integers(0, 3)))
    ]
    return told


def _launched(machine: str, seconds: int, *, group: str = "web-spot") -> Message:
    return aws("asg-launched", seconds, machine=machine, group=group, received=NOW)


@st.composite
def _reclaim(draw: st.DrawFn, place: int, begin: int) -> list[Message]:
    machine, name = MACHINES[place], NODES[place]
    notice = {"type": "notice", "deadline_at": begin + 119}
    hook = {"type": "hook", "started_at": begin + 20, "finished_at": begin + 50, "outcome": "complete"}
    possible = [
        aws("rebalance", begin - MINUTE, machine=machine, received=NOW),
        aws("spot-warning-stop", begin, machine=machine, received=NOW),
        aws("state-shutting-down", begin + 60, machine=machine, received=NOW),
        aws("state-stopped", begin + 110, machine=machine, received=NOW),
        aws("bid-evicted", begin + 115, machine=machine, received=NOW),
        aws("state-terminated", begin + 45 * MINUTE, machine=machine, received=NOW),
        node(begin + 3, notice, hook, node_name=name, received=NOW),
        node(begin + 5, hook, instance_id=machine, received=NOW),
        node(begin + 70, {"type": "heartbeat"}, node_name=name, instance_id=machine, received=NOW),
    ]
    possible += _of_the_cluster(place, begin)
    return draw(st.lists(st.sampled_from(possible), min_size=1, unique=True))


def _of_the_cluster(place: int, begin: int) -> list[Message]:
    """The node's word and its pods', by name alone and with the id; replacements go to the next node."""
    name, other = NODES[place], NODES[(place + 1) % len(NODES)]
    this: dict[str, Any] = {"kind": "Node", "name": name}
    known = {"account-id": "204816327500", "instance-id": MACHINES[place], "region": "eu-central-1"}
    old, new = pod(f"cart-6f9d8c5b7-old{place}{begin}"), pod(f"cart-6f9d8c5b7-new{place}{begin}")
    assigned = f"Successfully assigned checkout/{new['name']} to {other}"
    handler, taints = "aws-node-termination-handler", "taint-eviction-controller"
    claim = {"kind": "NodeClaim", "name": f"claim-{place}", "uid": f"uid-of-claim-{place}"}
    return [
        said(begin + 2, "karpenter", "SpotInterrupted", about=claim, received=NOW),
        said(begin + 3, "karpenter", "DisruptionTerminating", about=claim, received=NOW),
        said(begin + 3, "karpenter", "DisruptionTerminating", about=this | {"ownerReferences": [claim]},
             received=NOW),
        said(begin + 2, "karpenter", "SpotInterrupted", about=this, received=NOW),
        said(begin + 4, "kubelet", "NodeNotSchedulable", about=this, received=NOW),
        said(begin + 6, "kubelet", "Killing", about=old, host=name, received=NOW),
        said(begin + 5, taints, "TaintManagerEviction", about=old, received=NOW),
        said(begin + 8, "default-scheduler", "Scheduled", assigned, about=new, received=NOW),
        said(begin + 30, "kubelet", "Started", about=new, host=other, received=NOW),
        said(begin + 50, handler, "CordonAndDrain", about=this, annotations=known, received=NOW),
    ]  # fmt: skip


def batches(messages: Sequence[Message], sizes: Sequence[int]) -> Iterator[list[Message]]:
    rest = iter(messages)
    for size in sizes:
        yield list(islice(rest, size))
    yield list(rest)


def work(errors: list[BaseException]) -> None:
    try:
        while pipeline.record_batch(now=at(NOW)) or alerting.alert_batch(now=at(NOW)):
            pass
    except Exception as error:
        errors.append(error)
    finally:
        connection.close()


def work_off(workers: int) -> None:
    """Some workers at once, again while anything waits: what was given back is taken up again."""
    for _ in range(10):
        QueuedDelivery.objects.update(due_at=None)  # what was given back has rested
        InterruptionChange.objects.update(due_at=None)
        errors: list[BaseException] = []
        threads = [Thread(target=work, args=[errors]) for _ in range(workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert all(is_passing(error) for error in errors), errors
        if not errors and not QueuedDelivery.objects.exists():
            while follow_machines(now=at(NOW)):
                work(errors)
            return
    raise AssertionError("the queue is never empty")


def told() -> tuple[object, ...]:
    return outcome.interruptions(), outcome.unattached(), outcome.episodes(), outcome.moves()


def empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE feeds_delivery, feeds_heartbeatdelivery, feeds_deliverykey, feeds_queueddelivery,"
            " interruptions_observation, interruptions_observationkey, interruptions_interruption,"
            " interruptions_episode, alerts_alertgroup, fleet_machine, fleet_pool CASCADE"
        )


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(messages=lives(), data=st.data())
def test_order_repetition_batches_and_workers_play_no_part(
    messages: list[Message], data: st.DataObject
) -> None:
    empty()
    store(messages)
    work_off(1)
    expected = told()
    assert outcome.episodes() == outcome.naive_episodes()
    assert outcome.replacements() == outcome.naive_replacements()

    empty()
    repeated = data.draw(st.lists(st.sampled_from(messages), max_size=4))
    shuffled = data.draw(st.permutations([*messages, *repeated]))
    sizes = data.draw(st.lists(st.integers(1, 4), max_size=8))
    workers = data.draw(st.integers(1, 3))
    size, pipeline.MOST_DELIVERIES = pipeline.MOST_DELIVERIES, data.draw(st.sampled_from([1, 2, 500]))
    backlog, claimed.BACKLOG = claimed.BACKLOG, data.draw(st.sampled_from([1, 4, 4_000]))
    try:
        for batch in batches(shuffled, sizes):
            store(batch)
            work_off(workers)
    finally:
        pipeline.MOST_DELIVERIES, claimed.BACKLOG = size, backlog
    assert told() == expected
    members = set(GroupMember.objects.values_list("interruption_id", flat=True))
    hints = Interruption.objects.filter(merged_into=None, state__in=["at_risk", "no_action"])
    reclaims = Interruption.objects.filter(merged_into=None).difference(hints)
    assert {one.pk for one in reclaims} == members - set(hints.values_list("pk", flat=True))
    assert not AlertGroup.objects.open().exists(), "all of this was told ten days late"


A, B, NEW, NEWER = MACHINES[0], MACHINES[1], "i-00000000000000100", "i-00000000000000101"


def _warned(machine: str, seconds: int = 0) -> Message:
    return aws("spot-warning-stop", seconds, machine=machine, received=NOW)


STORIES = {
    "two reclaims of one second and one launch": [_warned(A), _warned(B), _launched(NEW, 11 * MINUTE)],
    "two launches of one second, of two groups": [
        _warned(A),
        _launched(B, -2 * HOUR, group="api-spot"),
        _warned(B, 60),
        _launched(NEW, 5 * MINUTE, group="api-spot"),
        _launched(NEWER, 5 * MINUTE, group="web-spot"),
    ],
    "a launch after an end told late": [
        _warned(A),
        aws("state-terminated", 40 * MINUTE, machine=A, received=NOW),
        _launched(NEW, 50 * MINUTE),
    ],
    "an end told late, sooner than the launch": [
        aws("spot-warning-terminate", 0, machine=A, received=NOW),
        aws("state-terminated", 40 * MINUTE, machine=A, received=NOW),
        aws("bid-evicted", 10 * MINUTE, machine=A, received=NOW),
        _warned(B, 25 * MINUTE),
        _launched(NEW, 35 * MINUTE),
    ],
    "a machine's group, learnt from its own launch hours before": [
        _launched(A, -2 * HOUR, group="api-spot"),
        _warned(A),
        _warned(B, 60),
        _launched(NEW, 5 * MINUTE, group="web-spot"),
    ],
}


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_which_launch_serves_which_reclaim_does_not_depend_on_which_was_told_first(
    story: list[Message],
) -> None:
    found = []
    for order in _turned(story):
        empty()
        for message in order:
            store([message])
            work_off(1)
        found.append(told())
        assert outcome.replacements() == outcome.naive_replacements()
    assert all(one == found[0] for one in found)
    assert any(launched_at for _, launched_at in outcome.replacements()), "the story has a replacement"


def _turned(story: list[Message]) -> Iterator[list[Message]]:
    """Each message first, each last, and any two of them either way round."""
    for line in (story, story[::-1]):
        for place in range(len(line)):
            yield line[place:] + line[:place]


def test_a_reclaim_that_never_came_gives_its_replacement_to_the_next() -> None:
    empty()
    hear([_warned(A), _warned(B, 60), _launched(NEW, 5 * MINUTE)], seconds=6 * MINUTE)
    assert _served() == {A: at(5 * MINUTE), B: None}

    hear([node(15 * MINUTE, {"type": "heartbeat"}, instance_id=A, received=15 * MINUTE)])
    assert settle_due(now=at(HOUR)) == 2
    assert Interruption.objects.get(machine__instance_id=A).state == "cancelled"
    assert _served() == {A: None, B: at(5 * MINUTE)}


def _served() -> dict[str, datetime | None]:
    return dict(Interruption.objects.values_list("machine__instance_id", "replacement_launched_at"))


def test_changes_of_one_interruption_are_worked_off_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    empty()
    for message in (_warned(A), aws("state-stopped", 110, machine=A, received=NOW), _warned(B)):
        store([message])
        record(seconds=NOW)
    first, second, other = InterruptionChange.objects.order_by("pk").values_list("pk", flat=True)
    monkeypatch.setattr(alerting, "MOST_CHANGES", 1)
    is_claimed, may_end = Event(), Event()

    def hold() -> None:
        with transaction.atomic():
            assert [change.id for change in alerting.CHANGES.claim(at(NOW))] == [first]
            is_claimed.set()
            may_end.wait(20)
        connection.close()

    worker = Thread(target=hold)
    worker.start()
    assert is_claimed.wait(20)
    monkeypatch.setattr(alerting, "MOST_CHANGES", 1_000)
    with transaction.atomic():
        assert [change.id for change in alerting.CHANGES.claim(at(NOW))] == [other]
    may_end.set()
    worker.join(20)
    with transaction.atomic():
        assert [change.id for change in alerting.CHANGES.claim(at(NOW))] == [first, second, other]
