"""The kinds of feed as people choose among them: what each one is, and which can be read today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from console.feeds.models import FeedKind
from console.feeds.reading import PARSERS

_LEADS: Mapping[FeedKind, str] = MappingProxyType(
    {
        FeedKind.AWS_EVENTBRIDGE: "Spot warnings, state changes and scaling events of AWS, pushed by a rule.",
        FeedKind.CLOUDEVENTS: "Messages of the other kinds inside CloudEvents 1.0: structured, batch or binary.",
        FeedKind.NODE_REPORT: "A node's own word: notices, heartbeats, hooks. Whatever runs curl can send it.",
        FeedKind.AWS_SNS: "EventBridge events through an SNS topic, with its signature checked.",
        FeedKind.AWS_SQS: "EventBridge events and lifecycle hooks from SQS: polled here, or relayed by a function.",
        FeedKind.AWS_IMDS: "What the AWS instance metadata service says, posted by a watcher on the node.",
        FeedKind.NTH_WEBHOOK: "Spot and rebalance notices as the AWS node termination handler posts them.",
        FeedKind.GCP_PUBSUB: "Preemptions, stops and launches from the audit log, pushed by Pub/Sub.",
        FeedKind.GCP_PUBSUB_PULL: "Preemptions from the audit log of Google Cloud: pulled here, or relayed by a job.",
        FeedKind.GCP_METADATA: "The half minute of notice that only the VM is given, posted by a watcher.",
        FeedKind.GCP_OPERATIONS: "Preemptions from the Compute Engine operations list.",
        FeedKind.AZURE_EVENTGRID: "Preempted and unavailable machines, pushed by Event Grid.",
        FeedKind.AZURE_SCHEDULED_EVENTS: "Azure's own notice with its deadline, posted by a watcher on the node.",
        FeedKind.KUBERNETES: "Cluster events: reclaim notices, cordons, evictions and where the pods went.",
        FeedKind.KUBERNETES_WATCH: "Cluster events and workload states, machines too, watched with a service account.",
        FeedKind.ALERTMANAGER: "Alerts of Prometheus, attached to the reclaims they belong to.",
    }
)


@dataclass(frozen=True, slots=True)
class OfferedKind:
    """One kind as the page for a new feed shows it."""

    value: str
    label: str
    lead: str
    is_available: bool


def is_available(kind: str) -> bool:
    """Whether messages of this kind can be read today; until then its feeds answer 501."""
    return kind in PARSERS


def offered_kinds() -> list[OfferedKind]:
    """All kinds: those that can be connected today first, then those that arrive later."""
    offered = [
        OfferedKind(kind.value, str(kind.label), lead, is_available(kind.value))
        for kind, lead in _LEADS.items()
    ]
    return sorted(offered, key=lambda kind: not kind.is_available)
