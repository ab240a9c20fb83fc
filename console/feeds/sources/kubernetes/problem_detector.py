"""The node problem detector of AKS, which repeats the Azure Scheduled Events that its node sees."""

from __future__ import annotations

import re
from datetime import datetime

from console.feeds.normalised import Cause, Kind, Reading
from console.feeds.sources.kubernetes.event import Event
from console.feeds.times import InvalidTime, parse_time

COMPONENT = "node-problem-detector"
_DEADLINE = re.compile(r"Preempt Scheduled: (.{0,40}? GMT)")
_EVENT_ID = re.compile(r"EventId: ?([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})")


def read(event: Event) -> Reading:
    """`VMEventScheduled` is said of every scheduled event; only a preemption is of interest."""
    if event.reason == "PreemptStarted" or "Preempt Started" in event.message:
        machine = event.node(provider="azure")
        return event.accept(Kind.SHUTDOWN_STARTED, machine=machine, native_id=_event_id(event.message))
    is_preempt = event.reason == "VMEventScheduled" and "Preempt" in event.message
    if event.reason != "PreemptScheduled" and not is_preempt:
        return event.unrecognised()
    deadline_at = _deadline(event.message)
    return event.accept(
        Kind.INTERRUPTION_NOTICE,
        machine=event.node(provider="azure"),
        deadline_at=deadline_at,
        is_precise_deadline=deadline_at is not None,
        cause=Cause.SPOT,
        native_id=_event_id(event.message),
        may_open=True,
    )


def _deadline(message: str) -> datetime | None:
    found = _DEADLINE.search(message)
    try:
        return parse_time(found[1]) if found else None
    except InvalidTime:
        return None


def _event_id(message: str) -> str | None:
    found = _EVENT_ID.search(message)
    return found[1].lower() if found else None
