"""Sample messages of Google Cloud and Azure, for the test button. The machines in them do not exist."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import MappingProxyType
from typing import Any

from console.feeds.models import FeedKind

PROJECT = "spot-console-test"
ZONE = "europe-west1-b"
SUBSCRIPTION = "00000000-0000-4000-8000-000000000000"


def _numeric() -> str:
    return str(10**18 + secrets.randbelow(10**18))


def _at(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _guid() -> str:
    number = secrets.token_hex(16)
    return f"{number[:8]}-{number[8:12]}-4{number[13:16]}-8{number[17:20]}-{number[20:]}"


def _entry(now: datetime) -> dict[str, Any]:
    return {
        "logName": f"projects/{PROJECT}/logs/cloudaudit.googleapis.com%2Fsystem_event",
        "insertId": secrets.token_hex(6),
        "timestamp": _at(now),
        "resource": {
            "type": "gce_instance",
            "labels": {"project_id": PROJECT, "zone": ZONE, "instance_id": _numeric()},
        },
        "operation": {"id": f"systemevent-{secrets.token_hex(12)}", "first": True, "last": True},
        "protoPayload": {
            "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
            "serviceName": "compute.googleapis.com",
            "methodName": "compute.instances.preempted",
            "resourceName": f"projects/{PROJECT}/zones/{ZONE}/instances/test-node",
            "status": {"message": "Instance was preempted."},
        },
    }


def _push(now: datetime) -> dict[str, Any]:
    message = {
        "data": base64.b64encode(json.dumps(_entry(now)).encode()).decode(),
        "messageId": str(secrets.randbelow(10**16)),
        "publishTime": _at(now),
    }
    return {"message": message, "subscription": f"projects/{PROJECT}/subscriptions/test"}


def _operation(now: datetime) -> dict[str, Any]:
    place = f"https://www.googleapis.com/compute/v1/projects/{PROJECT}/zones/{ZONE}"
    return {
        "kind": "compute#operation",
        "name": f"systemevent-{secrets.token_hex(12)}",
        "operationType": "compute.instances.preempted",
        "targetId": _numeric(),
        "targetLink": f"{place}/instances/test-node",
        "zone": place,
        "status": "DONE",
        **dict.fromkeys(("insertTime", "startTime", "endTime"), _at(now)),
    }


def _metadata(now: datetime) -> dict[str, Any]:
    context = {
        "provider": "gcp",
        "account": PROJECT,
        "zone": ZONE,
        "instance_id": _numeric(),
        "node_name": "test-node",
        "boot_id": _guid(),
        "first_seen_at": _at(now),
    }
    return {"context": context, "path": "instance/preempted", "body": "TRUE"}


def _scheduled_events(now: datetime) -> dict[str, Any]:
    name = f"test-{secrets.token_hex(4)}"
    event = {
        "EventId": _guid().upper(),
        "EventType": "Preempt",
        "EventStatus": "Scheduled",
        "ResourceType": "VirtualMachine",
        "Resources": [name],
        "NotBefore": format_datetime(now.astimezone(UTC) + timedelta(seconds=30), usegmt=True),
    }
    context = {
        "provider": "azure",
        "account": SUBSCRIPTION,
        "resource_group": "test",
        "region": "westeurope",
        "instance_id": name,
        "boot_id": _guid(),
        "first_seen_at": _at(now),
    }
    body = {"DocumentIncarnation": 1, "Events": [event]}
    return {"context": context, "path": "scheduledevents", "body": body}


def _annotation(now: datetime) -> dict[str, Any]:
    machine = (
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/test/providers/Microsoft.Compute"
        f"/virtualMachines/test-{secrets.token_hex(4)}"
    )
    properties = {
        "targetResourceId": machine,
        "occurredTime": _at(now),
        "annotationName": "VirtualMachinePreempted",
        "context": "Platform Initiated",
    }
    return {
        "id": _guid(),
        "topic": f"/subscriptions/{SUBSCRIPTION}",
        "subject": machine,
        "eventType": "Microsoft.ResourceNotifications.HealthResources.ResourceAnnotated",
        "eventTime": _at(now),
        "dataVersion": "1",
        "metadataVersion": "1",
        "data": {"resourceInfo": {"properties": properties}},
    }


CLOUD_TRIALS: Mapping[str, Callable[[datetime], dict[str, Any]]] = MappingProxyType(
    {
        FeedKind.GCP_PUBSUB: _push,
        FeedKind.GCP_PUBSUB_PULL: _push,
        FeedKind.GCP_OPERATIONS: _operation,
        FeedKind.GCP_METADATA: _metadata,
        FeedKind.AZURE_SCHEDULED_EVENTS: _scheduled_events,
        FeedKind.AZURE_EVENTGRID: _annotation,
    }
)
