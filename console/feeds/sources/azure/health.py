"""What Azure Resource Health says of a machine: through Event Grid, or as a record of the Activity Log.

It comes after the fact and names the machine by its ARM id; none of it carries a Scheduled Events id.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from console.feeds import wire
from console.feeds.identifiers import check_instance_id, is_placeholder, usable
from console.feeds.normalised import (
    Cause,
    Kind,
    MachineRef,
    NormalisedEvent,
    ParseContext,
    Reading,
    Rejected,
    Result,
)
from console.feeds.times import is_future, optional_time, required_time

EVENTGRID = "azure.eventgrid"
ACTIVITY_LOG = "azure.activity_log"

_CHILD = re.compile(r"(?i)(/subscriptions/.+?)/providers/Microsoft\.ResourceHealth/.*", re.DOTALL)
_SUBSCRIPTION = re.compile(r"(?i)/subscriptions/([^/]+)/.*", re.DOTALL)
_COMPUTE = "/providers/microsoft.compute/"
_CUSTOMER = frozenset({"customer initiated", "userinitiated", "user initiated", "customerinitiated"})


@dataclass(frozen=True, slots=True)
class Told:
    """Where a statement came from: its source, ids and times."""

    source: str
    event_id: str
    raw: bytes
    received_at: datetime
    context: ParseContext


def annotated(properties: dict[str, Any], told: Told, *, fallback: object) -> Reading:
    """What platform or customer did to the machine; the annotation's name and its context decide."""
    name = wire.text_or_none(properties.get("annotationName"), field="annotationName") or ""
    is_customer = _is_customer(properties.get("context"))
    target = _target(properties, "data.resourceInfo.properties")
    if target is None:
        return _ignored(told)
    is_preempted = name == "VirtualMachinePreempted" and not is_customer
    cause = Cause.SPOT if is_preempted else Cause.CUSTOMER if is_customer else Cause.UNKNOWN
    at = optional_time(properties.get("occurredTime"), field="data.resourceInfo.properties.occurredTime")
    return _accept(
        told,
        Kind.TERMINATED if is_preempted else Kind.STATE_CHANGE,
        target=target,
        at=at or required_time(fallback, field="eventTime"),
        cause=cause,
        may_open=is_preempted,
        message=_text(properties.get("summary")) or name or None,
    )


def availability(properties: dict[str, Any], told: Told, *, fallback: object) -> Reading:
    target = _target(properties, "data.resourceInfo.properties")
    if target is None:
        return _ignored(told)
    at = optional_time(properties.get("occurredTime"), field="data.resourceInfo.properties.occurredTime")
    state = _text(properties.get("availabilityState"))
    return _accept(
        told,
        Kind.STATE_CHANGE,
        target=target,
        at=at or required_time(fallback, field="eventTime"),
        message=f"availability: {state}" if state else None,
    )


class Record(msgspec.Struct, kw_only=True):
    """An entry of the Activity Log; a diagnostic setting writes the same fields flat."""

    category: object = None
    event_data_id: object = msgspec.field(name="eventDataId", default=None)
    correlation_id: object = msgspec.field(name="correlationId", default=None)
    event_timestamp: object = msgspec.field(name="eventTimestamp", default=None)
    time: object = None
    resource_id: object = msgspec.field(name="resourceId", default=None)
    properties: object = None


_RECORD = msgspec.json.Decoder(Record)


def parse_record(raw: bytes, *, context: ParseContext, received_at: datetime) -> Reading:
    """One record, minutes late as it comes: it says who acted, not why, and only attaches."""
    record = wire.decode(raw, _RECORD)
    category = record.category.get("value") if isinstance(record.category, dict) else record.category
    told = Told(ACTIVITY_LOG, _record_id(record, raw), raw, received_at, context)
    if category != "ResourceHealth":
        return _ignored(told)
    properties = record.properties if isinstance(record.properties, dict) else {}
    nested = properties.get("eventProperties")
    properties = nested if isinstance(nested, dict) else properties
    target = _target({"targetResourceId": record.resource_id}, "resourceId", is_plain=True)
    if target is None:
        return _ignored(told)
    at = optional_time(record.event_timestamp, field="eventTimestamp")
    by = properties.get("healthEventCause") or properties.get("cause")
    return _accept(
        told,
        Kind.STATE_CHANGE,
        target=target,
        at=at or required_time(record.time, field="eventTimestamp"),
        cause=Cause.CUSTOMER if _is_customer(by) else Cause.UNKNOWN,
        message=_text(properties.get("title")),
    )


def _record_id(record: Record, raw: bytes) -> str:
    for field, value in (("eventDataId", record.event_data_id), ("correlationId", record.correlation_id)):
        given = wire.text_or_none(value, field=field)
        if given is not None and not is_placeholder(given):
            when = record.event_timestamp or record.time
            return given if field == "eventDataId" else wire.bounded_id(f"{given}|{when}")
    return wire.canonical_hash(raw)


def _accept(
    told: Told,
    kind: Kind,
    *,
    target: str,
    at: datetime,
    cause: Cause | None = None,
    may_open: bool = False,
    message: str | None = None,
) -> Reading:
    check_instance_id(target, provider="azure", field="targetResourceId")
    event = NormalisedEvent(
        source=told.source,
        kind=kind,
        event_id=wire.bounded_id(told.event_id),
        occurred_at=at,
        machine=_machine(target, told.context),
        cause=cause,
        may_open=may_open,
        is_future=is_future(at, received_at=told.received_at),
        message=wire.plain_text(message) if message else None,
    )
    return Reading(delivery_id=wire.delivery_id(told.raw, (event,)), events=(event,))


def _machine(target: str, context: ParseContext) -> MachineRef:
    match = _SUBSCRIPTION.fullmatch(target)
    return MachineRef(
        provider="azure",
        account=match[1] if match else context.account,
        region=context.region,
        instance_id=target,
    )


def _target(properties: dict[str, Any], place: str, *, is_plain: bool = False) -> str | None:
    """The machine's ARM id; None where the resource is no machine."""
    field = place if is_plain else f"{place}.targetResourceId"
    text = usable(wire.text_or_none(properties.get("targetResourceId"), field=field))
    if text is None:
        raise Rejected("missing_instance_id", f"{field}: the machine's ARM id is required")
    child = _CHILD.fullmatch(text)
    target = child[1] if child else text
    is_other = "/providers/" in target.lower() and _COMPUTE not in target.lower()
    return None if is_other else target


def _ignored(told: Told) -> Reading:
    return Reading(delivery_id=wire.canonical_hash(told.raw), result=Result.IGNORED)


def _is_customer(context: object) -> bool:
    return isinstance(context, str) and context.strip().lower() in _CUSTOMER


def _text(value: object) -> str | None:
    return value.strip() or None if isinstance(value, str) else None
