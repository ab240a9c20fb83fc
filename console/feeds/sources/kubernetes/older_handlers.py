"""The termination handler of GKE, from before nodes shut down gracefully by themselves."""

from __future__ import annotations

from console.feeds.normalised import Cause, Kind, Reading
from console.feeds.sources.kubernetes.event import Event

COMPONENT = "node-termination-handler"


def read(event: Event) -> Reading:
    if event.reason != "ImpendingNodeTermination":
        return event.unrecognised()
    return event.accept(Kind.INTERRUPTION_NOTICE, machine=event.node(), cause=Cause.SPOT, may_open=True)
