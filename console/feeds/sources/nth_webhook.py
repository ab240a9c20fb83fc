"""The webhook of the AWS node termination handler: its default line of text, or the template that we publish.

Users write templates of their own; a text is read only where it is the default one. In queue mode the event id
holds EventBridge's own id in hex and the start is the notice; in IMDS mode the id is the same for machines
taken back in the same second, and the start is the deadline.
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta

import msgspec

from console.feeds import wire
from console.feeds.identifiers import check_account, check_instance_id, usable
from console.feeds.normalised import (
    Cause,
    Kind,
    MachineRef,
    NormalisedEvent,
    ParseContext,
    Reading,
    Rejected,
    Result,
)
from console.feeds.times import is_future, required_time

SOURCE = "nth.webhook"
SCHEMA = "nth-webhook/1"
NOTICE = timedelta(seconds=120)
TEMPLATE = (
    '{"schema": "nth-webhook/1", "event_id": {{ .EventID | toJson }}, "kind": {{ .Kind | toJson }},'
    ' "account": {{ .AccountId | toJson }}, "region": {{ .Region | toJson }},'
    ' "instance_id": {{ .InstanceID | toJson }}, "node": {{ .NodeName | toJson }},'
    ' "description": {{ .Description | trim | toJson }}, "start_time": "{{ .StartTime }}"}'
)
"""What the connect guide has the handler send. Zone and type are left out: in queue mode they would be those of the
node that the handler itself runs on."""

_LINE = re.compile(
    r"\[NTH\]\[Instance Interruption\] EventID: (?P<event_id>\S*) - Kind: (?P<kind>\S*)"
    r" - Instance: (?P<instance_id>\S*) - Node: (?P<node>\S*)"
    r" - Description: (?P<description>.*) - Start Time: (?P<start>.*?)\s*",
    re.DOTALL,
)
_HEX_AT_THE_END = re.compile(r"[a-z0-9-]+-([0-9a-f]+)")
_EVENTBRIDGE_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f-]{0,27})?")
_WHOLE_ID = 36
_KINDS = {
    "SPOT_ITN": (Kind.INTERRUPTION_NOTICE, Cause.SPOT),
    "REBALANCE_RECOMMENDATION": (Kind.REBALANCE_RECOMMENDATION, Cause.SPOT),
    "SCHEDULED_EVENT": (Kind.INTERRUPTION_NOTICE, Cause.MAINTENANCE),
    "ASG_LIFECYCLE": (Kind.SHUTDOWN_STARTED, None),
    "STATE_CHANGE": (Kind.STATE_CHANGE, None),
}
_SAID_IN_QUEUE_MODE = (
    ("spot interruption notice", "SPOT_ITN"),
    ("rebalance recommendation", "REBALANCE_RECOMMENDATION"),
    ("state change", "STATE_CHANGE"),
    ("asg lifecycle termination", "ASG_LIFECYCLE"),
    ("aws health", "SCHEDULED_EVENT"),
)
"""What older handlers call `SQS_TERMINATE`, whatever it is."""


class Message(msgspec.Struct, kw_only=True):
    """`text` is the default template's; the other fields are those of ours."""

    schema: str | None = None
    text: str | None = None
    event_id: str | None = None
    kind: str | None = None
    account: str | None = None
    region: str | None = None
    instance_id: str | None = None
    node: str | None = None
    description: str | None = None
    start_time: str | None = None


_MESSAGE = msgspec.json.Decoder(Message)


def parse(raw: bytes, *, context: ParseContext, received_at: datetime) -> Reading:
    """One call of the webhook, checked JSON already."""
    message = wire.decode(raw, _MESSAGE)
    if message.schema is None:
        line = _LINE.fullmatch(message.text) if message.text is not None else None
        if line is None:
            return _unrecognised(raw, "neither the default text nor the published template")
        message = Message(
            event_id=line["event_id"],
            kind=line["kind"],
            instance_id=line["instance_id"],
            node=line["node"],
            description=line["description"],
            start_time=line["start"],
        )
    elif message.schema != SCHEMA:
        return _unrecognised(raw, wire.plain_text(f"unknown template {message.schema!r}", limit=100))
    kind = usable(message.kind) or ""
    if kind == "SQS_TERMINATE":
        said = (message.description or "").lower()
        kind = next((named for phrase, named in _SAID_IN_QUEUE_MODE if phrase in said), kind)
    if kind not in _KINDS:
        return _unrecognised(raw, wire.plain_text(f"unknown kind {kind!r}", limit=100))
    return _read(raw, message, kind=kind, context=context, received_at=received_at)


def _read(
    raw: bytes, message: Message, *, kind: str, context: ParseContext, received_at: datetime
) -> Reading:
    if usable(message.instance_id) is None and usable(message.node) is None:
        raise Rejected("missing_instance_id", "Instance: neither an instance nor a node is named")
    start_at = required_time(message.start_time, field="Start Time")
    machine = _machine(message, context=context)
    said, cause = _KINDS[kind]
    written_id = usable(message.event_id) or ""
    is_queue_mode = _is_queue_mode(written_id)
    is_notice = said is Kind.INTERRUPTION_NOTICE and cause is Cause.SPOT
    occurred_at = start_at if is_queue_mode or not is_notice else min(start_at - NOTICE, received_at)
    deadline_at = (start_at + NOTICE if is_queue_mode else start_at) if is_notice else None
    if cause is Cause.MAINTENANCE:
        deadline_at, occurred_at = start_at, received_at
    event = NormalisedEvent(
        source=SOURCE,
        kind=said,
        event_id=_event_id(raw, written_id),
        occurred_at=occurred_at,
        machine=machine,
        deadline_at=deadline_at,
        cause=cause,
        may_open=cause is Cause.SPOT,
        is_observed=cause is Cause.MAINTENANCE,
        is_precise_deadline=is_notice and not is_queue_mode,
        is_future=is_future(occurred_at, received_at=received_at),
        message=wire.plain_text((message.description or "").strip()) or None,
    )
    return Reading(delivery_id=event.event_id, events=(event,))


def _machine(message: Message, *, context: ParseContext) -> MachineRef:
    """Account and region come from the feed where the template does not say them; never from the node's name."""
    instance_id = usable(message.instance_id)
    if instance_id is not None:
        check_instance_id(instance_id, provider="aws", field="Instance")
    account = usable(message.account) or context.account
    if account is not None:
        check_account(account, provider="aws", field="account")
    return MachineRef(
        provider="aws",
        account=account,
        region=usable(message.region) or context.region,
        zone=context.zone,
        instance_id=instance_id,
        node_name=usable(message.node),
        cluster=context.cluster,
    )


def _is_queue_mode(event_id: str) -> bool:
    return decoded(event_id) is not None


def _event_id(raw: bytes, written: str) -> str:
    """EventBridge's id where the hex holds all of it; else the content, for the id alone may be shared."""
    given = decoded(written)
    return given if given is not None and len(given) == _WHOLE_ID else wire.canonical_hash(raw)


def decoded(event_id: str) -> str | None:
    """The EventBridge id, or the start of it where it was cut to fit a taint; None in IMDS mode.

    In IMDS mode the hex is a hash: half as many bytes, and no text.
    """
    found = _HEX_AT_THE_END.fullmatch(event_id)
    if found is None:
        return None
    digits = found[1][: len(found[1]) // 2 * 2]
    try:
        text = bytes.fromhex(digits).decode("ascii")
    except (ValueError, UnicodeDecodeError):
        return None
    return text if _EVENTBRIDGE_ID.fullmatch(text) else None


def mended(body: bytes) -> bytes:
    """The body with the line break escaped that the handler's default template leaves bare in its text."""
    if b"\n" not in body:
        return body
    try:
        said = json.loads(body, strict=False)
    except (ValueError, RecursionError):
        return body
    return json.dumps(said).encode() if isinstance(said, dict) and isinstance(said.get("text"), str) else body


def _unrecognised(raw: bytes, note: str) -> Reading:
    return Reading(delivery_id=wire.canonical_hash(raw), result=Result.UNRECOGNISED, note=note)
