"""Karpenter: told twice, of the NodeClaim and of the Node, without instance id or deadline."""

from __future__ import annotations

import re

from console.feeds.normalised import Cause, Kind, Outcome, Reading
from console.feeds.sources.kubernetes.event import Event

COMPONENT = "karpenter"

_OPENING = {
    "SpotInterrupted": Kind.INTERRUPTION_NOTICE,
    "InstanceSpotInterrupted": Kind.INTERRUPTION_NOTICE,
    "SpotRebalanceRecommendation": Kind.REBALANCE_RECOMMENDATION,
    "InstanceSpotRebalanceRecommendation": Kind.REBALANCE_RECOMMENDATION,
}
_STAGES = {
    "TerminatingOnInterruption": Kind.NODE_DRAIN_STARTED,
    "DisruptionTerminating": Kind.NODE_DRAIN_STARTED,
    "InstanceStopping": Kind.STATE_CHANGE,
    "InstanceTerminating": Kind.SHUTDOWN_STARTED,
}
_FAILURES = {
    "FailedDraining": Kind.NODE_DRAIN_STARTED,
    "TerminationGracePeriodExpiring": Kind.NODE_DRAIN_STARTED,
}
_CHOSEN_NODE = re.compile(r"\bnode/([a-z0-9.-]+)")


def read(event: Event) -> Reading:
    if kind := _OPENING.get(event.reason):
        # A NodeClaim may not be known for its node yet: the twin about the node opens, so one reclaim never becomes
        # two.
        is_node = event.object_kind == "Node"
        return event.accept(kind, machine=event.node(), cause=Cause.SPOT, may_open=is_node)
    if kind := _STAGES.get(event.reason):
        return event.accept(kind, machine=event.node())
    if kind := _FAILURES.get(event.reason):
        return event.accept(kind, machine=event.node(), outcome=Outcome.ERROR)
    if event.reason == "Evicted":
        return event.accept(Kind.POD_EVICTED, machine=event.node_named(None))
    if event.reason == "Nominated":
        found = _CHOSEN_NODE.search(event.message)
        return event.accept(Kind.STATE_CHANGE, machine=event.node_named(found[1] if found else None))
    return event.unrecognised()
