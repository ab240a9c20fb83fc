"""The body of a node report, `node-report/1`, checked strictly; refusals name the entry and what is allowed.

Keys that are not known are left alone, so a newer watcher can talk to an older console.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

import msgspec

from console.feeds import wire
from console.feeds.normalised import Rejected

FAMILY = "node-report/"
SCHEMA = "node-report/1"

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f]+$")]
Signal = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f]+$")]
Replicated = Annotated[str, msgspec.Meta(max_length=255, pattern=r"^[^\x00-\x1f]*$")]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e10)]
Attempt = Annotated[int, msgspec.Meta(ge=0, le=2_147_483_647)]
Text = Annotated[str, msgspec.Meta(max_length=65_536)]
Level = Literal["trace", "debug", "info", "warning", "warn", "error", "critical", "fatal"]


class Entry(msgspec.Struct, kw_only=True, tag_field="type"):
    """Times stay untyped here and are read by `times`, which knows every accepted form."""


class Heartbeat(Entry, kw_only=True, tag="heartbeat"):
    pass


class Notice(Entry, kw_only=True, tag="notice"):
    action: Literal["terminate", "stop", "hibernate"] | None = None
    deadline_at: object = None


class Hook(Entry, kw_only=True, tag="hook"):
    outcome: Literal["complete", "partial", "failed"]
    started_at: object = None
    finished_at: object = None
    message: Text = ""


class Move(Entry, kw_only=True, tag="move"):
    workload: Name
    workload_class: Literal["stateless", "batch", "stateful"] = msgspec.field(name="class")
    evicted_at: object = None
    running_at: object = None
    to_node: Name | None = None


class Work(Entry, kw_only=True, tag="work"):
    job: Name
    attempt: Attempt = 1
    useful_seconds: Seconds
    lost_seconds: Seconds
    restart_seconds: Seconds = 0.0
    last_checkpoint_at: object = None
    finished_at: object = None


class Volume(Entry, kw_only=True, tag="volume"):
    volume: Name
    detached_at: object = None
    attached_at: object = None


class Replica(Entry, kw_only=True, tag="replica"):
    name: Name
    last_write_at: object = None
    ready_at: object = None


class Sample(Entry, kw_only=True, tag="sample"):
    signal: Signal
    replica: Replicated = ""
    at: object = None
    value: float | None = None


class Log(Entry, kw_only=True, tag="log"):
    message: Text
    at: object = None
    level: Level = "info"


Report = Heartbeat | Notice | Hook | Move | Work | Volume | Replica | Sample | Log


class NodeReport(msgspec.Struct, kw_only=True):
    report_id: str | None = None
    provider: str | None = None
    account: str | None = None
    region: str | None = None
    zone: str | None = None
    instance_id: str | None = None
    instance_type: str | None = None
    node_name: str | None = None
    service: str | None = None
    boot_id: str | None = None
    reported_at: object = None
    reports: list[Report] = []


class Head(msgspec.Struct, kw_only=True):
    report_schema: object = msgspec.field(name="schema", default=None)


_HEAD = msgspec.json.Decoder(Head)
_REPORT = msgspec.json.Decoder(NodeReport)

_CHOICES = {
    ("hook", "outcome"): "complete, partial or failed",
    ("notice", "action"): "terminate, stop or hibernate",
    ("move", "class"): "stateless, batch or stateful",
    ("log", "level"): "trace, debug, info, warning, error or critical",
}
_FIELD_CHOICES = {field: choices for (_, field), choices in _CHOICES.items()} | {
    "type": "heartbeat, notice, hook, move, work, volume, replica, sample or log"
}
_BAD_CHOICE = re.compile(r"(?:.*\.)?(\w+): invalid (?:enum )?value .*", re.DOTALL)


def read(raw: bytes) -> NodeReport:
    """The report; an older or newer major version is refused before its fields are looked at."""
    schema = wire.decode(raw, _HEAD).report_schema
    if schema != SCHEMA:
        if isinstance(schema, str) and schema.startswith(FAMILY):
            raise Rejected("unsupported_version", f"schema: {schema[:40]!r} is not taken; send {SCHEMA}")
        raise Rejected("invalid_field", f"schema: must be {SCHEMA}")
    try:
        return wire.decode(raw, _REPORT)
    except Rejected as refusal:
        raise Rejected(refusal.code, _explained(refusal.detail)) from None


def _explained(detail: str) -> str:
    """Choices are spelled out: what was wrong is less use than what would be right."""
    match = _BAD_CHOICE.fullmatch(detail)
    choices = _FIELD_CHOICES.get(match.group(1)) if match else None
    return f"{detail.partition(':')[0]}: must be {choices}" if choices else detail
