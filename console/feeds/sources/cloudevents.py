"""The CloudEvents 1.0 envelope: structured, or binary with its attributes in headers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from console.feeds import media, wire
from console.feeds.layers import Layer, decode_base64
from console.feeds.normalised import Rejected

VERSION = "1.0"


class CloudEvent(msgspec.Struct, kw_only=True):
    specversion: object = None
    id: object = None
    source: object = None
    type: object = None
    datacontenttype: object = None
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    data_base64: object = None


_CLOUD_EVENT = msgspec.json.Decoder(CloudEvent)
_TEXT = msgspec.json.Decoder(str)


def open_event(raw: bytes) -> Layer:
    """A structured CloudEvent, checked JSON already."""
    event = wire.decode(raw, _CLOUD_EVENT)
    check_attributes(event)
    try:
        return _layer(event, _data(event))
    except Rejected as refusal:
        raise Rejected(refusal.code, refusal.detail, is_relayed=_is_relay(event)) from None


def open_binary(raw: bytes, *, headers: Mapping[str, str]) -> Layer:
    """A binary CloudEvent: attributes in `ce-*` headers, the body is the data."""
    attributes: dict[str, Any] = {
        name: headers.get(f"ce-{name}") for name in ("specversion", "id", "source", "type")
    }
    event = CloudEvent(**attributes)
    check_attributes(event)
    return _layer(event, raw)


def as_structured(raw: bytes, *, headers: Mapping[str, str]) -> bytes:
    """A binary event written as a structured one, its data, checked JSON already, as it came."""
    names = ("specversion", "id", "source", "type", "subject", "time")
    attributes: dict[str, Any] = {name: headers[f"ce-{name}"] for name in names if f"ce-{name}" in headers}
    return msgspec.json.encode(attributes | {"data": msgspec.Raw(raw)})


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


def _layer(event: CloudEvent, data: bytes | None) -> Layer:
    return Layer(data, note="" if data else "no data", is_relay=_is_relay(event))


def _is_relay(event: CloudEvent) -> bool:
    """Event Grid sends an event again until it is taken, in this schema as in its own."""
    return isinstance(event.type, str) and event.type.startswith("Microsoft.")


def _data(event: CloudEvent) -> bytes | None:
    if event.data_base64 is not None:
        if event.data is not msgspec.UNSET:
            raise Rejected("invalid_field", "data and data_base64: send one of them")
        return _document(decode_base64(event.data_base64, field="data_base64"), event)
    if event.data is msgspec.UNSET or bytes(event.data) == b"null":
        return None
    data = bytes(event.data)
    if not data.startswith(b'"'):
        return data
    return _document(wire.decode(data, _TEXT).encode(), event)


def _document(data: bytes, event: CloudEvent) -> bytes:
    """Data in text or base64 must be JSON, unless its sender calls it something else."""
    try:
        wire.check_json(data)
    except Rejected as refusal:
        said = event.datacontenttype
        if isinstance(said, str) and said.strip() and not media.is_json(said):
            return b"null"
        raise Rejected(refusal.code, f"data: {refusal.detail}") from None
    return data
