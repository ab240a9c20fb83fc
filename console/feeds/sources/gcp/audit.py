"""Compute Engine's audit log: a LogEntry, however it came (Pub/Sub push or pull, Eventarc, bare).

A preemption is written down when it happens; the advance notice exists only inside the guest.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

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
    Named,
    last_part,
    named,
)
from console.feeds.times import is_future, optional_time

SOURCE = "gcp.audit"

_METHODS = {
    **SYSTEM_EVENTS,
    "v1.compute.instances.stop": STOPPED,
    "v1.compute.instances.guestTerminate": STOPPED,
    "v1.compute.instances.deferredStop": STOPPED,
    "v1.compute.instances.insert": LAUNCHED,
}
METHODS: tuple[str, ...] = tuple(_METHODS)
"""Every method that means something; the connect guide's sink asks for these."""
_SYSTEM_EVENT = "compute.instances."
_LABELS = {"goog-k8s-cluster-name": "cluster", "goog-k8s-node-pool-name": "node_pool"}


class Entry(msgspec.Struct, kw_only=True):
    """Untyped on purpose: an entry of no interest is recognised before any other field is looked at."""

    proto_payload: object = msgspec.field(name="protoPayload", default=None)
    insert_id: object = msgspec.field(name="insertId", default=None)
    log_name: object = msgspec.field(name="logName", default=None)
    operation: object = None
    resource: object = None
    timestamp: object = None


_ENTRY = msgspec.json.Decoder(Entry)


def parse(raw: bytes, *, context: ParseContext, received_at: datetime) -> Reading:
    """One LogEntry with a `protoPayload`, checked JSON already."""
    entry = wire.decode(raw, _ENTRY)
    payload = _object(entry.proto_payload, field="protoPayload")
    method = wire.text_or_none(payload.get("methodName"), field="protoPayload.methodName") or ""
    deed = _METHODS.get(method)
    if deed is None:
        return _aside(raw, method)
    vm = named(_given(entry, payload), context=context)
    occurred_at = optional_time(entry.timestamp, field="timestamp")
    event = _statement(entry, payload, deed, vm, raw=raw, occurred_at=occurred_at, received_at=received_at)
    return Reading(delivery_id=wire.delivery_id(raw, (event,)), events=(event,))


def _aside(raw: bytes, method: str) -> Reading:
    """A system event that no table names is kept to be looked at; a person's API call is of no interest."""
    if not method.startswith(_SYSTEM_EVENT):
        return Reading(delivery_id=wire.canonical_hash(raw), result=Result.IGNORED)
    return Reading(
        delivery_id=wire.canonical_hash(raw),
        result=Result.UNRECOGNISED,
        note=f"unknown system event {wire.plain_text(method, limit=100)!r}",
    )


def _statement(
    entry: Entry,
    payload: dict[str, Any],
    deed: Deed,
    vm: Named,
    *,
    raw: bytes,
    occurred_at: datetime | None,
    received_at: datetime,
) -> NormalisedEvent:
    operation = _object(entry.operation, field="operation")
    status = _object(payload.get("status"), field="protoPayload.status")
    has_failed = bool(status.get("code")) and not deed.may_open
    said = status.get("message")
    at = occurred_at or received_at
    return NormalisedEvent(
        source=SOURCE,
        kind=deed.kind,
        event_id=_event_id(entry, raw),
        occurred_at=at,
        machine=vm.machine,
        outcome=Outcome.ERROR if has_failed else Outcome.OK,
        cause=deed.cause,
        state=_state(operation) if deed.is_stop and not has_failed else None,
        native_id=_native_id(operation),
        may_open=deed.may_open and not vm.is_by_name,
        is_observed=occurred_at is None,
        is_low_confidence=vm.is_by_name,
        is_future=is_future(at, received_at=received_at),
        labels=_labels(payload),
        message=wire.plain_text(said) if isinstance(said, str) and said else None,
    )


def _given(entry: Entry, payload: dict[str, Any]) -> Given:
    """The resource's own labels; what they leave out is in the names of resource and target."""
    resource = _object(entry.resource, field="resource")
    labels = _object(resource.get("labels"), field="resource.labels")
    request = payload.get("request")
    response = payload.get("response")
    name = payload.get("resourceName")
    target = response.get("targetLink") if isinstance(response, dict) else None
    return Given(
        field="resource.labels.instance_id",
        instance_id=labels.get("instance_id"),
        project=labels.get("project_id"),
        zone=labels.get("zone"),
        link=name if isinstance(name, str) and "/instances/" in name else target,
        instance_type=last_part(request.get("machineType")) if isinstance(request, dict) else None,
    )


def _event_id(entry: Entry, raw: bytes) -> str:
    """Two sinks give one entry two Pub/Sub ids; the entry's own three fields are one of a kind."""
    parts = [
        wire.text_or_none(value, field=field)
        for field, value in (
            ("logName", entry.log_name),
            ("timestamp", entry.timestamp),
            ("insertId", entry.insert_id),
        )
    ]
    if any(part is None or is_placeholder(part) for part in parts):
        return wire.canonical_hash(raw)
    return wire.bounded_id("|".join(filter(None, parts)))


def _native_id(operation: dict[str, Any]) -> str | None:
    return usable(wire.text_or_none(operation.get("id"), field="operation.id"))


def _state(operation: dict[str, Any]) -> str | None:
    """A stop is told twice under one id: first that it began, last that it is done."""
    if operation.get("last"):
        return "stopped"
    return "stopping" if operation.get("first") else None


def _labels(payload: dict[str, Any]) -> dict[str, str]:
    """The cluster and node pool that GKE writes on the machines it asks for: a list of keys and values."""
    request = payload.get("request")
    listed = request.get("labels") if isinstance(request, dict) else None
    if not isinstance(listed, list):
        return {}
    pairs = [(one.get("key"), one.get("value")) for one in listed if isinstance(one, dict)]
    return {
        _LABELS[key]: value
        for key, value in pairs
        if isinstance(key, str) and key in _LABELS and isinstance(value, str) and value
    }


def _object(value: object, *, field: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Rejected("invalid_field", f"{field}: must be an object")
    return value
