"""EventBridge: the envelope, and which of its events says what (`detail-type` and `source` decide)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec

from console.feeds import wire
from console.feeds.normalised import ParseContext, Reading, Rejected, Result
from console.feeds.sources.aws import autoscaling, cloudtrail, ec2, fleets, health
from console.feeds.sources.aws.event import Envelope, Event, aside


class Message(Envelope, kw_only=True):
    """An envelope, or a CloudTrail record that came without one."""

    event_name: object = msgspec.field(name="eventName", default=None)


_MESSAGE = msgspec.json.Decoder(Message)

_MAPPINGS: Mapping[tuple[str, str], Callable[[Event], Reading]] = {
    ("aws.ec2", "EC2 Spot Instance Interruption Warning"): ec2.spot_warning,
    ("aws.ec2", "EC2 Capacity Reservation Instance Interruption Warning"): ec2.capacity_reservation_warning,
    ("aws.ec2", "EC2 Instance Rebalance Recommendation"): ec2.rebalance_recommendation,
    ("aws.ec2", "EC2 Instance State-change Notification"): ec2.state_change,
    ("aws.ec2", "EC2 Spot Instance Request Fulfillment"): ec2.request_fulfilled,
    ("aws.ec2", "AWS Service Event via CloudTrail"): cloudtrail.service_event,
    ("aws.ec2fleet", "EC2 Fleet Instance Change"): fleets.instance_change,
    ("aws.ec2fleet", "EC2 Fleet Error"): fleets.error,
    ("aws.ec2fleet", "EC2 Fleet Information"): fleets.information,
    ("aws.ec2fleet", "EC2 Fleet Spot Instance Request Change"): fleets.request_change,
    ("aws.ec2spotfleet", "EC2 Spot Fleet Instance Change"): fleets.instance_change,
    ("aws.ec2spotfleet", "EC2 Spot Fleet Error"): fleets.error,
    ("aws.ec2spotfleet", "EC2 Spot Fleet Information"): fleets.information,
    ("aws.ec2spotfleet", "EC2 Spot Fleet Spot Instance Request Change"): fleets.request_change,
    ("aws.autoscaling", "EC2 Instance-launch Lifecycle Action"): autoscaling.launch,
    ("aws.autoscaling", "EC2 Instance Launch Successful"): autoscaling.launch,
    ("aws.autoscaling", "EC2 Instance Launch Unsuccessful"): autoscaling.launch_unsuccessful,
    ("aws.autoscaling", "EC2 Instance-terminate Lifecycle Action"): autoscaling.terminate_action,
    ("aws.autoscaling", "EC2 Instance Terminate Successful"): autoscaling.terminate_successful,
    ("aws.autoscaling", "EC2 Instance Terminate Unsuccessful"): autoscaling.terminate_unsuccessful,
    ("aws.health", "AWS Health Event"): health.scheduled_change,
}
EVENT_TYPES: tuple[tuple[str, str], ...] = tuple(_MAPPINGS)
"""(source, detail-type) of every event that means something; the connect guide's rule asks for these."""
_OF_NO_INTEREST = frozenset({("aws.ecs", "ECS Task State Change")})


def parse(raw: bytes, *, context: ParseContext, received_at: datetime) -> Reading:
    """One EventBridge event or bare CloudTrail record, checked JSON already."""
    message = wire.decode(raw, _MESSAGE)
    if message.detail_type is None:
        if message.event_name is not None:
            return cloudtrail.parse_record(raw, context=context, received_at=received_at)
        return aside(raw, envelope=message, result=Result.UNRECOGNISED, note="no detail-type")
    if not isinstance(message.detail_type, str):
        raise Rejected("invalid_field", "detail-type: must be text")
    if message.source is not None and not isinstance(message.source, str):
        raise Rejected("invalid_field", "source: must be text")
    key = (message.source or "", message.detail_type)
    if key in _OF_NO_INTEREST:
        return aside(raw, envelope=message, result=Result.IGNORED)
    mapping = _MAPPINGS.get(key)
    if mapping is None:
        note = wire.plain_text(f"unknown detail-type {key[1]!r} of source {key[0]!r}", limit=200)
        return aside(raw, envelope=message, result=Result.UNRECOGNISED, note=note)
    return mapping(Event(raw, envelope=message, context=context, received_at=received_at))
