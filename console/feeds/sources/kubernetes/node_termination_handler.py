"""The AWS node termination handler: reasons of its own, or one reason for all with the kind in the message."""

from __future__ import annotations

import re
from datetime import datetime

import msgspec

from console.feeds import wire
from console.feeds.identifiers import check_account, check_instance_id, usable
from console.feeds.normalised import Cause, Kind, MachineRef, Outcome, Reading
from console.feeds.sources.kubernetes.event import Event, text
from console.feeds.times import InvalidTime, parse_time

COMPONENT = "aws-node-termination-handler"

_STAGES = {
    "StateChange": Kind.STATE_CHANGE,
    "ASGLifecycle": Kind.SHUTDOWN_STARTED,
    "Cordon": Kind.NODE_CORDONED,
    "PreDrain": Kind.NODE_CORDONED,
    "CordonAndDrain": Kind.SHUTDOWN_COMPLETED,
    "PostDrain": Kind.SHUTDOWN_COMPLETED,
}
_WITHDRAWALS = {"Uncordon": Kind.NODE_CORDONED, "CancelDrain": Kind.NODE_DRAIN_STARTED}
_SAID_IN_QUEUE_MODE = (
    ("Spot Interruption notice", "SpotInterruption"),
    ("Rebalance recommendation", "RebalanceRecommendation"),
    ("State Change", "StateChange"),
    ("ASG Lifecycle Termination", "ASGLifecycle"),
    ("AWS Health", "ScheduledEvent"),
)
_DEADLINE = re.compile(r"interrupted at (\S+)")
_INSTANCE = re.compile(r"(?<![\w-])i-(?:[0-9a-f]{17}|[0-9a-f]{8})(?![\w-])")


def read(event: Event) -> Reading:
    reason = event.reason
    if reason == "MonitorError":
        # The handler lives and could not look: a sign of life of the feed, of no machine in particular.
        note = wire.plain_text(event.message, limit=200)
        return Reading(delivery_id=event.id, is_heartbeat=True, note=note)
    if reason == "SQSTermination":
        said = (named for phrase, named in _SAID_IN_QUEUE_MODE if phrase.lower() in event.message.lower())
        reason = next(said, reason)
    if reason == "SpotInterruption":
        return _notice(event)
    if reason == "RebalanceRecommendation":
        kind = Kind.REBALANCE_RECOMMENDATION
        return event.accept(kind, machine=_machine(event), cause=Cause.SPOT, may_open=True)
    if reason == "ScheduledEvent":
        return event.accept(Kind.INTERRUPTION_NOTICE, machine=_machine(event), cause=Cause.MAINTENANCE)
    if reason in _WITHDRAWALS:
        return event.accept(_WITHDRAWALS[reason], machine=_machine(event), outcome=Outcome.CANCELLED)
    has_failed = reason.endswith("Error")
    stages = {**_STAGES, **_WITHDRAWALS} if has_failed else _STAGES
    kind_or_none = stages.get(reason.removesuffix("Error"))
    if kind_or_none is None:
        return event.unrecognised()
    outcome = Outcome.ERROR if has_failed else Outcome.OK
    return event.accept(kind_or_none, machine=_machine(event), outcome=outcome)


def _notice(event: Event) -> Reading:
    """In IMDS mode the message gives the deadline; in queue mode it gives when the notice was sent."""
    deadline_at = _deadline(event.message) if event.reason != "SQSTermination" else None
    return event.accept(
        Kind.INTERRUPTION_NOTICE,
        machine=_machine(event),
        deadline_at=deadline_at,
        is_precise_deadline=deadline_at is not None,
        cause=Cause.SPOT,
        may_open=True,
    )


def _deadline(message: str) -> datetime | None:
    found = _DEADLINE.search(message)
    try:
        return parse_time(found[1]) if found else None
    except InvalidTime:
        return None


def _machine(event: Event) -> MachineRef:
    """The node with the cloud identity that the handler writes into the annotations."""
    annotations = {} if _are_of_the_handlers_own_node(event) else event.annotations

    def said(name: str) -> str | None:
        return usable(text(annotations.get(name), field=f"metadata.annotations.{name}"))

    account, instance_id = said("account-id"), said("instance-id")
    if account is not None:
        check_account(account, provider="aws", field="metadata.annotations.account-id")
    if instance_id is not None:
        check_instance_id(instance_id, provider="aws", field="metadata.annotations.instance-id")
    elif found := _INSTANCE.search(event.message):
        instance_id = found[0]
    if event.object_name is None and instance_id is not None:
        node = event.node_named(None)
    else:
        node = event.node(provider="aws")
    return msgspec.structs.replace(
        node,
        provider="aws",
        account=account or event.context.account,
        region=said("region") or node.region or event.context.region,
        zone=said("availability-zone") or node.zone,
        instance_id=instance_id,
        instance_type=said("instance-type") or node.instance_type,
    )


def _are_of_the_handlers_own_node(event: Event) -> bool:
    """In queue mode one handler speaks for all nodes, and may describe the one it runs on itself."""
    if event.host is None or event.object_name is None or event.host == event.object_name:
        return False
    described = text(event.annotations.get("local-hostname"), field="metadata.annotations.local-hostname")
    return described is not None and described != event.object_name
