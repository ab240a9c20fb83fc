"""One believable message a kind, for the test button. The machine in it does not exist."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from console.feeds.cloud_trials import CLOUD_TRIALS
from console.feeds.models import FeedKind

ACCOUNT = "000000000000"
REGION = "eu-west-1"


def trial_message(kind: str, *, now: datetime) -> dict[str, Any]:
    """A reclaim of a machine that does not exist, as a sender of this kind tells it."""
    if kind == FeedKind.NODE_REPORT:
        return _node_report(now)
    if kind in _OF_CLUSTERS:
        return _OF_CLUSTERS[kind](now)
    if kind in CLOUD_TRIALS:
        return CLOUD_TRIALS[kind](now)
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


def _kubernetes(now: datetime) -> dict[str, Any]:
    return {
        "metadata": {"uid": str(uuid.uuid4()), "name": "test-node.1", "namespace": "default"},
        "involvedObject": {"kind": "Node", "name": "test-node", "uid": str(uuid.uuid4())},
        "reason": "SpotInterrupted",
        "message": "Spot interruption warning was triggered",
        "source": {"component": "karpenter"},
        "lastTimestamp": _at(now),
        "count": 1,
        "type": "Warning",
        "clusterName": "test-cluster",
    }


def _alert(now: datetime) -> dict[str, Any]:
    labels = {"alertname": "NodeGoing", "node": "test-node", "cluster": "test-cluster"}
    alert = {
        "status": "firing",
        "labels": labels,
        "annotations": {"summary": "A test of the way from Alertmanager to here"},
        "startsAt": _at(now),
        "endsAt": "0001-01-01T00:00:00Z",
        "fingerprint": secrets.token_hex(8),
    }
    return {"version": "4", "groupKey": "{}", "truncatedAlerts": 0, "status": "firing", "alerts": [alert]}


def _nth(now: datetime) -> dict[str, Any]:
    return {
        "schema": "nth-webhook/1",
        "event_id": f"spot-itn-event-{str(uuid.uuid4()).encode().hex()}",
        "kind": "SPOT_ITN",
        "account": ACCOUNT,
        "region": REGION,
        "instance_id": _machine(),
        "node": "test-node",
        "description": "A test of the way from the handler to here",
        "start_time": f"{now.astimezone(UTC):%Y-%m-%d %H:%M:%S} +0000 UTC",
    }


_OF_CLUSTERS: Mapping[str, Callable[[datetime], dict[str, Any]]] = {
    FeedKind.KUBERNETES: _kubernetes,
    FeedKind.KUBERNETES_WATCH: _kubernetes,
    FeedKind.ALERTMANAGER: _alert,
    FeedKind.NTH_WEBHOOK: _nth,
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
