"""What Google Cloud says: the guest's half minute, and the audit log pushed by Pub/Sub."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from random import Random
from typing import Any

import msgspec

from console.drills.sample.company import GCP_PROJECT
from console.drills.sample.machines import Machine, iso

Message = dict[str, Any]


def preempted(machine: Machine, *, at: datetime) -> Message:
    """The metadata server's TRUE, as the watcher on the node relays it."""
    return _polled(machine, "TRUE", at=at)


def not_preempted(machine: Machine, *, at: datetime) -> Message:
    """The same while nothing is announced: a sign of life."""
    return _polled(machine, "FALSE", at=at)


def _polled(machine: Machine, word: str, *, at: datetime) -> Message:
    context = {
        "provider": "gcp",
        "account": GCP_PROJECT,
        "zone": machine.pool.zone,
        "instance_id": machine.instance_id,
        "node_name": machine.node_name,
        "boot_id": machine.boot_id,
        "first_seen_at": iso(at),
    }
    return {"context": context, "path": "instance/preempted", "body": word}


def log_entry(machine: Machine, *, at: datetime, chance: Random) -> Message:
    """The audit log's entry, written when the VM is taken."""
    link = f"projects/{GCP_PROJECT}/zones/{machine.pool.zone}/instances/{machine.node_name}"
    operation = (
        f"systemevent-{int(at.timestamp() * 1000)}-{chance.getrandbits(44):x}-{chance.getrandbits(32):08x}"
    )
    return {
        "logName": f"projects/{GCP_PROJECT}/logs/cloudaudit.googleapis.com%2Fsystem_event",
        "insertId": f"{chance.getrandbits(56):x}",
        "timestamp": iso(at),
        "severity": "INFO",
        "resource": {
            "type": "gce_instance",
            "labels": {
                "project_id": GCP_PROJECT,
                "zone": machine.pool.zone,
                "instance_id": machine.instance_id,
            },
        },
        "operation": {
            "id": operation,
            "producer": "compute.instances.preempted",
            "first": True,
            "last": True,
        },
        "protoPayload": {
            "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
            "serviceName": "compute.googleapis.com",
            "methodName": "compute.instances.preempted",
            "resourceName": link,
            "status": {"message": "Instance was preempted."},
            "authenticationInfo": {"principalEmail": "system@google.com"},
        },
    }


def push(entry: Message, *, at: datetime, chance: Random) -> Message:
    """The entry as Pub/Sub pushes it."""
    number = str(chance.getrandbits(53))
    published = iso(at + timedelta(milliseconds=900))
    return {
        "message": {
            "data": base64.b64encode(msgspec.json.encode(entry)).decode(),
            "attributes": {"logging.googleapis.com/timestamp": entry["timestamp"]},
            "messageId": number,
            "message_id": number,
            "publishTime": published,
            "publish_time": published,
        },
        "subscription": f"projects/{GCP_PROJECT}/subscriptions/spot-console",
    }
