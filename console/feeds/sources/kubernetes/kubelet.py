"""The kubelet: its node's state, and containers it starts and stops."""

from __future__ import annotations

from console.feeds.normalised import Kind, Outcome, Reading
from console.feeds.sources.kubernetes.event import Event

COMPONENT = "kubelet"
READY = "ready"

_POD_STAGES = {
    "Killing": Kind.POD_EVICTED,
    "Evicted": Kind.POD_EVICTED,
    "Started": Kind.POD_RUNNING,
}


def read(event: Event) -> Reading:
    match event.reason:
        case "NodeNotSchedulable":
            return event.accept(Kind.NODE_CORDONED, machine=event.node())
        case "NodeSchedulable":
            return event.accept(Kind.STATE_CHANGE, machine=event.node(), state="schedulable")
        case "Shutdown":
            is_off = "cancellation" in event.message
            outcome = Outcome.CANCELLED if is_off else Outcome.OK
            return event.accept(Kind.SHUTDOWN_STARTED, machine=event.node(), outcome=outcome)
        case "NodeReady":
            # Said once it is a node that came up; recording drops it where the machine was known before.
            kind = Kind.REPLACEMENT_LAUNCHED if event.count == 1 else Kind.STATE_CHANGE
            return event.accept(kind, machine=event.node(), state=READY)
    kind_of_pod = _POD_STAGES.get(event.reason)
    if kind_of_pod is None or not event.is_about_pod:
        return event.ignored()
    return event.accept(kind_of_pod, machine=event.node_named(event.host))
