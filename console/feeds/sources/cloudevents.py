"""CloudEvents 1.0, structured or binary: unwrapped, and what is inside read by its own rules.

Layers may stack (a CloudEvent around a Pub/Sub message around base64); at most four are taken off.
A relayed copy therefore equals the direct one: same event id, same delivery id.
"""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from console.feeds import media, wire
from console.feeds.normalised import ParseContext, Reading, Rejected, Result
from console.feeds.sources import node_report
from console.feeds.sources.aws import eventbridge

MAX_LAYERS = 4
VERSION = "1.0"


class CloudEvent(msgspec.Struct, kw_only=True):
    specversion: object = None
    id: object = None
    source: object = None
    type: object = None
    datacontenttype: object = None
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    data_base64: object = None


class Inner(msgspec.Struct, kw_only=True):
    """What tells one inner format from another."""

    detail_type: object = msgspec.field(name="detail-type", default=None)
    event_name: object = msgspec.field(name="eventName", default=None)
    report_schema: object = msgspec.field(name="schema", default=None)
    specversion: object = None
    message: object = None
    subscription: object = None
    proto_payload: object = msgspec.field(name="protoPayload", default=None)


_CLOUD_EVENT = msgspec.json.Decoder(CloudEvent)
_INNER = msgspec.json.Decoder(Inner)
_TEXT = msgspec.json.Decoder(str)


def parse(raw: bytes, *, context: ParseContext, received_at: datetime) -> Reading:
    """A structured CloudEvent, checked JSON already."""
    return _Unwrapping(raw, context=context, received_at=received_at).cloud_event(raw)


def parse_binary(
    raw: bytes, *, headers: Mapping[str, str], context: ParseContext, received_at: datetime
) -> Reading:
    """A binary CloudEvent: attributes in `ce-*` headers, the body is the data."""
    attributes: dict[str, Any] = {
        name: headers.get(f"ce-{name}") for name in ("specversion", "id", "source", "type")
    }
    event = CloudEvent(**attributes)
    check_attributes(event)
    unwrapping = _Unwrapping(raw, context=context, received_at=received_at)
    unwrapping.enter(event)
    try:
        return unwrapping.inner(raw)
    except Rejected as refusal:
        raise unwrapping.marked(refusal) from None


def check_attributes(event: CloudEvent) -> None:
    if event.specversion is not None and not isinstance(event.specversion, str):
        raise Rejected("invalid_field", "specversion: must be text")
    if event.specversion != VERSION:
        said = "missing" if event.specversion is None else f"{event.specversion[:20]!r} is not taken"
        raise Rejected("unsupported_version", f'specversion: {said}; send CloudEvents "{VERSION}"')
    for name in ("id", "source", "type"):
        value = getattr(event, name)
        if not isinstance(value, str) or not value.strip():
            raise Rejected("invalid_field", f"{name}: CloudEvents requires this attribute as text")


class _Unwrapping:
    """Takes layer after layer off one item, remembering how many and whether a relay was among them."""

    def __init__(self, outer: bytes, *, context: ParseContext, received_at: datetime) -> None:
        self.outer = outer
        self.context = context
        self.received_at = received_at
        self.layers = 0
        self.is_relayed = False

    def enter(self, event: CloudEvent) -> None:
        self._count_layer()
        if isinstance(event.type, str) and event.type.startswith("Microsoft."):
            self.is_relayed = True

    def cloud_event(self, raw: bytes) -> Reading:
        event = wire.decode(raw, _CLOUD_EVENT)
        check_attributes(event)
        self.enter(event)
        try:
            data = self._data(event)
            return self._unknown("no data") if data is None else self.inner(data)
        except Rejected as refusal:
            raise self.marked(refusal) from None

    def inner(self, raw: bytes) -> Reading:
        """The document inside, checked JSON, handed to the parser whose format it is."""
        if not raw.lstrip().startswith(b"{"):
            return self._unknown("the data is no object")
        inner = wire.decode(raw, _INNER)
        if inner.detail_type is not None or inner.event_name is not None:
            return eventbridge.parse(raw, context=self.context, received_at=self.received_at)
        if isinstance(inner.report_schema, str) and inner.report_schema.startswith(node_report.FAMILY):
            return node_report.parse(raw, context=self.context, received_at=self.received_at)
        if inner.specversion is not None:
            return self.cloud_event(raw)
        if isinstance(inner.message, dict) and (inner.subscription is not None or "data" in inner.message):
            return self._pubsub(inner.message)
        if inner.proto_payload is not None:
            return self._audit_entry(inner.proto_payload)
        return self._unknown("unknown inner event")

    def _data(self, event: CloudEvent) -> bytes | None:
        if event.data_base64 is not None:
            if event.data is not msgspec.UNSET:
                raise Rejected("invalid_field", "data and data_base64: send one of them")
            return self._document(decode_base64(event.data_base64, field="data_base64"), event)
        if event.data is msgspec.UNSET or bytes(event.data) == b"null":
            return None
        data = bytes(event.data)
        if not data.startswith(b'"'):
            return data
        return self._document(wire.decode(data, _TEXT).encode(), event)

    def _document(self, data: bytes, event: CloudEvent) -> bytes:
        """Data in text or base64 must be JSON, unless its sender calls it something else."""
        try:
            wire.check_json(data)
        except Rejected as refusal:
            said = event.datacontenttype
            if isinstance(said, str) and said.strip() and not media.is_json(said):
                return b"null"
            raise Rejected(refusal.code, f"data: {refusal.detail}") from None
        return data

    def _pubsub(self, message: dict[str, Any]) -> Reading:
        self._count_layer()
        self.is_relayed = True
        try:
            data = decode_base64(message.get("data", ""), field="message.data")
            if not data:
                return self._unknown("a Pub/Sub message without data")
            wire.check_json(data)
            return self.inner(data)
        except Rejected as refusal:
            raise self.marked(refusal) from None

    def _audit_entry(self, payload: object) -> Reading:
        """Compute Engine's own entries wait for their parser; other services are of no interest."""
        method = payload.get("methodName") if isinstance(payload, dict) else None
        if isinstance(method, str) and "compute.instances." in method:
            return self._unknown(f"no parser for {wire.plain_text(method, limit=100)}")
        return Reading(delivery_id=wire.canonical_hash(self.outer), result=Result.IGNORED)

    def _unknown(self, note: str) -> Reading:
        return Reading(delivery_id=wire.canonical_hash(self.outer), result=Result.UNRECOGNISED, note=note)

    def _count_layer(self) -> None:
        self.layers += 1
        if self.layers > MAX_LAYERS:
            raise Rejected("malformed_json", f"more than {MAX_LAYERS} wrapping layers")

    def marked(self, refusal: Rejected) -> Rejected:
        return Rejected(refusal.code, refusal.detail, is_relayed=refusal.is_relayed or self.is_relayed)


def decode_base64(value: object, *, field: str) -> bytes:
    if not isinstance(value, str):
        raise Rejected("invalid_field", f"{field}: must be base64 text")
    try:
        return binascii.a2b_base64(value.encode("ascii"), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError, ValueError):
        raise Rejected("malformed_json", f"{field}: does not decode as base64") from None
