"""One wrapping layer, opened: what every transport's envelope comes down to."""

from __future__ import annotations

import binascii
from dataclasses import dataclass

from console.feeds import wire
from console.feeds.normalised import Rejected


@dataclass(frozen=True, slots=True)
class Layer:
    """What a layer held. `data` is checked JSON; None where there is none, and `note` says why."""

    data: bytes | None
    note: str = ""
    is_relay: bool = False
    """An error would only make the relay send again what cannot become valid: answered 2xx once kept."""
    message_id: str | None = None
    """The layer's own id, for what is inside and is no event."""


def decode_base64(value: object, *, field: str) -> bytes:
    if not isinstance(value, str):
        raise Rejected("invalid_field", f"{field}: must be base64 text")
    try:
        return binascii.a2b_base64(value.encode("ascii"), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError, ValueError):
        raise Rejected("malformed_json", f"{field}: does not decode as base64") from None


def check_inner(data: bytes, *, field: str) -> bytes:
    """The document, if it is JSON; else a refusal that names the field it came in."""
    try:
        wire.check_json(data)
    except Rejected as refusal:
        raise Rejected(refusal.code, f"{field}: {refusal.detail}") from None
    return data
