"""The control plane's node controllers: readiness, taints and the removal of nodes."""

from __future__ import annotations

from console.feeds.normalised import Kind, Outcome, Reading
from console.feeds.sources.kubernetes.event import Event

COMPONENTS = frozenset(
    {
        "node-controller",
        "node-lifecycle-controller",
        "taint-eviction-controller",
        "cloud-node-controller",
        "cloud-node-lifecycle-controller",
        "cloud-controller-manager",
        "controllermanager",
        "kube-controller-manager",
    }
)


def read(event: Event) -> Reading:
    match event.reason:
        case "NodeNotReady":
            machine = event.node_named(None) if event.is_about_pod else event.node()
            return event.accept(Kind.STATE_CHANGE, machine=machine, state="not-ready")
        case "TaintManagerEviction":
            is_kept = "Cancelling deletion" in event.message
            outcome = Outcome.CANCELLED if is_kept else Outcome.OK
            return event.accept(Kind.POD_EVICTED, machine=event.node_named(None), outcome=outcome)
        case "NodeControllerEviction":
            return event.accept(Kind.POD_EVICTED, machine=event.node_named(None))
        case "DeletingNode" | "RemovingNode":
            return event.accept(Kind.TERMINATED, machine=event.node())
        case _:
            return event.ignored()
