"""The cluster autoscaler: capacity it asks for, and capacity it will not ask for."""

from __future__ import annotations

import re

from console.feeds.normalised import Kind, Outcome, Reading
from console.feeds.sources.kubernetes.event import Event

COMPONENT = "cluster-autoscaler"
_GROUP = re.compile(r"(?:\[\{|setting group |group )([^\s{}]+)")


def read(event: Event) -> Reading:
    if event.reason in ("TriggeredScaleUp", "ScaledUpGroup"):
        return event.accept(
            Kind.REPLACEMENT_LAUNCHED, machine=event.node_named(None), group=_group(event.message)
        )
    if event.reason == "NotTriggerScaleUp":
        machine = event.node_named(None)
        return event.accept(Kind.REPLACEMENT_LAUNCHED, machine=machine, outcome=Outcome.ERROR)
    return event.unrecognised()


def _group(message: str) -> str | None:
    """The scaling group, by its name or the last part of its address."""
    found = _GROUP.search(message)
    name = found[1].rpartition("/")[2] if found else ""
    return name if 0 < len(name) <= 256 else None
