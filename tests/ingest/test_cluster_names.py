"""Which machine a cluster means: provider ids, claims and Azure's event ids join what was told apart, in any order."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest
from django.db import transaction

from console.fleet.inventory import InventoryRow, take_inventory
from console.fleet.models import Machine
from console.interruptions.models import Interruption
from console.interruptions.reattributing import follow_machines
from console.lib.pushed import Batch
from tests.ingest.cloud_messages import EVENT, VM, annotated, arm, audit, document, listed
from tests.ingest.hearing import MACHINE, MINUTE, NODE, THE_NODE, Message, at, aws, hear, said
from tests.ingest.outcome import interruptions, unattached

pytestmark = pytest.mark.django_db(transaction=True)

AKS = "aks-spot-31415926-vmss"
CLAIM = {"kind": "NodeClaim", "name": "spot-b8xk4", "uid": "4f8e2a10-77aa-4a4b-9f1e-0d1c2b3a4958"}
OWNED = THE_NODE | {"ownerReferences": [{"kind": "NodeClaim", "name": "spot-b8xk4", "uid": CLAIM["uid"]}]}

Step = Message | Callable[[], None]


def node_list(**row: Any) -> Callable[[], None]:
    """A cluster's list of nodes, taken as inventory."""

    def take() -> None:
        take_inventory(Batch([(0, InventoryRow(cluster="shop-eu", **row))], []), origin="live", now=at(30))
        while follow_machines(now=at(MINUTE)):
            pass

    return take


class _Undo(Exception):
    pass


def outcomes(steps: list[Step]) -> list[tuple[Any, ...]]:
    """The record and the machines after each order of arrival, each in a store of its own."""
    found = []
    for order in permutations(steps):
        try:
            with transaction.atomic():
                for step in order:
                    if isinstance(step, Message):
                        hear([step], seconds=MINUTE)
                    else:
                        step()
                machines = Machine.objects.filter(merged_into=None)
                found.append((interruptions(), unattached(), machines.count()))
                raise _Undo
        except _Undo:
            pass
    return found


def the_one_in_any_order(steps: list[Step]) -> dict[str, Any]:
    found = outcomes(steps)
    assert all(each == found[0] for each in found), found
    (one,), left, machines = found[0]
    assert (left, machines) == ([], 1)
    return dict(one)


def test_a_provider_id_of_aws_joins_node_and_instance() -> None:
    listing = node_list(
        node_name=NODE, node_uid=THE_NODE["uid"], provider_id=f"aws:///eu-central-1b/{MACHINE}"
    )
    one = the_one_in_any_order(
        [aws("spot-warning-terminate", 0), said(6, "karpenter", "SpotInterrupted"), listing]
    )
    assert (one["witness_count"], one["started_at"]) == (2, at(0))


def test_a_provider_id_alone_names_a_machine_its_zone_and_region() -> None:
    node_list(provider_id=f"aws:///eu-central-1b/{MACHINE}")()
    machine = Machine.objects.get()
    assert (machine.provider, machine.instance_id) == ("aws", MACHINE)
    assert (machine.zone, machine.region) == ("eu-central-1b", "eu-central-1")


def test_a_provider_id_of_gce_joins_node_and_vm() -> None:
    node = {"kind": "Node", "name": VM, "uid": "5d2f0c1e-1111-4222-8333-944455556666"}
    listing = node_list(
        node_name=VM, node_uid=node["uid"], provider_id=f"gce://shop-prod-1/europe-west1-c/{VM}"
    )
    shutdown = said(3, "kubelet", "Shutdown", about=node | {"uid": VM}, host=VM)
    one = the_one_in_any_order([audit(31), shutdown, listing])
    assert (one["witness_count"], one["shutdown_started_at"]) == (2, at(3))


def test_a_provider_id_of_azure_joins_node_and_member_of_a_scale_set() -> None:
    node = {"kind": "Node", "name": "worker-a", "uid": "77ee0c1e-1111-4222-8333-944455556666"}
    listing = node_list(
        node_name="worker-a", node_uid=node["uid"], provider_id=f"azure://{arm('4', scale_set='workers')}"
    )
    cordoned = said(9, "kubelet", "NodeNotSchedulable", about=node, host="worker-a")
    one = the_one_in_any_order([annotated(41, arm("4", scale_set="Workers")), cordoned, listing])
    assert (one["cordoned_at"], one["ended_at"]) == (at(9), at(41))


def test_a_provider_id_that_nobody_knows_is_a_name_and_no_more() -> None:
    node_list(provider_id="kind://docker/kind/kind-worker", node_name="kind-worker")()
    machine = Machine.objects.get()
    assert (machine.provider, machine.instance_id, machine.node_name) == ("", "", "kind-worker")


def test_the_problem_detectors_event_id_is_that_of_the_machines_scheduled_event() -> None:
    node = {"kind": "Node", "name": f"{AKS}0000ny", "uid": f"{AKS}0000ny"}
    message = f"Preempt Scheduled: Wed, 11 Mar 2026 12:00:40 GMT. DurationInSeconds: -1. EventId: {EVENT}"
    seen = said(4, "node-problem-detector", "PreemptScheduled", message, about=node, host=f"{AKS}0000ny")
    again = said(6, "node-problem-detector", "PreemptScheduled", message, about=node, host=f"{AKS}0000ny")
    polled = document(0, listed(f"{AKS}_862", until=40), reporter="checkout-7", number=3)
    one = the_one_in_any_order_beside_its_reporter([polled, seen, again])
    assert (one["native_id"], one["witness_count"]) == (EVENT.lower(), 2)
    assert (one["started_at"], one["deadline_at"], one["observation_count"]) == (at(0), at(40), 3)


def the_one_in_any_order_beside_its_reporter(steps: list[Step]) -> dict[str, Any]:
    """The machine that polled the document is another than the one it is about."""
    found = outcomes(steps)
    assert all(each == found[0] for each in found), found
    (one,), _, machines = found[0]
    assert machines == 2
    return dict(one)


def test_what_is_said_of_a_claim_attaches_once_the_node_names_its_owner() -> None:
    one = the_one_in_any_order(
        [
            aws("spot-warning-terminate", 0),
            said(6, "karpenter", "SpotInterrupted", about=CLAIM),
            said(6, "karpenter", "SpotInterrupted", about=OWNED),
            node_list(node_name=NODE, provider_id=f"aws:///eu-central-1b/{MACHINE}"),
        ]
    )
    assert (one["observation_count"], one["witness_count"]) == (3, 2)


def test_a_node_list_maps_a_claim_to_its_node_before_or_after_the_claims_event() -> None:
    listing = node_list(
        node_name=NODE, node_claim="spot-b8xk4", provider_id=f"aws:///eu-central-1b/{MACHINE}"
    )
    draining = said(8, "karpenter", "DisruptionTerminating", about=CLAIM)
    one = the_one_in_any_order([aws("spot-warning-terminate", 0), draining, listing])
    assert (one["drain_started_at"], one["witness_count"]) == (at(8), 2)


def test_a_claim_of_another_cluster_is_another_machine() -> None:
    hear([said(8, "karpenter", "DisruptionTerminating", about=CLAIM)], seconds=MINUTE)
    row = InventoryRow(cluster="other", node_name="n-1", node_claim="spot-b8xk4")
    take_inventory(Batch([(0, row)], []), origin="live", now=at(30))
    assert Machine.objects.filter(merged_into=None).count() == 2
    assert not Interruption.objects.exists()
