"""The scheduler: where pods go, and pods that find no place. Its `Preempted` is a matter of priority, not of spot."""

from __future__ import annotations

import re

from console.feeds.normalised import Kind, Outcome, Reading
from console.feeds.sources.kubernetes.event import Event

COMPONENT = "default-scheduler"
_ASSIGNED = re.compile(r"Successfully assigned (\S+) to (\S+)")


def read(event: Event) -> Reading:
    match event.reason:
        case "Scheduled":
            found = _ASSIGNED.search(event.message)
            return event.accept(Kind.POD_SCHEDULED, machine=event.node_named(found[2] if found else None))
        case "FailedScheduling":
            machine = event.node_named(None)
            return event.accept(Kind.POD_SCHEDULED, machine=machine, outcome=Outcome.ERROR)
        case _:
            return event.ignored()
