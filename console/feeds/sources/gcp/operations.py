"""Operations of the Compute Engine API: the same deeds as in the audit log, fetched instead of pushed.

A list response is cut into its operations by the front door (`batches`), so that a repeated poll is
answered as duplicates. Times have offsets such as -07:00.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from console.feeds import wire
from console.feeds.identifiers import is_placeholder, usable
from console.feeds.normalised import NormalisedEvent, Outcome, ParseContext, Reading, Rejected, Result
from console.feeds.sources.gcp.instance import (
    LAUNCHED,
    STOPPED,
    SYSTEM_EVENTS,
    Deed,
    Given,
    is_instance_link,
    named,
)
from console.feeds.times import is_future, optional_time, required_time

SOURCE = "gcp.operation"
LISTS = ("compute#operationList", "compute#operationAggregatedList")

_DEEDS = {**SYSTEM_EVENTS, "stop": STOPPED, "deferredStop": STOPPED, "insert": LAUNCHED}
_SYSTEM_EVENT = "compute.instances."


class Operation(msgspec.Struct, kw_only=True):
    kind: object = None
    name: object = None
    operation_type: object = msgspec.field(name="operationType", default=None)
    target_id: object = msgspec.field(name="targetId", default=None)
    target_link: object = msgspec.field(name="targetLink", default=None)
    zone: object = None
    status: object = None
    status_message: object = msgspec.field(name="statusMessage", default=None)
    insert_time: object = msgspec.field(name="insertTime", default=None)
    start_time: object = msgspec.field(name="startTime", default=None)
    end_time: object = msgspec.field(name="endTime", default=None)
    error: object = None
    http_error: object = msgspec.field(name="httpErrorStatusCode", default=None)


_OPERATION = msgspec.json.Decoder(Operation)


def parse(raw: bytes, *, context: ParseContext, received_at: datetime) -> Reading:
    """One operation, checked JSON already."""
    operation = wire.decode(raw, _OPERATION)
    if operation.kind in LISTS:
        return Reading(delivery_id=wire.canonical_hash(raw), result=Result.IGNORED)
    name = wire.text_or_none(operation.operation_type, field="operationType")
    if name is None:
        raise Rejected("invalid_field", "operationType: missing; send operations of the Compute Engine API")
    deed = _DEEDS.get(name)
    if deed is None and name.startswith(_SYSTEM_EVENT):
        note = f"unknown system event {wire.plain_text(name, limit=100)!r}"
        return Reading(delivery_id=wire.canonical_hash(raw), result=Result.UNRECOGNISED, note=note)
    if deed is None or _is_of_another_resource(operation, name):
        return Reading(delivery_id=wire.canonical_hash(raw), result=Result.IGNORED)
    event = _statement(operation, deed, raw=raw, context=context, received_at=received_at)
    return Reading(delivery_id=wire.delivery_id(raw, (event,)), events=(event,))


def _is_of_another_resource(operation: Operation, name: str) -> bool:
    """Disks and groups are inserted too; only a VM's own link, or none at all, can be a VM's."""
    return (
        name not in SYSTEM_EVENTS
        and isinstance(operation.target_link, str)
        and not is_instance_link(operation.target_link)
    )


def _statement(
    operation: Operation, deed: Deed, *, raw: bytes, context: ParseContext, received_at: datetime
) -> NormalisedEvent:
    target = Given(
        field="targetId",
        instance_id=operation.target_id,
        zone=operation.zone,
        link=operation.target_link,
    )
    vm = named(target, context=context)
    is_done = operation.status == "DONE"
    occurred_at = _time(operation, is_done=is_done)
    has_failed = not deed.may_open and bool(operation.error or operation.http_error)
    said = operation.status_message
    state = "stopped" if is_done else "stopping"
    native_id = usable(wire.text_or_none(operation.name, field="name"))
    return NormalisedEvent(
        source=SOURCE,
        kind=deed.kind,
        event_id=_event_id(native_id, is_done=is_done, raw=raw),
        occurred_at=occurred_at,
        machine=vm.machine,
        outcome=Outcome.ERROR if has_failed else Outcome.OK,
        cause=deed.cause,
        state=state if deed.is_stop and not has_failed else None,
        native_id=native_id,
        may_open=deed.may_open and not vm.is_by_name,
        is_low_confidence=vm.is_by_name,
        is_future=is_future(occurred_at, received_at=received_at),
        message=wire.plain_text(said) if isinstance(said, str) and said else None,
    )


def _time(operation: Operation, *, is_done: bool) -> datetime:
    """When it ended, or when it began where it still runs."""
    started_at = optional_time(operation.start_time, field="startTime")
    ended_at = optional_time(operation.end_time, field="endTime")
    return (
        (ended_at if is_done else started_at)
        or started_at
        or required_time(operation.insert_time, field="insertTime")
    )


def _event_id(name: str | None, *, is_done: bool, raw: bytes) -> str:
    """An operation that runs and the same one done are two statements."""
    if name is None or is_placeholder(name):
        return wire.canonical_hash(raw)
    return wire.bounded_id(f"{name}:{'last' if is_done else 'first'}")
