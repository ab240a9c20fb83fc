"""One received body, read: cut into items, each judged on its own. Pure, and never raises.

A body is one message, a JSON array, lines of JSON, or a CloudEvents batch. A body that is refused as a
whole comes back as one refused item that holds all of it, so that there is one way to answer and to
quarantine. A single item is answered with its own status, also as the only one of a plain array; several
items, an empty array and a CloudEvents batch of any size are a batch and always answered 202.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from types import MappingProxyType

import msgspec

from console.feeds import batches, media, wire
from console.feeds.identifiers import check_storable
from console.feeds.normalised import ParseContext, Reading, Rejected
from console.feeds.sources import alertmanager, node_report, nth_webhook
from console.feeds.sources.aws import eventbridge, imds
from console.feeds.sources.azure import scheduled_events
from console.feeds.sources.gcp import metadata, operations
from console.feeds.sources.kubernetes import reader as kubernetes
from console.feeds.unwrapping import (
    Parser,
    parse_any,
    parse_binary_cloud_event,
    parse_cloud_event,
    parse_watched,
)

logger = logging.getLogger(__name__)

MAX_BODY = 1024 * 1024
MAX_ITEMS = 5000
_BOM = b"\xef\xbb\xbf"


PARSERS: Mapping[str, Parser] = MappingProxyType(
    {
        "aws-eventbridge": eventbridge.parse,
        "azure-eventgrid": parse_any,
        "azure-scheduled-events": partial(parse_watched, own=scheduled_events.parse),
        "aws-imds": partial(parse_watched, own=imds.parse),
        "aws-sns": parse_any,
        "aws-sqs": parse_any,
        "cloudevents": parse_cloud_event,
        "gcp-metadata": partial(parse_watched, own=metadata.parse),
        "gcp-operations": operations.parse,
        "gcp-pubsub": parse_any,
        "gcp-pubsub-pull": parse_any,
        "node-report": partial(parse_watched, own=node_report.parse),
        "kubernetes": kubernetes.parse,
        "kubernetes-watch": kubernetes.parse,
        "nth-webhook": nth_webhook.parse,
        "alertmanager": alertmanager.parse,
    }
)
"""The one place that says which kinds of feed are built."""
MENDERS: Mapping[str, Callable[[bytes], bytes]] = MappingProxyType(
    {"nth-webhook": nth_webhook.mended, **dict.fromkeys(media.WORD_KINDS, wire.quoted_word)}
)
"""Kinds whose sender writes what is not quite JSON: it is stored as it came and read as it was meant."""


class Item(msgspec.Struct, frozen=True):
    """One item as it was received, byte for byte, and what became of it."""

    index: int
    raw: bytes
    outcome: Reading | Rejected


class Body(msgspec.Struct, frozen=True):
    items: tuple[Item, ...]
    is_batch: bool

    @property
    def is_answered_with_counts(self) -> bool:
        """True where the answer is 202 whatever became of the items, once they are stored or quarantined."""
        return self.is_batch or any(
            isinstance(item.outcome, Rejected) and item.outcome.is_relayed for item in self.items
        )


def parser_for(kind: str) -> Parser:
    parser = PARSERS.get(kind)
    if parser is None:
        raise Rejected("kind_not_available", f"feeds of kind {kind[:60]!r} are not available yet")
    return parser


def read_body(
    body: bytes,
    *,
    kind: str,
    content_type: str,
    headers: Mapping[str, str],
    context: ParseContext,
    received_at: datetime,
) -> Body:
    """`headers` have names in lower case; the sender is authenticated already."""
    is_batch = False
    try:
        if len(body) > MAX_BODY:
            raise Rejected("too_large", f"the body is over the limit of {MAX_BODY} bytes")
        parser = parser_for(kind)
        media.check_media_type(content_type, kind=kind)
        if media.is_binary_cloud_event(content_type, headers):
            parser = partial(parse_binary_cloud_event, headers=headers)
            cut = [body]
        else:
            if media.essence(content_type) in (media.CLOUD_EVENT, media.CLOUD_EVENT_BATCH):
                parser = parse_cloud_event
            listed = batches.entries(body.removeprefix(_BOM).strip(), kind=kind)
            is_batch = listed is not None
            cut = split(body, is_lines=media.is_lines(content_type)) if listed is None else listed
        if len(cut) > MAX_ITEMS:
            raise Rejected(
                "too_large", f"{len(cut)} items are over the limit of {MAX_ITEMS} a batch", limit="batch"
            )
    except Rejected as refusal:
        return Body(items=(Item(0, body, refusal),), is_batch=False)
    read = partial(parser, context=context, received_at=received_at)
    return Body(
        items=tuple(Item(index, raw, judge(raw, read, kind=kind)) for index, raw in enumerate(cut)),
        is_batch=is_batch or len(cut) != 1 or media.essence(content_type) == media.CLOUD_EVENT_BATCH,
    )


def judge(raw: bytes, read: Callable[[bytes], Reading], *, kind: str = "") -> Reading | Rejected:
    """What one item says, or why it cannot be taken."""
    text = raw.removeprefix(_BOM)
    try:
        if not text.strip():
            raise Rejected("malformed_json", "the body is empty")
        text = MENDERS[kind](text) if kind in MENDERS else text
        wire.check_json(text)
        return check_storable(read(text))
    except Rejected as refusal:
        return refusal.with_traceback(None)
    except Exception as error:
        # A fault of the parser: the item waits in quarantine for its mending, and its neighbours are taken.
        logger.exception("reading.failed", extra={"bytes": len(raw)})
        return Rejected("processing_error", f"{type(error).__name__}: {error}", is_relayed=True)


def split(body: bytes, *, is_lines: bool) -> list[bytes]:
    """The items, cut out without writing them anew. A body that is one message stays whole."""
    text = body.removeprefix(_BOM).strip()
    if is_lines or _looks_like_lines(text):
        return [line.strip() for line in text.split(b"\n") if line.strip()] or [body]
    if text.startswith(b"["):
        return wire.split_array(text)
    return [body]


def _looks_like_lines(text: bytes) -> bool:
    """Lines of JSON under a plain JSON type: the first line is a whole object and more follows."""
    first, newline, _ = text.partition(b"\n")
    if not newline or not first.startswith(b"{") or not first.rstrip().endswith(b"}"):
        return False
    try:
        wire.check_json(first)
    except Rejected:
        return False
    return True
