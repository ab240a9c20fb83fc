"""A lifecycle hook's own message, sent straight to SQS or SNS without EventBridge.

It names no account and no region: both are the feed's. Groups also send a test when the hook is made; that is a
sign of life of the feed and says nothing of the machine it names.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from console.feeds import wire
from console.feeds.identifiers import check_account, check_instance_id, is_placeholder, usable
from console.feeds.normalised import (
    Kind,
    MachineRef,
    NormalisedEvent,
    ParseContext,
    Reading,
    Rejected,
    Result,
)
from console.feeds.times import is_future, required_time
from console.feeds.wire import text_or_none

SOURCE = "aws.autoscaling"
TEST = "autoscaling:TEST_NOTIFICATION"
LAUNCHING = "autoscaling:EC2_INSTANCE_LAUNCHING"
TERMINATING = "autoscaling:EC2_INSTANCE_TERMINATING"


class Hook(msgspec.Struct, kw_only=True):
    transition: object = msgspec.field(name="LifecycleTransition", default=None)
    event: object = msgspec.field(name="Event", default=None)
    instance_id: object = msgspec.field(name="EC2InstanceId", default=None)
    group: object = msgspec.field(name="AutoScalingGroupName", default=None)
    request_id: object = msgspec.field(name="RequestId", default=None)
    time: object = msgspec.field(name="Time", default=None)
    account: object = msgspec.field(name="AccountId", default=None)
    destination: object = msgspec.field(name="Destination", default=None)


_HOOK = msgspec.json.Decoder(Hook)


def is_hook(transition: object, event: object) -> bool:
    """`LifecycleTransition` is a hook's own; a test may only have `Event`."""
    return transition is not None or event == TEST


def parse(raw: bytes, *, context: ParseContext, received_at: datetime) -> Reading:
    """One hook message, checked JSON already."""
    hook = wire.decode(raw, _HOOK)
    transition = text_or_none(hook.transition, field="LifecycleTransition")
    if TEST in (transition, text_or_none(hook.event, field="Event")):
        return _test(raw, hook, context=context, received_at=received_at)
    if transition not in (LAUNCHING, TERMINATING):
        note = wire.plain_text(f"unknown lifecycle transition {transition!r}", limit=100)
        return Reading(delivery_id=wire.canonical_hash(raw), result=Result.UNRECOGNISED, note=note)
    named = hook.instance_id
    if named is None or (isinstance(named, str) and usable(named) is None):
        raise Rejected("missing_instance_id", "EC2InstanceId: no usable instance id")
    occurred_at = required_time(hook.time, field="Time")
    place = _place(hook, context=context, is_needed=True)
    if not isinstance(named, str):
        raise Rejected("invalid_field", "EC2InstanceId: must be text")
    instance_id = check_instance_id(named.strip(), provider="aws", field="EC2InstanceId")
    return _accept(
        raw,
        hook,
        kind=_kind(transition, text_or_none(hook.destination, field="Destination")),
        occurred_at=occurred_at,
        received_at=received_at,
        machine=msgspec.structs.replace(place, instance_id=instance_id),
    )


def _kind(transition: str, destination: str | None) -> Kind:
    if transition == TERMINATING:
        return Kind.SHUTDOWN_STARTED
    return Kind.STATE_CHANGE if destination == "WarmPool" else Kind.REPLACEMENT_LAUNCHED


def _test(raw: bytes, hook: Hook, *, context: ParseContext, received_at: datetime) -> Reading:
    reading = _accept(
        raw,
        hook,
        kind=Kind.HEARTBEAT,
        occurred_at=required_time(hook.time, field="Time"),
        received_at=received_at,
        machine=_place(hook, context=context, is_needed=False),
    )
    return msgspec.structs.replace(reading, is_heartbeat=True)


def _accept(
    raw: bytes, hook: Hook, *, kind: Kind, occurred_at: datetime, received_at: datetime, machine: MachineRef
) -> Reading:
    event = NormalisedEvent(
        source=SOURCE,
        kind=kind,
        event_id=_event_id(hook.request_id, raw=raw),
        occurred_at=occurred_at,
        machine=machine,
        is_future=is_future(occurred_at, received_at=received_at),
        group=text_or_none(hook.group, field="AutoScalingGroupName"),
    )
    return Reading(delivery_id=event.event_id, events=(event,))


def _event_id(value: Any, *, raw: bytes) -> str:
    given = text_or_none(value, field="RequestId")
    if given is None or is_placeholder(given):
        return wire.canonical_hash(raw)
    return wire.bounded_id(given)


def _place(hook: Hook, *, context: ParseContext, is_needed: bool) -> MachineRef:
    account = text_or_none(hook.account, field="AccountId") or context.account
    if account is None and is_needed:
        raise Rejected("invalid_field", "account: a hook names none; set the account in the feed's settings")
    if account is not None:
        check_account(account, provider="aws", field="AccountId")
    return MachineRef(provider="aws", account=account, region=context.region)
