"""The envelope of SNS: the event is JSON in a string. Its signature is checked before, by the front door."""

from __future__ import annotations

import msgspec

from console.feeds import wire
from console.feeds.identifiers import usable
from console.feeds.layers import Layer, check_inner
from console.feeds.normalised import Rejected

NOTIFICATION = "Notification"
CONFIRMATIONS = ("SubscriptionConfirmation", "UnsubscribeConfirmation")


class Envelope(msgspec.Struct, kw_only=True):
    type: object = msgspec.field(name="Type", default=None)
    message_id: object = msgspec.field(name="MessageId", default=None)
    message: object = msgspec.field(name="Message", default=None)


_ENVELOPE = msgspec.json.Decoder(Envelope)


def open_notification(raw: bytes) -> Layer:
    """A notification, or a confirmation that came through a queue, where there is nobody to answer it."""
    envelope = wire.decode(raw, _ENVELOPE)
    message_id = usable(envelope.message_id) if isinstance(envelope.message_id, str) else None
    if envelope.type in CONFIRMATIONS:
        return Layer(None, note=f"an SNS {envelope.type}", message_id=message_id)
    if not isinstance(envelope.message, str):
        raise Rejected("invalid_field", "Message: must be text")
    if not envelope.message.strip():
        return Layer(None, note="an SNS message without content", message_id=message_id)
    return Layer(check_inner(envelope.message.encode(), field="Message"), message_id=message_id)
