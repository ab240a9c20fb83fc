"""One Kubernetes Event while it is read, in whichever of its shapes it came.

The shapes are core/v1 and events.k8s.io/v1, either with the exporter's enriched object, and any of them wrapped
by an event tailer (`{"verb", "event"}`) or a watch (`{"type", "object"}`).
"""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import Any, TypedDict, Unpack

import msgspec

from console.feeds import wire
from console.feeds.identifiers import is_placeholder
from console.feeds.normalised import (
    Cause,
    Kind,
    MachineRef,
    NormalisedEvent,
    Outcome,
    ParseContext,
    Reading,
    Rejected,
    Result,
)
from console.feeds.sources.kubernetes import pods
from console.feeds.times import is_future, optional_time

SOURCE = "k8s.event"

_ZONE = ("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone")
_REGION = ("topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region")
_TYPE = ("node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type")
_NODE_POOL = (
    "karpenter.sh/nodepool",
    "eks.amazonaws.com/nodegroup",
    "cloud.google.com/gke-nodepool",
    "kubernetes.azure.com/agentpool",
)


class Message(msgspec.Struct, kw_only=True):
    """Every field of every shape, untyped: a reason of no interest is told before any other field is judged."""

    metadata: object = None
    reason: object = None
    message: object = None
    note: object = None
    source: object = None
    deprecated_source: object = msgspec.field(name="deprecatedSource", default=None)
    reporting_component: object = msgspec.field(name="reportingComponent", default=None)
    reporting_controller: object = msgspec.field(name="reportingController", default=None)
    involved_object: object = msgspec.field(name="involvedObject", default=None)
    regarding: object = None
    series: object = None
    count: object = None
    deprecated_count: object = msgspec.field(name="deprecatedCount", default=None)
    event_time: object = msgspec.field(name="eventTime", default=None)
    last_timestamp: object = msgspec.field(name="lastTimestamp", default=None)
    first_timestamp: object = msgspec.field(name="firstTimestamp", default=None)
    deprecated_last: object = msgspec.field(name="deprecatedLastTimestamp", default=None)
    deprecated_first: object = msgspec.field(name="deprecatedFirstTimestamp", default=None)
    cluster_name: object = msgspec.field(name="clusterName", default=None)


class Said(TypedDict, total=False):
    """What a statement may say beyond its kind and machine."""

    deadline_at: datetime | None
    outcome: Outcome
    cause: Cause | None
    state: str
    native_id: str | None
    may_open: bool
    is_precise_deadline: bool
    group: str | None
    labels: dict[str, str]


class Event:
    """An Event of any shape under one set of names."""

    def __init__(
        self, raw: bytes, *, message: Message, inner: bytes, context: ParseContext, received_at: datetime
    ) -> None:
        self.raw = raw
        self.inner = inner
        """The Event itself, without what a tailer put around it."""
        self.written = message
        self.context = context
        self.received_at = received_at
        self.metadata = mapping(message.metadata, field="metadata")
        self.origin = mapping(message.source, field="source") or mapping(
            message.deprecated_source, field="deprecatedSource"
        )
        self.object = mapping(message.involved_object, field="involvedObject") or mapping(
            message.regarding, field="regarding"
        )

    @cached_property
    def reason(self) -> str:
        return text(self.written.reason, field="reason") or ""

    @cached_property
    def component(self) -> str:
        return (
            text(self.origin.get("component"), field="source.component")
            or text(self.written.reporting_component, field="reportingComponent")
            or text(self.written.reporting_controller, field="reportingController")
            or ""
        )

    @cached_property
    def message(self) -> str:
        return text(self.written.message, field="message") or text(self.written.note, field="note") or ""

    @property
    def host(self) -> str | None:
        """The node that a kubelet's event came from. Of other components it is their own node."""
        return text(self.origin.get("host"), field="source.host")

    @property
    def object_kind(self) -> str:
        return text(self.object.get("kind"), field="involvedObject.kind") or ""

    @property
    def object_name(self) -> str | None:
        return text(self.object.get("name"), field="involvedObject.name")

    @property
    def object_namespace(self) -> str | None:
        return text(self.object.get("namespace"), field="involvedObject.namespace")

    @property
    def object_uid(self) -> str | None:
        """Kubelet and node-problem-detector put the node's name there, which is no uid."""
        uid = text(self.object.get("uid"), field="involvedObject.uid")
        return None if uid == self.object_name else uid

    @property
    def annotations(self) -> dict[str, Any]:
        return mapping(self.metadata.get("annotations"), field="metadata.annotations")

    @property
    def is_about_pod(self) -> bool:
        return self.object_kind == "Pod"

    @property
    def count(self) -> int:
        """How often it was said: an aggregated Event keeps its uid and counts on."""
        series = mapping(self.written.series, field="series")
        said = ((self.written.count, "count"), (series.get("count"), "series.count"))
        for value, field in (*said, (self.written.deprecated_count, "deprecatedCount")):
            if value is None or value == 0:
                continue
            if not isinstance(value, int) or isinstance(value, bool):
                raise Rejected("invalid_field", f"{field}: must be a whole number")
            return value
        return 1

    @cached_property
    def id(self) -> str:
        uid = text(self.metadata.get("uid"), field="metadata.uid")
        if uid is None or is_placeholder(uid):
            return wire.canonical_hash(self.inner)
        return wire.bounded_id(f"{uid}:{self.count}")

    @cached_property
    def stated_at(self) -> datetime | None:
        """The first time that is there, in the order in which they can be trusted."""
        series = mapping(self.written.series, field="series")
        for value, field in (
            (self.written.event_time, "eventTime"),
            (series.get("lastObservedTime"), "series.lastObservedTime"),
            (self.written.last_timestamp, "lastTimestamp"),
            (self.written.deprecated_last, "deprecatedLastTimestamp"),
            (self.written.first_timestamp, "firstTimestamp"),
            (self.written.deprecated_first, "deprecatedFirstTimestamp"),
            (self.metadata.get("creationTimestamp"), "metadata.creationTimestamp"),
        ):
            if (at := optional_time(value, field=field)) is not None:
                return at
        return None

    @property
    def cluster(self) -> str | None:
        return text(self.written.cluster_name, field="clusterName") or self.context.cluster

    def node(self, *, provider: str | None = None) -> MachineRef:
        """The node that the event is about, with what the exporter adds of its labels."""
        if self.object_kind == "NodeClaim":
            return MachineRef(cluster=self.cluster, node_claim=self.object_name)
        if self.object_kind not in ("Node", ""):
            return MachineRef(cluster=self.cluster)
        name = self.object_name or (self.host if self.component == "kubelet" else None)
        if name is None:
            raise Rejected("missing_instance_id", "involvedObject.name: no node is named")
        labels = mapping(self.object.get("labels"), field="involvedObject.labels")
        return msgspec.structs.replace(
            self.node_named(name, provider=provider),
            node_uid=self.object_uid,
            node_claim=_claim(self.object),
            region=_first(labels, _REGION) or self.context.region,
            zone=_first(labels, _ZONE),
            instance_type=_first(labels, _TYPE),
        )

    def node_named(self, name: str | None, *, provider: str | None = None) -> MachineRef:
        """A node of this cluster; without a name the statement is about no known machine."""
        if name is None:
            return MachineRef(cluster=self.cluster)
        return MachineRef(
            provider=provider or self.context.provider,
            account=self.context.account,
            region=self.context.region,
            node_name=name,
            cluster=self.cluster,
        )

    def statement(self, kind: Kind, *, machine: MachineRef, **said: Unpack[Said]) -> NormalisedEvent:
        at = self.stated_at
        said.setdefault("labels", self.labels())
        return NormalisedEvent(
            source=SOURCE,
            kind=kind,
            event_id=self.id,
            occurred_at=at or self.received_at,
            machine=machine,
            is_observed=at is None,
            is_future=at is not None and is_future(at, received_at=self.received_at),
            message=wire.plain_text(self.message.strip()) or None,
            **said,
        )

    def labels(self) -> dict[str, str]:
        """Whose pod it is, or which pool the node is of."""
        cluster = {"cluster": self.cluster} if self.cluster else {}
        if self.is_about_pod:
            return cluster | pods.labels_of(self.object)
        if self.object_kind == "NodeClaim" and self.object_name:
            return cluster | {"node_claim": self.object_name}
        labels = mapping(self.object.get("labels"), field="involvedObject.labels")
        pool = _first(labels, _NODE_POOL) if self.object_kind == "Node" else None
        return cluster | ({"node_pool": pool} if pool else {})

    def accept(self, kind: Kind, *, machine: MachineRef, **said: Unpack[Said]) -> Reading:
        events = (self.statement(kind, machine=machine, **said),)
        return Reading(delivery_id=wire.delivery_id(self.raw, events), events=events)

    def ignored(self) -> Reading:
        return Reading(delivery_id=wire.canonical_hash(self.raw), result=Result.IGNORED)

    def unrecognised(self) -> Reading:
        note = f"unknown reason {self.reason!r} of {self.component!r}"
        return Reading(
            delivery_id=wire.canonical_hash(self.raw),
            result=Result.UNRECOGNISED,
            note=wire.plain_text(note, limit=200),
        )


def text(value: object, *, field: str) -> str | None:
    """Trimmed; None where it is absent or empty."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise Rejected("invalid_field", f"{field}: must be text")
    return value.strip() or None


def mapping(value: object, *, field: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Rejected("invalid_field", f"{field}: must be an object")
    return value


def _claim(node: dict[str, Any]) -> str | None:
    """The NodeClaim that owns the node, where the exporter adds its owners."""
    owners = node.get("ownerReferences")
    if not isinstance(owners, list):
        return None
    named = (one.get("name") for one in owners if isinstance(one, dict) and one.get("kind") == "NodeClaim")
    return next((name for name in named if isinstance(name, str) and name), None)


def place_of(labels: dict[str, Any]) -> tuple[str | None, str | None, str | None]:
    """Region, zone and instance type of a node, as its labels say."""
    return _first(labels, _REGION), _first(labels, _ZONE), _first(labels, _TYPE)


def node_pool_of(labels: dict[str, Any]) -> str | None:
    return _first(labels, _NODE_POOL)


def _first(labels: dict[str, Any], names: tuple[str, ...]) -> str | None:
    return next((found for name in names if (found := text(labels.get(name), field=name))), None)
