"""What Azure says: Scheduled Events as a node polls them, and Event Grid when the machine is gone."""

from __future__ import annotations

from datetime import datetime
from email.utils import format_datetime
from random import Random
from typing import Any

from console.drills.sample.aws_messages import unique
from console.drills.sample.company import AZURE_SUBSCRIPTION
from console.drills.sample.machines import Machine, iso

Message = dict[str, Any]


def document(machine: Machine, *, event: str, at: datetime, until: datetime | None) -> Message:
    """The machine's own document; `until` is None once the event has started."""
    listed = {
        "EventId": event,
        "EventType": "Preempt",
        "EventStatus": "Scheduled" if until else "Started",
        "ResourceType": "VirtualMachine",
        "Resources": [machine.node_name],
        "NotBefore": format_datetime(until, usegmt=True) if until else "",
        "Description": "",
        "EventSource": "Platform",
        "DurationInSeconds": -1,
    }
    return _polled(machine, [listed], number=2 if until else 3, at=at)


def nothing_scheduled(machine: Machine, *, at: datetime) -> Message:
    """The same while nothing is announced: a sign of life."""
    return _polled(machine, [], number=1, at=at)


def _polled(machine: Machine, events: list[Message], *, number: int, at: datetime) -> Message:
    context = {
        "provider": "azure",
        "account": AZURE_SUBSCRIPTION,
        "resource_group": f"meridian-{machine.pool.region}",
        "region": machine.pool.region,
        "zone": machine.pool.zone,
        "instance_id": machine.instance_id,
        "node_name": machine.node_name,
        "boot_id": machine.boot_id,
        "first_seen_at": iso(at),
    }
    body = {"DocumentIncarnation": number, "Events": events}
    return {"context": context, "path": "scheduledevents", "body": body}


def preempted(machine: Machine, *, at: datetime, chance: Random) -> Message:
    """The annotation that Event Grid pushes, some seconds late."""
    properties = {
        "targetResourceId": machine.instance_id,
        "targetResourceType": "Microsoft.Compute/virtualMachines",
        "annotationName": "VirtualMachinePreempted",
        "occurredTime": iso(at),
        "context": "Platform Initiated",
        "category": "Unplanned",
        "summary": "This virtual machine was taken back for capacity.",
    }
    annotation = f"{machine.instance_id}/providers/Microsoft.ResourceHealth/resourceAnnotations/current"
    return {
        "id": unique(chance),
        "topic": f"/subscriptions/{AZURE_SUBSCRIPTION}",
        "subject": annotation,
        "eventType": "Microsoft.ResourceNotifications.HealthResources.ResourceAnnotated",
        "eventTime": iso(at),
        "dataVersion": "1.0",
        "metadataVersion": "1",
        "data": {
            "resourceInfo": {
                "id": annotation,
                "name": "current",
                "type": "Microsoft.ResourceHealth/resourceAnnotations",
                "properties": properties,
            },
            "apiVersion": "2022-08-01",
        },
    }
