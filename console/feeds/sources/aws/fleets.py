"""EC2 Fleet and Spot Fleet: instances they start and end, and capacity they cannot get."""

from __future__ import annotations

from typing import Any

import msgspec

from console.feeds import wire
from console.feeds.identifiers import usable
from console.feeds.normalised import Kind, MachineRef, Outcome, Reading, Rejected
from console.feeds.sources.aws.event import Event

_OBJECT = msgspec.json.Decoder(dict[str, Any])
_CHANGES = {
    "launched": Kind.REPLACEMENT_LAUNCHED,
    "terminated": Kind.TERMINATED,
    "termination_notified": Kind.STATE_CHANGE,
}


def instance_change(event: Event) -> Reading:
    described = _described(event)
    machine = _machine(event, described)
    sub_type = _sub_type(event)
    kind = _CHANGES.get(sub_type)
    if kind is None:
        return event.unrecognised(f"unknown fleet instance change {sub_type[:60]!r}")
    return event.accept(
        event.statement(kind, machine=machine, group=_fleet(event), message=f"fleet: {sub_type}"[:200])
    )


def error(event: Event) -> Reading:
    """Whatever the error is, capacity that was asked for is missing."""
    return _about_the_fleet(event, is_failure=True)


def information(event: Event) -> Reading:
    return _about_the_fleet(event, is_failure=event.detail.get("sub-type") == "launchSpecUnusable")


def request_change(event: Event) -> Reading:
    """A cancelled request is no withdrawal of a notice, so the outcome stays ok."""
    return _about_the_fleet(event, is_failure=False)


def _about_the_fleet(event: Event, *, is_failure: bool) -> Reading:
    machine = _machine(event, {})
    said = ": ".join(filter(None, (_sub_type(event), event.text("description"))))
    return event.accept(
        event.statement(
            Kind.REPLACEMENT_LAUNCHED if is_failure else Kind.STATE_CHANGE,
            machine=machine,
            outcome=Outcome.ERROR if is_failure else Outcome.OK,
            group=_fleet(event),
            message=wire.plain_text(said),
        )
    )


def _machine(event: Event, described: dict[str, Any]) -> MachineRef:
    """Fleet events may name no machine."""
    named = event.detail.get("instance-id")
    if named is None or (isinstance(named, str) and usable(named) is None):
        return event.no_machine(zone=_word(described, "availabilityZone"))
    return event.machine_of(
        named,
        field="detail.instance-id",
        zone=_word(described, "availabilityZone"),
        instance_type=_word(described, "instanceType"),
    )


def _sub_type(event: Event) -> str:
    sub_type = event.text("sub-type")
    if sub_type is None:
        raise Rejected("invalid_field", "detail.sub-type: missing")
    return sub_type


def _described(event: Event) -> dict[str, Any]:
    """The description of an instance change is JSON in a string; free text enriches nothing."""
    written = event.detail.get("description")
    if not isinstance(written, str):
        return {}
    try:
        wire.check_json(written.encode())
        return _OBJECT.decode(written)
    except (Rejected, msgspec.MsgspecError):
        return {}


def _word(described: dict[str, Any], name: str) -> str | None:
    value = described.get(name)
    return (value.strip() or None) if isinstance(value, str) else None


def _fleet(event: Event) -> str | None:
    """`fleet-…` or `sfr-…`, the last part of the fleet's ARN."""
    for resource in event.resources():
        if ":fleet/" in resource or ":spot-fleet-request/" in resource:
            return resource.rpartition("/")[2] or None
    return None
