"""What AWS sends: events of EventBridge, bare or published to a topic."""

from __future__ import annotations

from datetime import datetime
from random import Random
from typing import Any
from uuid import UUID

import msgspec

from console.drills.sample.company import AWS_ACCOUNT
from console.drills.sample.machines import Machine

Message = dict[str, Any]


def spot_warning(machine: Machine, *, at: datetime, chance: Random) -> Message:
    """Two minutes' notice."""
    arn = f"arn:aws:ec2:{machine.pool.zone}:instance/{machine.instance_id}"
    detail = {"instance-id": machine.instance_id, "instance-action": "terminate"}
    return _event("EC2 Spot Instance Interruption Warning", machine, detail, at=at, chance=chance, arn=arn)


def rebalance(machine: Machine, *, at: datetime, chance: Random) -> Message:
    detail = {"instance-id": machine.instance_id}
    return _event("EC2 Instance Rebalance Recommendation", machine, detail, at=at, chance=chance)


def state_change(machine: Machine, *, state: str, at: datetime, chance: Random) -> Message:
    detail = {"instance-id": machine.instance_id, "state": state}
    return _event("EC2 Instance State-change Notification", machine, detail, at=at, chance=chance)


def bid_evicted(machine: Machine, *, at: datetime, chance: Random) -> Message:
    """CloudTrail's proof that spot took the machine, warned or not."""
    detail = {
        "eventVersion": "1.08",
        "userIdentity": {"accountId": AWS_ACCOUNT, "invokedBy": "ec2.amazonaws.com"},
        "eventTime": _seconds(at),
        "eventSource": "ec2.amazonaws.com",
        "eventName": "BidEvictedEvent",
        "awsRegion": machine.pool.region,
        "sourceIPAddress": "ec2.amazonaws.com",
        "userAgent": "ec2.amazonaws.com",
        "requestParameters": None,
        "responseElements": None,
        "requestID": unique(chance),
        "eventID": unique(chance),
        "eventType": "AwsServiceEvent",
        "recipientAccountId": AWS_ACCOUNT,
        "serviceEventDetails": {"instanceIdSet": [machine.instance_id]},
    }
    return _event("AWS Service Event via CloudTrail", machine, detail, at=at, chance=chance, arn="")


def terminate_action(machine: Machine, *, at: datetime, chance: Random) -> Message:
    """The group's lifecycle hook holds the machine while it drains."""
    detail = {
        "LifecycleActionToken": unique(chance),
        "AutoScalingGroupName": machine.group,
        "LifecycleHookName": "drain",
        "EC2InstanceId": machine.instance_id,
        "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING",
        "Origin": "AutoScalingGroup",
        "Destination": "EC2",
    }
    return _group_event("EC2 Instance-terminate Lifecycle Action", machine, detail, at=at, chance=chance)


def launch_successful(machine: Machine, *, at: datetime, chance: Random) -> Message:
    detail = {
        "StatusCode": "InProgress",
        "Description": f"Launching a new EC2 instance: {machine.instance_id}",
        "AutoScalingGroupName": machine.group,
        "ActivityId": unique(chance),
        "Details": {"Availability Zone": machine.pool.zone, "Subnet ID": "subnet-0a1b2c3d4e5f67890"},
        "RequestId": unique(chance),
        "StatusMessage": "",
        "StartTime": _seconds(at),
        "EndTime": _seconds(at),
        "EC2InstanceId": machine.instance_id,
        "Cause": "An instance was started in response to a difference between desired and actual capacity.",
        "Origin": "EC2",
        "Destination": "AutoScalingGroup",
    }
    return _group_event("EC2 Instance Launch Successful", machine, detail, at=at, chance=chance)


def in_sns(event: Message, *, at: datetime, chance: Random) -> Message:
    """The event as a topic passes it on, without its signature: the feed's secret opens the door."""
    region = event["region"]
    return {
        "Type": "Notification",
        "MessageId": unique(chance),
        "TopicArn": f"arn:aws:sns:{region}:{AWS_ACCOUNT}:spot-events",
        "Message": msgspec.json.encode(event).decode(),
        "Timestamp": f"{at:%Y-%m-%dT%H:%M:%S}.512Z",
    }


def cloud_event(inner: Message, *, source: str, chance: Random) -> Message:
    """The same, passed on by a relay that speaks CloudEvents."""
    return {
        "specversion": "1.0",
        "id": unique(chance),
        "source": source,
        "type": "com.meridian.reclaim",
        "datacontenttype": "application/json",
        "data": inner,
    }


def unique(chance: Random) -> str:
    return str(UUID(int=chance.getrandbits(128), version=4))


def _event(
    detail_type: str,
    machine: Machine,
    detail: Message,
    *,
    at: datetime,
    chance: Random,
    arn: str | None = None,
    source: str = "aws.ec2",
) -> Message:
    region = machine.pool.region
    if arn is None:
        arn = f"arn:aws:ec2:{region}:{AWS_ACCOUNT}:instance/{machine.instance_id}"
    return {
        "version": "0",
        "id": unique(chance),
        "detail-type": detail_type,
        "source": source,
        "account": AWS_ACCOUNT,
        "time": _seconds(at),
        "region": region,
        "resources": [arn] if arn else [],
        "detail": detail,
    }


def _group_event(
    detail_type: str, machine: Machine, detail: Message, *, at: datetime, chance: Random
) -> Message:
    arn = (
        f"arn:aws:autoscaling:{machine.pool.region}:{AWS_ACCOUNT}:autoScalingGroup:"
        f"7a3c4a11-0000-4000-8000-000000000000:autoScalingGroupName/{machine.group}"
    )
    return _event(detail_type, machine, detail, at=at, chance=chance, arn=arn, source="aws.autoscaling")


def _seconds(at: datetime) -> str:
    """EventBridge knows whole seconds."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
