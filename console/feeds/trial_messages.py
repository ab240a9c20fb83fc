"""One believable message a kind, for the test button. The machine in it does not exist."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from console.feeds.models import FeedKind

ACCOUNT = "000000000000"
REGION = "eu-west-1"


def trial_message(kind: str, *, now: datetime) -> dict[str, Any]:
    """A reclaim of a machine that does not exist, as a sender of this kind tells it."""
    if kind == FeedKind.NODE_REPORT:
        return _node_report(now)
    if kind == FeedKind.AWS_IMDS:
        return _instance_action(now)
    warning = _warning(now)
    if kind != FeedKind.CLOUDEVENTS:
        return warning
    return {
        "specversion": "1.0",
        "id": warning["id"],
        "source": "urn:spot-console:test",
        "type": "test.interruption.warning",
        "datacontenttype": "application/json",
        "data": warning,
    }


def _at(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _machine() -> str:
    return f"i-{secrets.token_hex(8)}0"


def _warning(now: datetime) -> dict[str, Any]:
    machine = _machine()
    number = secrets.token_hex(16)
    return {
        "version": "0",
        "id": f"{number[:8]}-{number[8:12]}-{number[12:16]}-{number[16:20]}-{number[20:]}",
        "detail-type": "EC2 Spot Instance Interruption Warning",
        "source": "aws.ec2",
        "account": ACCOUNT,
        "time": _at(now),
        "region": REGION,
        "resources": [f"arn:aws:ec2:{REGION}a:instance/{machine}"],
        "detail": {"instance-id": machine, "instance-action": "terminate"},
    }


def _node_report(now: datetime) -> dict[str, Any]:
    return {
        "schema": "node-report/1",
        "report_id": secrets.token_hex(8),
        "provider": "aws",
        "account": ACCOUNT,
        "region": REGION,
        "zone": f"{REGION}a",
        "instance_id": _machine(),
        "node_name": "test-node",
        "reported_at": _at(now),
        "reports": [
            {"type": "heartbeat"},
            {"type": "notice", "action": "terminate", "deadline_at": _at(now + timedelta(seconds=120))},
        ],
    }


def _instance_action(now: datetime) -> dict[str, Any]:
    return {
        "context": {
            "provider": "aws",
            "account": ACCOUNT,
            "region": REGION,
            "instance_id": _machine(),
            "node_name": "test-node",
            "boot_id": secrets.token_hex(8),
            "first_seen_at": _at(now),
        },
        "path": "spot/instance-action",
        "body": {"action": "terminate", "time": _at(now + timedelta(seconds=120))},
    }
