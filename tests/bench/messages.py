"""Events as EventBridge sends them, for many machines; cheap to make."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

REGIONS = (
    "eu-west-1",
    "eu-central-1",
    "us-east-1",
    "us-west-2",
    "ap-south-1",
    "sa-east-1",
    "ca-central-1",
    "eu-north-1",
)


def machine(number: int) -> str:
    return f"i-{number:017x}"


def event(
    number: int, run: str, kind: str, detail: dict[str, object], *, at: datetime | None = None
) -> bytes:
    region = REGIONS[number % len(REGIONS)]
    body = {
        "version": "0",
        "id": f"{run}-{kind[:24]}-{number}",
        "detail-type": kind,
        "source": "aws.ec2",
        "account": "204816327500",
        "time": f"{at or datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "region": region,
        "resources": [f"arn:aws:ec2:{region}:204816327500:instance/{machine(number)}"],
        "detail": {"instance-id": machine(number)} | detail,
    }
    return json.dumps(body).encode()


def warning(number: int, run: str, *, at: datetime | None = None) -> bytes:
    return event(
        number, run, "EC2 Spot Instance Interruption Warning", {"instance-action": "terminate"}, at=at
    )


def life(number: int, run: str, *, at: datetime) -> list[bytes]:
    """One reclaim as four messages: warning, shutting down, terminated, and a rebalance before."""
    change = "EC2 Instance State-change Notification"
    return [
        event(number, run, "EC2 Instance Rebalance Recommendation", {}, at=at - timedelta(seconds=40)),
        warning(number, run, at=at),
        event(number, f"{run}-s", change, {"state": "shutting-down"}, at=at + timedelta(seconds=100)),
        event(number, f"{run}-t", change, {"state": "terminated"}, at=at + timedelta(seconds=115)),
    ]
