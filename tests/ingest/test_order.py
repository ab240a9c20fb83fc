"""Any order, any repetition, any split into batches and any number of workers give the same record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from threading import Thread
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.alerts import pipeline as alerting
from console.alerts.models import AlertGroup, GroupMember
from console.feeds.models import QueuedDelivery
from console.ingest import claimed, pipeline
from console.ingest.pipeline import is_passing
from console.interruptions.models import Interruption, InterruptionChange
from tests.ingest import outcome
from tests.ingest.hearing import HOUR, MINUTE, NODE, Message, at, aws, node, pod, said, store

pytestmark = pytest.mark.django_db(transaction=True)

MACHINES = [f"i-{n:017x}" for n in range(4)]
NODES = [f"{n}.{NODE}" for n in range(4)]
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
    told += [
        aws("asg-launched", draw(st.integers(0, 30)) * MINUTE, machine=f"i-{100 + n:017x}", received=NOW)
        for n in range(draw(st.integers(0, 3)))
    ]
    return told


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
    counted = Interruption.objects.filter(merged_into=None).exclude(state__in=["at_risk", "no_action"])
    assert GroupMember.objects.count() == counted.count()
    assert not AlertGroup.objects.open().exists(), "all of this was told ten days late"
