"""Nodes, pods, budgets and owners as far as a watch needs them: read from what the API server sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import msgspec

from console.feeds.sources.kubernetes import pods
from console.feeds.sources.kubernetes.event import node_pool_of, place_of
from console.fleet.inventory import InventoryRow

Lifecycle = Literal["spot", "on-demand"]
_SPOT: dict[str, dict[str, Lifecycle]] = {
    "karpenter.sh/capacity-type": {"spot": "spot", "on-demand": "on-demand", "reserved": "on-demand"},
    "eks.amazonaws.com/capacityType": {"SPOT": "spot", "ON_DEMAND": "on-demand"},
    "cloud.google.com/gke-spot": {"true": "spot"},
    "cloud.google.com/gke-preemptible": {"true": "spot"},
    "kubernetes.azure.com/scalesetpriority": {"spot": "spot", "regular": "on-demand"},
    "node.kubernetes.io/lifecycle": {"spot": "spot", "normal": "on-demand", "on-demand": "on-demand"},
}
_GKE_ID = "container.googleapis.com/instance_id"
_MANAGED: dict[str, Lifecycle] = {
    "cloud.google.com/gke-nodepool": "on-demand",
    "kubernetes.azure.com/agentpool": "on-demand",
}
"""Labels of pools that mark their spot machines: one without the mark is paid for in full."""


class _OwnerRef(msgspec.Struct, frozen=True):
    kind: str
    name: str
    uid: str = ""
    controller: bool | None = None


class _Meta(msgspec.Struct, frozen=True, rename="camel"):
    name: str
    namespace: str = ""
    uid: str = ""
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    owner_references: list[_OwnerRef] | None = None
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None


class _NodeInfo(msgspec.Struct, frozen=True, rename="camel"):
    operating_system: str = ""


class _NodeStatus(msgspec.Struct, frozen=True, rename="camel"):
    capacity: dict[str, str] | None = None
    node_info: _NodeInfo = _NodeInfo()


class _NodeSpec(msgspec.Struct, frozen=True):
    provider_id: str = msgspec.field(name="providerID", default="")


class _Node(msgspec.Struct, frozen=True):
    metadata: _Meta
    spec: _NodeSpec = _NodeSpec()
    status: _NodeStatus = _NodeStatus()


class _Condition(msgspec.Struct, frozen=True):
    type: str
    status: str


class _PodStatus(msgspec.Struct, frozen=True):
    phase: str = ""
    conditions: list[_Condition] | None = None


class _PodSpec(msgspec.Struct, frozen=True, rename="camel"):
    node_name: str = ""


class _Pod(msgspec.Struct, frozen=True):
    metadata: _Meta
    spec: _PodSpec = _PodSpec()
    status: _PodStatus = _PodStatus()


class _Expression(msgspec.Struct, frozen=True):
    key: str
    operator: str
    values: list[str] | None = None


class Selector(msgspec.Struct, frozen=True, rename="camel"):
    """Which pods a budget is about. One without conditions is about all of its namespace."""

    match_labels: dict[str, str] | None = None
    match_expressions: list[_Expression] | None = None

    def fits(self, labels: Mapping[str, str]) -> bool:
        is_alike = all(labels.get(key) == value for key, value in (self.match_labels or {}).items())
        return is_alike and all(_holds(one, labels) for one in self.match_expressions or ())


def _holds(one: _Expression, labels: Mapping[str, str]) -> bool:
    match one.operator:
        case "In":
            return labels.get(one.key) in (one.values or ())
        case "NotIn":
            return labels.get(one.key) not in (one.values or ())
        case "Exists":
            return one.key in labels
        case "DoesNotExist":
            return one.key not in labels
        case _:
            return False


class _BudgetSpec(msgspec.Struct, frozen=True):
    selector: Selector | None = None


class _BudgetStatus(msgspec.Struct, frozen=True, rename="camel"):
    disruptions_allowed: int = 0


class _Budget(msgspec.Struct, frozen=True):
    metadata: _Meta
    spec: _BudgetSpec = _BudgetSpec()
    status: _BudgetStatus = _BudgetStatus()


class _OwnerSpec(msgspec.Struct, frozen=True):
    replicas: int | None = None


class _Owner(msgspec.Struct, frozen=True):
    metadata: _Meta
    spec: _OwnerSpec = _OwnerSpec()


_NODE = msgspec.json.Decoder(_Node)
_POD = msgspec.json.Decoder(_Pod)
_BUDGET = msgspec.json.Decoder(_Budget)
_OWNER = msgspec.json.Decoder(_Owner)

Key = tuple[str, str]
"""Namespace and name."""


@dataclass(frozen=True, slots=True)
class PodSeen:
    key: Key
    workload: str
    node: str
    is_ready: bool
    is_pending: bool
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BudgetSeen:
    key: Key
    selector: Selector | None
    allowed: int


@dataclass(frozen=True, slots=True)
class OwnerSeen:
    key: Key
    replicas: int


def read_node(raw: bytes, *, cluster: str, account: str) -> InventoryRow:
    """The machine under a node, as its labels, its provider id and the cluster say."""
    node = _NODE.decode(raw)
    labels, annotations = node.metadata.labels or {}, node.metadata.annotations or {}
    region, zone, instance_type = place_of(labels)
    cpus = (node.status.capacity or {}).get("cpu", "")
    provider_id = node.spec.provider_id
    is_gke = provider_id.startswith("gce://") and _GKE_ID in annotations
    claims = (one.name for one in node.metadata.owner_references or () if one.kind == "NodeClaim")
    return InventoryRow(
        provider="gcp" if is_gke else None,
        account=None if provider_id.startswith(("gce://", "azure://")) else account or None,
        region=region,
        zone=None if zone == "0" else zone,
        instance_id=annotations[_GKE_ID] if is_gke else None,
        instance_type=instance_type,
        os=node.status.node_info.operating_system or None,
        lifecycle=_lifecycle(labels),
        node_name=node.metadata.name,
        node_uid=node.metadata.uid or None,
        node_claim=next(claims, None),
        provider_id=provider_id or None,
        cluster=cluster or None,
        node_pool=node_pool_of(labels),
        vcpus=int(cpus) if cpus.isdigit() else None,
        started_at=node.metadata.creation_timestamp,
    )


def _lifecycle(labels: Mapping[str, str]) -> Lifecycle | None:
    for label, words in _SPOT.items():
        if (found := words.get(labels.get(label, ""))) is not None:
            return found
    return next((word for label, word in _MANAGED.items() if label in labels), None)


def read_pod(raw: bytes) -> PodSeen | None:
    """None for one that has ended, is on its way out, or belongs to its node (a static pod)."""
    pod = _POD.decode(raw)
    owners = pod.metadata.owner_references or []
    is_over = pod.status.phase in ("Succeeded", "Failed") or pod.metadata.deletion_timestamp is not None
    if is_over or any(one.kind == "Node" for one in owners):
        return None
    named = pods.labels_of(
        {
            "name": pod.metadata.name,
            "namespace": pod.metadata.namespace,
            "ownerReferences": [msgspec.to_builtins(one) for one in owners],
        }
    )
    ready = any(one.type == "Ready" and one.status == "True" for one in pod.status.conditions or ())
    return PodSeen(
        (pod.metadata.namespace, pod.metadata.name),
        named["workload"] if owners else pod.metadata.name,
        pod.spec.node_name,
        ready,
        pod.status.phase == "Pending",
        pod.metadata.labels or {},
    )


def read_budget(raw: bytes) -> BudgetSeen:
    budget = _BUDGET.decode(raw)
    key = (budget.metadata.namespace, budget.metadata.name)
    return BudgetSeen(key, budget.spec.selector, max(budget.status.disruptions_allowed, 0))


def read_owner(raw: bytes) -> OwnerSeen | None:
    """How many pods a set wants; None for one that another set owns (a Deployment's ReplicaSet)."""
    owner = _OWNER.decode(raw)
    if any(one.controller for one in owner.metadata.owner_references or ()):
        return None
    replicas = owner.spec.replicas
    return OwnerSeen((owner.metadata.namespace, owner.metadata.name), 1 if replicas is None else replicas)


def key_of(raw: bytes) -> Key:
    meta = _OWNER.decode(raw).metadata
    return meta.namespace, meta.name
