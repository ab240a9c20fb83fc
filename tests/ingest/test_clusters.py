"""What a cluster tells beside the cloud: one reclaim, whoever speaks first, and where its pods went."""

from __future__ import annotations

import json
import random

import pytest

from console.alerts.models import GroupMember
from console.fleet.models import Machine
from console.interruptions.models import Interruption, Move, Observation
from console.interruptions.reattributing import follow_machines
from tests.ingest.hearing import (
    ELSEWHERE,
    MACHINE,
    MINUTE,
    NODE,
    THE_NODE,
    Message,
    at,
    aws,
    hear,
    hear_one_by_one,
    node,
    pod,
    record,
    said,
    store,
)

pytestmark = pytest.mark.django_db

IDENTITY = {"account-id": "204816327500", "region": "eu-central-1", "instance-id": MACHINE}


def scheduled(seconds: float, name: str, *, to: str = ELSEWHERE) -> Message:
    message = f"Successfully assigned checkout/{name} to {to}"
    return said(seconds, "default-scheduler", "Scheduled", message, about=pod(name))


INTERRUPTED = said(6, "karpenter", "SpotInterrupted")
CORDONED = said(8, "kubelet", "NodeNotSchedulable", about=THE_NODE | {"uid": NODE})
DRAINED = said(40, "aws-node-termination-handler", "CordonAndDrain", about={"kind": "Node", "name": NODE},
               annotations=IDENTITY)  # fmt: skip
KILLED = said(12, "kubelet", "Killing", about=pod("cart-6f9d8c5b7-k2mzp"))
PLACED = scheduled(14, "cart-6f9d8c5b7-q7xvd")
STARTED = said(31, "kubelet", "Started", about=pod("cart-6f9d8c5b7-q7xvd"), host=ELSEWHERE)


def the_one() -> Interruption:
    return Interruption.objects.get(merged_into=None)


@pytest.mark.parametrize("is_piecewise", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_a_node_known_by_name_alone_is_the_machine_whose_id_is_learnt_later(
    seed: int, is_piecewise: bool
) -> None:
    story = [INTERRUPTED, CORDONED, DRAINED, aws("spot-warning-terminate", 0)]
    random.Random(seed).shuffle(story)
    (hear_one_by_one if is_piecewise else hear)(story, seconds=MINUTE)
    found = the_one()
    assert (found.machine.instance_id, found.machine.node_name) == (MACHINE, NODE)
    assert (found.started_at, found.cordoned_at) == (at(0), at(8))
    assert (found.shutdown_completed_at, found.observation_count) == (at(40), 4)
    assert Machine.objects.filter(merged_into=None).count() == 1


def test_what_was_opened_on_a_name_keeps_its_group_once_the_id_is_learnt() -> None:
    hear([INTERRUPTED], seconds=10)
    (member,) = GroupMember.objects.all()
    first = the_one()
    hear([aws("spot-warning-terminate", 0)], seconds=20)
    hear([DRAINED], seconds=50)
    assert the_one().pk == first.pk
    assert GroupMember.objects.get(interruption=first).group_id == member.group_id


@pytest.mark.parametrize(
    "alone",
    [
        CORDONED,
        DRAINED,
        KILLED,
        said(9, "node-controller", "NodeNotReady"),
        said(9, "taint-eviction-controller", "TaintManagerEviction", about=pod("cart-6f9d8c5b7-k2mzp")),
        said(9, "karpenter", "SpotInterrupted", about={"kind": "NodeClaim", "name": "spot-b8xk4"}),
        said(9, "karpenter", "DisruptionTerminating"),
    ],
    ids=lambda message: json.loads(message.body)["reason"],
)
def test_what_also_happens_on_a_rollout_opens_nothing(alone: Message) -> None:
    hear([alone], seconds=MINUTE)
    assert not Interruption.objects.exists()


@pytest.mark.parametrize("seed", range(6))
def test_a_pod_of_the_same_owner_elsewhere_is_the_move_of_the_one_evicted(seed: int) -> None:
    story = [INTERRUPTED, KILLED, PLACED, STARTED]
    random.Random(seed).shuffle(story)
    hear_one_by_one(story, seconds=MINUTE)
    (move,) = Move.objects.all()
    found = the_one()
    assert (move.interruption_id, move.workload) == (found.pk, "checkout/cart-6f9d8c5b7-k2mzp")
    assert (move.evicted_at, move.running_at, move.to_node) == (at(12), at(31), ELSEWHERE)
    assert (found.evicted_at, found.scheduled_at, found.running_at) == (at(12), at(14), at(31))


def test_each_pod_serves_one_eviction_and_other_owners_serve_none() -> None:
    hear(
        [
            INTERRUPTED,
            KILLED,
            said(13, "kubelet", "Killing", about=pod("cart-6f9d8c5b7-zz9lm")),
            said(13, "kubelet", "Killing", about=pod("mail-5d4c7b9f6-aaaaa")),
            PLACED,
            STARTED,
        ],
        seconds=MINUTE,
    )
    ran = dict(Move.objects.values_list("workload", "running_at"))
    assert ran == {
        "checkout/cart-6f9d8c5b7-k2mzp": at(31),
        "checkout/cart-6f9d8c5b7-zz9lm": None,
        "checkout/mail-5d4c7b9f6-aaaaa": None,
    }


def test_a_pod_that_starts_on_the_same_node_or_hours_later_serves_nothing() -> None:
    hear(
        [
            INTERRUPTED,
            KILLED,
            scheduled(20, "cart-6f9d8c5b7-bbbbb", to=NODE),
            scheduled(6 * 3600, "cart-6f9d8c5b7-ccccc"),
        ],
        seconds=7 * 3600,
    )
    assert Move.objects.get().running_at is None
    assert the_one().scheduled_at is None


@pytest.mark.parametrize("seed", range(4))
def test_an_eviction_that_names_no_node_is_found_by_where_its_pod_ran(seed: int) -> None:
    name = "cart-6f9d8c5b7-k2mzp"
    story = [
        INTERRUPTED,
        scheduled(-3600, name, to=NODE),
        said(10, "karpenter", "Evicted", "Evicted pod: SpotInterruption", about=pod(name)),
        PLACED,
    ]
    random.Random(seed).shuffle(story)
    hear_one_by_one(story, seconds=MINUTE)
    while follow_machines(now=at(2 * MINUTE)):
        pass
    move = Move.objects.get()
    assert (move.evicted_at, move.to_node) == (at(10), ELSEWHERE)
    assert (move.interruption_id, the_one().scheduled_at) == (the_one().pk, at(14))
    eviction = Observation.objects.get(kind="pod_evicted")
    assert (eviction.machine_id, eviction.interruption_id) == (the_one().machine_id, the_one().pk)
    assert the_one().evicted_at == at(10), "it is a witness like those that name their node"


@pytest.mark.parametrize("seed", range(3))
def test_an_eviction_of_the_next_pod_of_the_same_name_is_no_witness(seed: int) -> None:
    """A StatefulSet gives the name again: only the uid says which pod was meant."""
    name = "cart-0"
    other = said(
        10, "karpenter", "Evicted", "Evicted pod: SpotInterruption", about=pod(name) | {"uid": "the-next"}
    )
    story = [INTERRUPTED, scheduled(-3600, name, to=NODE), other]
    random.Random(seed).shuffle(story)
    hear_one_by_one(story, seconds=MINUTE)
    while follow_machines(now=at(2 * MINUTE)):
        pass
    assert Observation.objects.get(kind="pod_evicted").interruption_id is None
    assert the_one().evicted_at is None


def test_an_eviction_called_off_moves_nothing() -> None:
    kept = said(10, "taint-eviction-controller", "TaintManagerEviction",
                "Cancelling deletion of Pod checkout/cart", about=pod("cart-6f9d8c5b7-k2mzp"))  # fmt: skip
    hear([INTERRUPTED, kept, PLACED], seconds=MINUTE)
    assert not Move.objects.exists()


def test_an_uncordoned_node_is_withdrawn() -> None:
    back = said(60, "aws-node-termination-handler", "Uncordon", about={"kind": "Node", "name": NODE},
                annotations=IDENTITY)  # fmt: skip
    hear([INTERRUPTED, CORDONED, back, node(20 * MINUTE, {"type": "heartbeat"}, node_name=NODE)],
         seconds=21 * MINUTE)  # fmt: skip
    assert the_one().state == "cancelled"


def test_a_node_name_used_again_is_another_machine() -> None:
    later = said(3600, "karpenter", "SpotInterrupted", about=THE_NODE | {"uid": "another-life"})
    hear([INTERRUPTED, later], seconds=2 * 3600)
    assert Interruption.objects.filter(merged_into=None).count() == 2
    assert len({one.machine_id for one in Interruption.objects.all()}) == 2


def alert(seconds: float, status: str = "firing") -> Message:
    body = {
        "version": "4",
        "groupKey": "{}",
        "alerts": [
            {
                "status": status,
                "labels": {"alertname": "NodeGoing", "node": NODE, "cluster": "shop-eu"},
                "startsAt": f"{at(seconds):%Y-%m-%dT%H:%M:%SZ}",
                "endsAt": f"{at(seconds + MINUTE):%Y-%m-%dT%H:%M:%SZ}",
                "fingerprint": "c31f0a9be8d24756",
            }
        ],
    }
    return Message("alertmanager", json.dumps(body), seconds + 1)


def webhook() -> Message:
    """The termination handler in queue mode: its id is that of the warning at EventBridge."""
    eventbridge_id = "9f0c4a1e-27b3-4d58-8e61-b0a5c7d2e3f4"
    body = {
        "schema": "nth-webhook/1",
        "event_id": f"spot-itn-event-{eventbridge_id.encode().hex()}",
        "kind": "SPOT_ITN",
        "account": "204816327500",
        "region": "eu-central-1",
        "instance_id": MACHINE,
        "node": NODE,
        "start_time": f"{at(0):%Y-%m-%d %H:%M:%S} +0000 UTC",
    }
    return Message("nth", json.dumps(body), 4)


@pytest.mark.parametrize("seed", range(4))
def test_cloud_cluster_handler_and_alert_are_four_witnesses_of_one_reclaim(seed: int) -> None:
    story = [aws("spot-warning-terminate", 0), INTERRUPTED, webhook(), alert(20)]
    random.Random(seed).shuffle(story)
    hear_one_by_one(story, seconds=MINUTE)
    assert (the_one().witness_count, the_one().observation_count) == (4, 4)


def test_an_alert_neither_opens_an_interruption_nor_ends_one() -> None:
    hear([alert(5)], seconds=30)
    assert not Interruption.objects.exists()
    hear([INTERRUPTED, alert(5, "resolved")], seconds=MINUTE)
    assert (the_one().witness_count, the_one().ended_at) == (2, None)


def test_a_pods_namespace_is_not_its_nodes() -> None:
    store([KILLED])
    record(seconds=MINUTE)
    assert Machine.objects.get().namespace == ""
