"""What the instance metadata service (IMDSv2) answers on a node, posted by a watcher there.

No document names its instance: the watcher's wrapper does, or the feed's settings. `null` as the body is a path
that answered 404, so nothing is announced: a sign of life.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypedDict, Unpack

import msgspec

from console.feeds import wire
from console.feeds.normalised import (
    Action,
    Cause,
    Kind,
    MachineRef,
    NormalisedEvent,
    Outcome,
    ParseContext,
    Reading,
    Rejected,
    Result,
)
from console.feeds.sources.watcher import Watched, aside, open_watched
from console.feeds.times import is_future, required_time
from console.feeds.wire import text_or_none

SOURCE = "aws.imds"
ACTION = "spot/instance-action"
REBALANCE = "events/recommendations/rebalance"
SCHEDULED = "events/maintenance/scheduled"
TARGET_STATE = "autoscaling/target-lifecycle-state"
MAX_SCHEDULED = 100
_ALIVE = frozenset({"InService", "Pending", "Standby", "Detached"})


class InstanceAction(msgspec.Struct, kw_only=True):
    action: str | None = None
    time: object = None


class Rebalance(msgspec.Struct, kw_only=True):
    notice_time: object = msgspec.field(name="noticeTime", default=None)


class Scheduled(msgspec.Struct, kw_only=True):
    event_id: str | None = msgspec.field(name="EventId", default=None)
    code: str | None = msgspec.field(name="Code", default=None)
    description: str | None = msgspec.field(name="Description", default=None)
    not_before: object = msgspec.field(name="NotBefore", default=None)
    state: str | None = msgspec.field(name="State", default=None)


class Shape(msgspec.Struct, kw_only=True):
    """The fields that tell bare documents apart."""

    action: object = None
    notice_time: object = msgspec.field(name="noticeTime", default=None)
    not_before: object = msgspec.field(name="NotBefore", default=None)
    code: object = msgspec.field(name="Code", default=None)


class Said(TypedDict, total=False):
    deadline_at: datetime | None
    is_precise_deadline: bool
    outcome: Outcome
    cause: Cause
    action: Action
    state: str
    may_open: bool
    message: str | None


_ACTION = msgspec.json.Decoder(InstanceAction)
_REBALANCE = msgspec.json.Decoder(Rebalance)
_SCHEDULED = msgspec.json.Decoder(list[msgspec.Raw])
_ONE_SCHEDULED = msgspec.json.Decoder(Scheduled)
_SHAPE = msgspec.json.Decoder(Shape)
_ANYTHING = msgspec.json.Decoder()


def parse(raw: bytes, *, context: ParseContext, received_at: datetime) -> Reading:
    """One polled document, in the watcher's wrapper or bare, checked JSON already."""
    watched = open_watched(raw, context=context, received_at=received_at)
    known = aside(raw, watched, paths=PATHS)
    if known is not None:
        return known
    path = watched.path or _path_of(watched.body)
    if path is None:
        return _aside(raw, Result.UNRECOGNISED, note="no document of the instance metadata service")
    if watched.body.strip() == b"null":
        return _heartbeat(raw, watched)
    return _MAPPINGS[path](raw, watched)


def _path_of(body: bytes) -> str | None:
    """Which document a bare one is, by its own fields."""
    body = body.strip()
    if body.startswith(b"["):
        return SCHEDULED
    if body.startswith(b'"'):
        return TARGET_STATE
    if not body.startswith(b"{"):
        return None
    shape = wire.decode(body, _SHAPE)
    if shape.action is not None:
        return ACTION
    if shape.notice_time is not None:
        return REBALANCE
    return SCHEDULED if shape.not_before is not None or shape.code is not None else None


def _instance_action(raw: bytes, watched: Watched) -> Reading:
    document = wire.decode(watched.body, _ACTION)
    machine = watched.machine("aws")
    deadline_at = required_time(document.time, field="time")
    try:
        action = Action((document.action or "").strip())
    except ValueError:
        raise Rejected(
            "invalid_field",
            f"action: must be terminate, stop or hibernate, got {(document.action or '')[:40]!r}",
        ) from None
    return _accept(
        raw,
        _statement(
            watched,
            Kind.INTERRUPTION_NOTICE,
            machine=machine,
            deadline_at=deadline_at,
            is_precise_deadline=True,
            cause=Cause.SPOT,
            action=action,
            may_open=True,
        ),
    )


def _rebalance(raw: bytes, watched: Watched) -> Reading:
    document = wire.decode(watched.body, _REBALANCE)
    machine = watched.machine("aws")
    own_time = required_time(document.notice_time, field="noticeTime")
    return _accept(
        raw,
        _statement(
            watched,
            Kind.REBALANCE_RECOMMENDATION,
            machine=machine,
            own_time=own_time,
            cause=Cause.SPOT,
            may_open=True,
        ),
    )


def _scheduled(raw: bytes, watched: Watched) -> Reading:
    """Maintenance: shown on the machine, opens nothing. Each entry has its own id, whatever stands beside it."""
    is_list = watched.body.lstrip().startswith(b"[")
    listed = wire.decode(watched.body, _SCHEDULED) if is_list else [msgspec.Raw(watched.body)]
    if len(listed) > MAX_SCHEDULED:
        raise Rejected("too_large", f"body: at most {MAX_SCHEDULED} scheduled events", limit="events")
    if not listed:
        return _heartbeat(raw, watched)
    machine = watched.machine("aws")
    return _accept(raw, *(_one_scheduled(bytes(entry), watched, machine=machine) for entry in listed))


def _one_scheduled(entry: bytes, watched: Watched, *, machine: MachineRef) -> NormalisedEvent:
    event = wire.decode(entry, _ONE_SCHEDULED)
    deadline_at = required_time(event.not_before, field="NotBefore")
    state = (event.state or "active").strip().lower()
    said = ": ".join(filter(None, (event.code, event.description)))
    return _statement(
        dataclasses.replace(watched, body=entry),
        Kind.STATE_CHANGE if state == "completed" else Kind.INTERRUPTION_NOTICE,
        machine=machine,
        deadline_at=deadline_at,
        is_precise_deadline=True,
        cause=Cause.MAINTENANCE,
        outcome=Outcome.CANCELLED if state in ("canceled", "cancelled") else Outcome.OK,
        message=wire.plain_text(said) or None,
    )


def _target_state(raw: bytes, watched: Watched) -> Reading:
    """The state the scaling group wants for the instance: only the end of it is of interest."""
    state = text_or_none(_ANYTHING.decode(watched.body), field="body")
    if state == "Terminated":
        machine = watched.machine("aws")
        return _accept(raw, _statement(watched, Kind.SHUTDOWN_STARTED, machine=machine))
    if state in _ALIVE:
        return _heartbeat(raw, watched)
    if state is not None and state.startswith("Warmed:"):
        return _aside(raw, Result.IGNORED)
    note = wire.plain_text(f"unknown target lifecycle state {state!r}", limit=100)
    return _aside(raw, Result.UNRECOGNISED, note=note)


_MAPPINGS: Mapping[str, Callable[[bytes, Watched], Reading]] = {
    ACTION: _instance_action,
    REBALANCE: _rebalance,
    SCHEDULED: _scheduled,
    TARGET_STATE: _target_state,
}
PATHS: tuple[str, ...] = tuple(_MAPPINGS)


def _statement(
    watched: Watched,
    kind: Kind,
    *,
    machine: MachineRef,
    own_time: datetime | None = None,
    **said: Unpack[Said],
) -> NormalisedEvent:
    occurred_at = own_time or watched.observed_at
    return NormalisedEvent(
        source=SOURCE,
        kind=kind,
        event_id=watched.event_id(machine),
        occurred_at=occurred_at,
        machine=machine,
        is_observed=own_time is None,
        is_future=is_future(occurred_at, received_at=watched.received_at),
        **said,
    )


def _accept(raw: bytes, *events: NormalisedEvent) -> Reading:
    return Reading(delivery_id=wire.delivery_id(raw, events), events=events)


def _heartbeat(raw: bytes, watched: Watched) -> Reading:
    """The machine lives, and nothing is announced for it."""
    return Reading(
        delivery_id=wire.canonical_hash(raw),
        machine=watched.machine("aws"),
        heartbeat_at=min(watched.observed_at, watched.received_at),
        is_heartbeat=True,
    )


def _aside(raw: bytes, result: Result, *, note: str = "") -> Reading:
    return Reading(delivery_id=wire.canonical_hash(raw), result=result, note=note)
