"""The door for Kubernetes Events: takes a tailer's wrapping off and hands the event to its component's file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec

from console.feeds import wire
from console.feeds.normalised import ParseContext, Reading, Rejected, Result
from console.feeds.sources.kubernetes import (
    autoscaler,
    controllers,
    karpenter,
    kubelet,
    node_termination_handler,
    older_handlers,
    problem_detector,
    scheduler,
)
from console.feeds.sources.kubernetes.event import Event, Message


class Wrapped(Message, kw_only=True):
    """An Event, or what a tailer (`verb`, `event`) or a watch (`type`, `object`) put around it."""

    verb: object = None
    event: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    watched: msgspec.Raw | msgspec.UnsetType = msgspec.field(name="object", default=msgspec.UNSET)


class _List(msgspec.Struct, kw_only=True):
    kind: str
    items: list[msgspec.Raw]


_WRAPPED = msgspec.json.Decoder(Wrapped)
_MESSAGE = msgspec.json.Decoder(Message)
_LIST = msgspec.json.Decoder(_List)

_COMPONENTS: Mapping[str, Callable[[Event], Reading]] = {
    node_termination_handler.COMPONENT: node_termination_handler.read,
    karpenter.COMPONENT: karpenter.read,
    kubelet.COMPONENT: kubelet.read,
    scheduler.COMPONENT: scheduler.read,
    autoscaler.COMPONENT: autoscaler.read,
    problem_detector.COMPONENT: problem_detector.read,
    older_handlers.COMPONENT: older_handlers.read,
    **dict.fromkeys(controllers.COMPONENTS, controllers.read),
}


def parse(raw: bytes, *, context: ParseContext, received_at: datetime) -> Reading:
    """One Event in any of its shapes, checked JSON already."""
    message: Message = wire.decode(raw, _WRAPPED)
    inner = raw
    carried = _carried(message)
    if carried is not None:
        inner = carried
        message = wire.decode(inner, _MESSAGE)
    if message.reason is None:
        return Reading(
            delivery_id=wire.canonical_hash(raw), result=Result.UNRECOGNISED, note="no reason: not an Event"
        )
    event = Event(raw, message=message, inner=inner, context=context, received_at=received_at)
    read = _COMPONENTS.get(event.component)
    return read(event) if read is not None else event.ignored()


def _carried(message: Message) -> bytes | None:
    """What is inside a wrapping, as it was sent; None where there is none."""
    if not isinstance(message, Wrapped) or message.reason is not None:
        return None
    for inside in (message.event, message.watched):
        if inside is not msgspec.UNSET:
            if not bytes(inside).startswith(b"{"):
                raise Rejected("invalid_field", "event: must be an object")
            return bytes(inside)
    return None


def events_of(body: bytes) -> list[msgspec.Raw]:
    """The Events of a List, as they were sent; `msgspec.ValidationError` for anything else."""
    listed = _LIST.decode(body)
    if not listed.kind.endswith("List"):
        raise msgspec.ValidationError("no List")
    return listed.items
