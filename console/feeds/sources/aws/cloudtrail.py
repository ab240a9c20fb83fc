"""CloudTrail's BidEvictedEvent, the one durable proof of a reclaim: inside EventBridge, or bare."""

from __future__ import annotations

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
from console.feeds.sources.aws.event import Envelope, Event, aside
from console.feeds.times import is_future, optional_time, required_time
from console.feeds.wire import text_or_none

SOURCE = "aws.cloudtrail"
BID_EVICTED = "BidEvictedEvent"


class Record(msgspec.Struct, kw_only=True):
    """A CloudTrail record; its fields are the detail of the EventBridge event around it."""

    event_name: object = msgspec.field(name="eventName", default=None)
    event_time: object = msgspec.field(name="eventTime", default=None)
    event_id: object = msgspec.field(name="eventID", default=None)
    aws_region: object = msgspec.field(name="awsRegion", default=None)
    recipient_account_id: object = msgspec.field(name="recipientAccountId", default=None)
    service_event_details: object = msgspec.field(name="serviceEventDetails", default=None)


_RECORD = msgspec.json.Decoder(Record)


def service_event(event: Event) -> Reading:
    """Account and region of the envelope; the time is the record's own, so that a bare copy agrees."""
    if event.detail.get("eventName") != BID_EVICTED:
        return event.unrecognised(f"unknown service event {str(event.detail.get('eventName'))[:60]!r}")
    named = _instances(event.detail.get("serviceEventDetails"), prefix="detail.")
    sent_at = event.occurred_at
    occurred_at = optional_time(event.detail.get("eventTime"), field="detail.eventTime") or sent_at
    account, region = event.place
    events = _evictions(
        named,
        event_id=_event_id(event.detail.get("eventID"), raw=event.raw, field="detail.eventID"),
        occurred_at=occurred_at,
        received_at=event.received_at,
        place=MachineRef(provider="aws", account=account, region=region),
    )
    return event.accept(*events)


def parse_record(raw: bytes, *, context: ParseContext, received_at: datetime) -> Reading:
    """A record without its EventBridge envelope."""
    record = wire.decode(raw, _RECORD)
    if record.event_name != BID_EVICTED:
        note = f"unknown service event {str(record.event_name)[:60]!r}"
        return aside(raw, envelope=Envelope(), result=Result.UNRECOGNISED, note=note)
    named = _instances(record.service_event_details, prefix="")
    occurred_at = required_time(record.event_time, field="eventTime")
    bare = Event(
        raw,
        envelope=Envelope(detail={}, time=record.event_time),
        context=context,
        received_at=received_at,
    )
    account, region = bare.place_of(
        record.recipient_account_id, record.aws_region, fields=("recipientAccountId", "awsRegion")
    )
    events = _evictions(
        named,
        event_id=_event_id(record.event_id, raw=raw, field="eventID"),
        occurred_at=occurred_at,
        received_at=received_at,
        place=MachineRef(provider="aws", account=account, region=region),
    )
    return bare.accept(*events)


def _instances(details: object, *, prefix: str) -> list[object]:
    """The ids as listed, each once; their forms are checked after the times."""
    listed: Any = details.get("instanceIdSet") if isinstance(details, dict) else None
    if isinstance(listed, list) and listed and all(_is_usable(item) for item in listed):
        return list(dict.fromkeys(item.strip() if isinstance(item, str) else repr(item) for item in listed))
    field = f"{prefix}serviceEventDetails.instanceIdSet"
    raise Rejected("missing_instance_id", f"{field}: must list the ids of the evicted instances")


def _is_usable(item: object) -> bool:
    return not isinstance(item, str) or usable(item) is not None


def _event_id(value: object, *, raw: bytes, field: str) -> str:
    given = text_or_none(value, field=field)
    if given is None or is_placeholder(given):
        return wire.canonical_hash(raw)
    return wire.bounded_id(given)


def _evictions(
    named: list[object],
    *,
    event_id: str,
    occurred_at: datetime,
    received_at: datetime,
    place: MachineRef,
) -> list[NormalisedEvent]:
    """One statement a machine: it is gone, spot took it, and nobody warned."""
    field = "serviceEventDetails.instanceIdSet"
    ids = [check_instance_id(str(name), provider="aws", field=field) for name in named]
    return [
        NormalisedEvent(
            source=SOURCE,
            kind=Kind.TERMINATED,
            event_id=event_id if len(ids) == 1 else f"{event_id}:{instance_id}",
            occurred_at=occurred_at,
            machine=msgspec.structs.replace(place, instance_id=instance_id),
            cause=Cause.SPOT,
            may_open=True,
            is_future=is_future(occurred_at, received_at=received_at),
        )
        for instance_id in ids
    ]
