"""What an Auto Scaling group does: launches, terminations and the lifecycle hooks around them."""

from __future__ import annotations

import msgspec

from console.feeds import wire
from console.feeds.normalised import Kind, MachineRef, Outcome, Reading, Rejected
from console.feeds.sources.aws.event import Event


def launch(event: Event) -> Reading:
    """The instance is the new one; on its way into a warm pool it replaces nothing yet.

    `StatusCode` is "InProgress" although the detail-type says successful.
    """
    machine = _machine(event)
    into_warm_pool = event.text("Destination") == "WarmPool"
    return _accept(event, Kind.STATE_CHANGE if into_warm_pool else Kind.REPLACEMENT_LAUNCHED, machine=machine)


def launch_unsuccessful(event: Event) -> Reading:
    """AWS leaves the instance id empty where no machine ever came up; the missing capacity still counts."""
    is_empty = event.detail.get("EC2InstanceId") == ""
    machine = _zoned(event, event.no_machine()) if is_empty else _machine(event)
    return _accept(event, Kind.REPLACEMENT_LAUNCHED, machine=machine, outcome=Outcome.ERROR)


def terminate_action(event: Event) -> Reading:
    return _accept(event, Kind.SHUTDOWN_STARTED, machine=_machine(event))


def terminate_successful(event: Event) -> Reading:
    """`Cause` is the group's free text and sets no cause."""
    return _accept(event, Kind.TERMINATED, machine=_machine(event))


def terminate_unsuccessful(event: Event) -> Reading:
    return _accept(event, Kind.STATE_CHANGE, machine=_machine(event), outcome=Outcome.ERROR)


def _accept(event: Event, kind: Kind, *, machine: MachineRef, outcome: Outcome = Outcome.OK) -> Reading:
    said = event.text("StatusMessage") or event.text("Cause")
    return event.accept(
        event.statement(
            kind,
            machine=machine,
            outcome=outcome,
            group=event.text("AutoScalingGroupName"),
            message=wire.plain_text(said) if said else None,
        )
    )


def _machine(event: Event) -> MachineRef:
    return _zoned(event, event.machine("EC2InstanceId"))


def _zoned(event: Event, machine: MachineRef) -> MachineRef:
    details = event.detail.get("Details")
    if details is None:
        return machine
    zone = details.get("Availability Zone") if isinstance(details, dict) else details
    if zone is not None and not (isinstance(zone, str) and isinstance(details, dict)):
        raise Rejected("invalid_field", "detail.Details: must be an object with texts")
    return msgspec.structs.replace(machine, zone=(zone or "").strip() or None)
