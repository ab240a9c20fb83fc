"""Event Grid events, in Event Grid's own schema or in CloudEvents': both say the same of a machine.

Their sender sends again what is refused, or gives it up for lost: every refusal is marked as relayed.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from console.feeds import wire
from console.feeds.identifiers import is_placeholder
from console.feeds.normalised import ParseContext, Reading, Rejected, Result
from console.feeds.sources.azure import health
from console.feeds.sources.azure.health import EVENTGRID, Told

FAMILY = "Microsoft."
HEALTH_RESOURCES = "Microsoft.ResourceNotifications.HealthResources."
VALIDATION = "Microsoft.EventGrid.SubscriptionValidationEvent"

_MAPPINGS = {
    f"{HEALTH_RESOURCES}ResourceAnnotated": health.annotated,
    f"{HEALTH_RESOURCES}AvailabilityStatusChanged": health.availability,
}
EVENT_TYPES: tuple[str, ...] = tuple(_MAPPINGS)
"""Every event type that means something; the connect guide's subscription asks for these."""


class Event(msgspec.Struct, kw_only=True):
    """Both schemas: `eventType`, `topic` and `eventTime` here are `type`, `source` and `time` there."""

    id: object = None
    specversion: object = None
    event_type: object = msgspec.field(name="eventType", default=None)
    type: object = None
    topic: object = None
    source: object = None
    event_time: object = msgspec.field(name="eventTime", default=None)
    time: object = None
    data: object = None


_EVENT = msgspec.json.Decoder(Event)


def is_ours(event_type: object) -> bool:
    """Azure's own types; other publishers' events may carry a document of another source."""
    return isinstance(event_type, str) and event_type.startswith(HEALTH_RESOURCES)


def parse(raw: bytes, *, context: ParseContext, received_at: datetime) -> Reading:
    """One event, checked JSON already."""
    try:
        return _read(raw, wire.decode(raw, _EVENT), context=context, received_at=received_at)
    except Rejected as refusal:
        raise Rejected(refusal.code, refusal.detail, is_relayed=True, limit=refusal.limit) from None


def _read(raw: bytes, event: Event, *, context: ParseContext, received_at: datetime) -> Reading:
    if event.specversion is not None and event.specversion != "1.0":
        raise Rejected("unsupported_version", 'specversion: send CloudEvents "1.0"')
    name = wire.text_or_none(event.event_type or event.type, field="eventType") or ""
    mapping = _MAPPINGS.get(name)
    if mapping is None:
        note = f"unknown event type {wire.plain_text(name, limit=120)!r}"
        return Reading(delivery_id=_event_id(event, raw), result=Result.UNRECOGNISED, note=note)
    told = Told(EVENTGRID, _event_id(event, raw), raw, received_at, context)
    return mapping(_properties(event.data), told, fallback=event.event_time or event.time)


def _properties(data: object) -> dict[str, Any]:
    info = data.get("resourceInfo") if isinstance(data, dict) else None
    properties = info.get("properties") if isinstance(info, dict) else None
    if not isinstance(properties, dict):
        raise Rejected("invalid_field", "data.resourceInfo.properties: must be an object")
    return properties


def _event_id(event: Event, raw: bytes) -> str:
    """The topic and the id together: the id alone is its publisher's."""
    given = wire.text_or_none(event.id, field="id")
    if given is None or is_placeholder(given):
        return wire.canonical_hash(raw)
    origin = wire.text_or_none(event.topic or event.source, field="topic") or ""
    return wire.bounded_id(f"{origin}|{given}")
