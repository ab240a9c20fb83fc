"""Messages of SQS: what polling fetches is the bare body; what a function relays comes in `Records`."""

from __future__ import annotations

import msgspec

from console.feeds import wire
from console.feeds.identifiers import usable
from console.feeds.layers import Layer, check_inner
from console.feeds.normalised import Rejected

EVENT_SOURCE = "aws:sqs"


class Record(msgspec.Struct, kw_only=True):
    event_source: object = msgspec.field(name="eventSource", default=None)
    message_id: object = msgspec.field(name="messageId", default=None)
    body: object = None


class Batch(msgspec.Struct, kw_only=True):
    records: list[msgspec.Raw] = msgspec.field(name="Records")


_RECORD = msgspec.json.Decoder(Record)
_BATCH = msgspec.json.Decoder(Batch)


def open_record(raw: bytes) -> Layer:
    """One record of a batch."""
    record = wire.decode(raw, _RECORD)
    if not isinstance(record.body, str):
        raise Rejected("invalid_field", "body: must be text")
    message_id = usable(record.message_id) if isinstance(record.message_id, str) else None
    return Layer(check_inner(record.body.encode(), field="body"), message_id=message_id)


def records_in(body: bytes) -> list[msgspec.Raw]:
    """The records of a batch, as they were sent; `msgspec.ValidationError` for anything else."""
    return _BATCH.decode(body).records
