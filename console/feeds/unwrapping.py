"""Messages inside messages: layers are taken off until a document is met that some source can read.

A reclaim may come as a CloudEvent around a Pub/Sub message around base64 around an audit entry. Every
document is told by its own fields, never by the way it came, so a relayed copy equals the direct one: same
event id, same delivery id. At most four layers are taken off.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol

import msgspec

from console.feeds import wire
from console.feeds.layers import Layer
from console.feeds.normalised import ParseContext, Reading, Rejected, Result
from console.feeds.sources import alertmanager, cloudevents, node_report, nth_webhook, watcher
from console.feeds.sources.aws import eventbridge, hooks, imds, sns, sqs
from console.feeds.sources.azure import eventgrid, health, scheduled_events
from console.feeds.sources.gcp import audit, metadata, operations, pubsub
from console.feeds.sources.kubernetes import reader as kubernetes

MAX_LAYERS = 4


class Parser(Protocol):
    """What one vendor's file offers: the bytes of one item, checked JSON, into a reading."""

    def __call__(self, raw: bytes, *, context: ParseContext, received_at: datetime) -> Reading: ...


class Shape(msgspec.Struct, kw_only=True):
    """The fields that tell one format from another, untyped: what they hold is its reader's affair."""

    detail_type: object = msgspec.field(name="detail-type", default=None)
    event_name: object = msgspec.field(name="eventName", default=None)
    schema: object = None
    specversion: object = None
    message: object = None
    subscription: object = None
    proto_payload: object = msgspec.field(name="protoPayload", default=None)
    involved_object: object = msgspec.field(name="involvedObject", default=None)
    regarding: object = None
    verb: object = None
    event: object = None
    alerts: object = None
    text: object = None
    event_type: object = msgspec.field(name="eventType", default=None)
    type: object = None
    event_data_id: object = msgspec.field(name="eventDataId", default=None)
    category: object = None
    incarnation: object = msgspec.field(name="DocumentIncarnation", default=None)
    operation_type: object = msgspec.field(name="operationType", default=None)
    path: object = None
    body: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    topic_arn: object = msgspec.field(name="TopicArn", default=None)
    sns_message: object = msgspec.field(name="Message", default=None)
    event_source: object = msgspec.field(name="eventSource", default=None)
    lifecycle_transition: object = msgspec.field(name="LifecycleTransition", default=None)
    hook_event: object = msgspec.field(name="Event", default=None)


_SHAPE = msgspec.json.Decoder(Shape)


@dataclass(frozen=True, slots=True)
class Document:
    """An innermost format: how it is recognised, and who reads it."""

    name: str
    is_here: Callable[[Shape], bool]
    parse: Parser


@dataclass(frozen=True, slots=True)
class Wrapping:
    """A format that carries another: how it is recognised, and who opens it."""

    name: str
    is_here: Callable[[Shape], bool]
    open: Callable[[bytes], Layer]


def _is_node_report(shape: Shape) -> bool:
    return isinstance(shape.schema, str) and shape.schema.startswith(node_report.FAMILY)


def _is_kubernetes(shape: Shape) -> bool:
    is_tailed = isinstance(shape.verb, str) and isinstance(shape.event, dict)
    return isinstance(shape.involved_object, dict) or isinstance(shape.regarding, dict) or is_tailed


def _is_nth_webhook(shape: Shape) -> bool:
    is_default = isinstance(shape.text, str) and shape.text.startswith("[NTH]")
    return shape.schema == nth_webhook.SCHEMA or is_default


def _is_pubsub(shape: Shape) -> bool:
    has_data = isinstance(shape.message, dict) and "data" in shape.message
    return has_data or (isinstance(shape.message, dict) and shape.subscription is not None)


def _relays(shape: Shape, paths: Sequence[str]) -> bool:
    """A watcher's wrapper around one of these documents."""
    return shape.body is not msgspec.UNSET and watcher.is_path_among(shape.path, paths)


def _is_event_grid(shape: Shape) -> bool:
    return shape.event_type is not None or eventgrid.is_ours(shape.type)


def _is_activity_record(shape: Shape) -> bool:
    is_flat = shape.category == "ResourceHealth"
    return shape.event_data_id is not None or (is_flat and shape.specversion is None)


def _is_scheduled_events(shape: Shape) -> bool:
    return shape.incarnation is not None or _relays(shape, scheduled_events.PATHS)


FORMATS: Sequence[Document | Wrapping] = (
    Document("azure-activity-log", _is_activity_record, health.parse_record),
    Document(
        "eventbridge",
        lambda shape: shape.detail_type is not None or shape.event_name is not None,
        eventbridge.parse,
    ),
    Document("node-report", _is_node_report, node_report.parse),
    Document("asg-hook", lambda s: hooks.is_hook(s.lifecycle_transition, s.hook_event), hooks.parse),
    Document("imds", lambda shape: watcher.is_path_among(shape.path, imds.PATHS), imds.parse),
    Wrapping("sns", lambda s: s.topic_arn is not None and s.sns_message is not None, sns.open_notification),
    Wrapping("sqs-record", lambda shape: shape.event_source == sqs.EVENT_SOURCE, sqs.open_record),
    Document("kubernetes", _is_kubernetes, kubernetes.parse),
    Document("nth-webhook", _is_nth_webhook, nth_webhook.parse),
    Document("alertmanager", lambda shape: isinstance(shape.alerts, list), alertmanager.parse),
    Document("gcp-audit", lambda shape: shape.proto_payload is not None, audit.parse),
    Document("gcp-operation", lambda shape: shape.operation_type is not None, operations.parse),
    Document("gcp-metadata", lambda shape: _relays(shape, metadata.PATHS), metadata.parse),
    Document("azure-eventgrid", _is_event_grid, eventgrid.parse),
    Document("azure-scheduled-events", _is_scheduled_events, scheduled_events.parse),
    Wrapping("cloudevent", lambda shape: shape.specversion is not None, cloudevents.open_event),
    Wrapping("pubsub", _is_pubsub, pubsub.open_push),
)
"""Every format that is recognised by itself, the first match wins."""


def parse_cloud_event(raw: bytes, *, context: ParseContext, received_at: datetime) -> Reading:
    """A structured CloudEvent, checked JSON already: anything else lacks its `specversion`."""
    if raw.lstrip().startswith(b"{") and eventgrid.is_ours(wire.decode(raw, _SHAPE).type):
        return eventgrid.parse(raw, context=context, received_at=received_at)
    unwrapping = Unwrapping(raw, context=context, received_at=received_at)
    return unwrapping.inside(partial(cloudevents.open_event, raw))


def parse_binary_cloud_event(
    raw: bytes, *, headers: Mapping[str, str], context: ParseContext, received_at: datetime
) -> Reading:
    """A binary CloudEvent: attributes in `ce-*` headers, the body is the data."""
    if eventgrid.is_ours(headers.get("ce-type")):
        structured = cloudevents.as_structured(raw, headers=headers)
        return eventgrid.parse(structured, context=context, received_at=received_at)
    unwrapping = Unwrapping(raw, context=context, received_at=received_at)
    return unwrapping.inside(partial(cloudevents.open_binary, raw, headers=headers))


def parse_any(raw: bytes, *, context: ParseContext, received_at: datetime) -> Reading:
    """One item of a transport that may carry any format (a queue, a topic), checked JSON already."""
    return Unwrapping(raw, context=context, received_at=received_at).document(raw)


def parse_watched(raw: bytes, *, context: ParseContext, received_at: datetime, own: Parser) -> Reading:
    """What a watcher on a node posts, to a feed of any kind that takes it: polled documents and node reports.

    What is neither, and what relays no path that is known, is for the feed's `own` parser to judge.
    """
    parse = own
    if raw.lstrip().startswith(b"{"):
        shape = wire.decode(raw, _SHAPE)
        relayed = (doc.parse for doc in _ON_NODES if doc.is_here(shape))
        parse = node_report.parse if _is_node_report(shape) else next(relayed, own)
    return parse(raw, context=context, received_at=received_at)


_ON_NODES: Sequence[Document] = (
    Document("imds", lambda shape: _relays(shape, imds.PATHS), imds.parse),
    Document("gcp-metadata", lambda shape: _relays(shape, metadata.PATHS), metadata.parse),
    Document(
        "azure-scheduled-events", lambda shape: _relays(shape, scheduled_events.PATHS), scheduled_events.parse
    ),
)


class Unwrapping:
    """Takes layer after layer off one item, remembering how many and whether a relay was among them."""

    def __init__(self, outer: bytes, *, context: ParseContext, received_at: datetime) -> None:
        self.outer = outer
        self.context = context
        self.received_at = received_at
        self.layers = 0
        self.is_relayed = False
        self.delivery_id: str | None = None

    def inside(self, open_layer: Callable[[], Layer]) -> Reading:
        """What is inside one layer. A refusal below a relay is marked as relayed."""
        self.layers += 1
        if self.layers > MAX_LAYERS:
            raise Rejected(
                "malformed_json", f"more than {MAX_LAYERS} wrapping layers", is_relayed=self.is_relayed
            )
        try:
            layer = open_layer()
            self.is_relayed = self.is_relayed or layer.is_relay
            self.delivery_id = layer.message_id or self.delivery_id
            return self._unknown(layer.note) if layer.data is None else self.document(layer.data)
        except Rejected as refusal:
            is_relayed = refusal.is_relayed or self.is_relayed
            raise Rejected(refusal.code, refusal.detail, is_relayed=is_relayed, limit=refusal.limit) from None

    def document(self, raw: bytes) -> Reading:
        """Checked JSON, handed to the source whose format it is."""
        if not raw.lstrip().startswith(b"{"):
            return self._unknown("the data is no object")
        shape = wire.decode(raw, _SHAPE)
        for known in FORMATS:
            if not known.is_here(shape):
                continue
            if isinstance(known, Document):
                return known.parse(raw, context=self.context, received_at=self.received_at)
            return self.inside(partial(known.open, raw))
        return self._unknown("unknown inner event")

    def _unknown(self, note: str) -> Reading:
        """Kept as unrecognised, under the innermost layer's own id where it has one."""
        return Reading(
            delivery_id=self.delivery_id or wire.canonical_hash(self.outer),
            result=Result.UNRECOGNISED,
            note=note,
        )
