"""One EventBridge event while it is read: its envelope, checked in the order refusals are promised in.

The order is: a missing machine, then a time, then the forms of account, id and the rest.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypedDict, Unpack

import msgspec
from django.utils.functional import cached_property  # the standard library's takes a lock at each first look

from console.feeds import wire
from console.feeds.identifiers import check_account, check_instance_id, is_placeholder, usable
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
from console.feeds.times import is_future, required_time
from console.feeds.wire import text_or_none

EVENTBRIDGE = "aws.eventbridge"


class Envelope(msgspec.Struct, kw_only=True):
    """Untyped on purpose: an event of no interest is recognised before any other field is looked at."""

    detail_type: object = msgspec.field(name="detail-type", default=None)
    source: object = None
    id: object = None
    account: object = None
    region: object = None
    time: object = None
    resources: object = None
    detail: object = None
    replay_name: object = msgspec.field(name="replay-name", default=None)


class Said(TypedDict, total=False):
    """What a statement may say beyond its kind and machine."""

    deadline_at: datetime | None
    outcome: Outcome
    cause: Cause
    action: Action
    state: str
    may_open: bool
    is_restart: bool
    group: str | None
    message: str | None


class Event:
    """An EventBridge event, its detail an object for certain."""

    def __init__(
        self, raw: bytes, *, envelope: Envelope, context: ParseContext, received_at: datetime
    ) -> None:
        if not isinstance(envelope.detail, dict):
            raise Rejected("invalid_field", "detail: must be an object")
        self.raw = raw
        self.envelope = envelope
        self.detail: dict[str, Any] = envelope.detail
        self.context = context
        self.received_at = received_at

    @cached_property
    def occurred_at(self) -> datetime:
        return required_time(self.envelope.time, field="time")

    @cached_property
    def id(self) -> str:
        """The envelope's id; input transformers may drop it, and then the content stands for it."""
        given = text_or_none(self.envelope.id, field="id")
        if given is None or is_placeholder(given):
            return wire.canonical_hash(self.raw)
        return wire.bounded_id(given)

    def text(self, name: str) -> str | None:
        """A field of the detail, trimmed; None where it is absent or empty."""
        return text_or_none(self.detail.get(name), field=f"detail.{name}")

    def resources(self) -> list[str]:
        listed = self.envelope.resources
        return [item.strip() for item in listed if isinstance(item, str)] if isinstance(listed, list) else []

    def machine(self, field: str, *, zone: str | None = None, instance_type: str | None = None) -> MachineRef:
        """The machine that `detail.<field>` names, else the one among the resources."""
        named = self.detail.get(field)
        if named is None or (isinstance(named, str) and usable(named) is None):
            named = self._instance_among_resources()
        if named is None:
            raise Rejected(
                "missing_instance_id", f"detail.{field}: no usable instance id here nor in resources"
            )
        return self.machine_of(named, field=f"detail.{field}", zone=zone, instance_type=instance_type)

    def machine_of(
        self, named: object, *, field: str, zone: str | None = None, instance_type: str | None = None
    ) -> MachineRef:
        place = self.place  # times are judged before forms
        if not isinstance(named, str):
            raise Rejected("invalid_field", f"{field}: must be text")
        instance_id = check_instance_id(named.strip(), provider="aws", field=field)
        return MachineRef(
            provider="aws",
            account=place[0],
            region=place[1],
            zone=zone,
            instance_id=instance_id,
            instance_type=instance_type,
        )

    def no_machine(self, *, zone: str | None = None) -> MachineRef:
        """Where a statement is about a fleet or group and names no machine."""
        account, region = self.place
        return MachineRef(provider="aws", account=account, region=region, zone=zone)

    @cached_property
    def place(self) -> tuple[str, str | None]:
        """Account and region: the envelope's, else the feed's own."""
        _ = self.occurred_at
        return self.place_of(self.envelope.account, self.envelope.region)

    def place_of(
        self, account: object, region: object, *, fields: tuple[str, str] = ("account", "region")
    ) -> tuple[str, str | None]:
        named = text_or_none(account, field=fields[0]) or self.context.account
        if named is None:
            raise Rejected(
                "invalid_field", f"{fields[0]}: missing; send it or set the account in the feed's settings"
            )
        return (
            check_account(named, provider="aws", field=fields[0]),
            text_or_none(region, field=fields[1]) or self.context.region,
        )

    def statement(
        self, kind: Kind, *, machine: MachineRef, event_id: str | None = None, **said: Unpack[Said]
    ) -> NormalisedEvent:
        return NormalisedEvent(
            source=EVENTBRIDGE,
            kind=kind,
            event_id=event_id or self.id,
            occurred_at=self.occurred_at,
            machine=machine,
            is_future=is_future(self.occurred_at, received_at=self.received_at),
            **said,
        )

    def accept(self, *events: NormalisedEvent) -> Reading:
        return Reading(
            delivery_id=wire.delivery_id(self.raw, events),
            events=events,
            is_replay=is_replay(self.envelope),
        )

    def unrecognised(self, note: str) -> Reading:
        return aside(self.raw, envelope=self.envelope, result=Result.UNRECOGNISED, note=note)

    def ignored(self) -> Reading:
        return aside(self.raw, envelope=self.envelope, result=Result.IGNORED)

    def _instance_among_resources(self) -> str | None:
        for resource in self.resources():
            found = instance_in(resource)
            if found is not None:
                return found
        return None


def aside(raw: bytes, *, envelope: Envelope, result: Result, note: str = "") -> Reading:
    """Kept, and nothing is recorded of it."""
    return Reading(
        delivery_id=wire.canonical_hash(raw), result=result, note=note, is_replay=is_replay(envelope)
    )


def is_replay(envelope: Envelope) -> bool:
    """Archives name themselves in what they send again."""
    return bool(envelope.replay_name)


def instance_in(resource: str) -> str | None:
    """The instance id in an ARN, or the bare id. The ARN's region slot may hold a zone and is not read."""
    if resource.startswith("arn:"):
        _, found, instance_id = resource.partition("instance/")
        return usable(instance_id) if found else None
    return usable(resource) if resource.startswith("i-") else None
