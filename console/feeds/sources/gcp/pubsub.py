"""The Pub/Sub push envelope: base64 inside a message inside a wrapper."""

from __future__ import annotations

import msgspec

from console.feeds import wire
from console.feeds.layers import Layer, check_inner, decode_base64
from console.feeds.normalised import Rejected


class Push(msgspec.Struct, kw_only=True):
    """`messageId` and `publishTime` come twice, in two spellings; the data is what counts."""

    message: dict[str, object]
    subscription: object = None


_PUSH = msgspec.json.Decoder(Push)


def open_push(raw: bytes) -> Layer:
    """A push body, or a pulled message in the same wrapper."""
    message = wire.decode(raw, _PUSH).message
    try:
        data = decode_base64(message.get("data", ""), field="message.data")
        if not data:
            return Layer(None, note="a Pub/Sub message without data", is_relay=True)
        return Layer(check_inner(data, field="message.data"), is_relay=True)
    except Rejected as refusal:
        raise Rejected(refusal.code, refusal.detail, is_relayed=True) from None
