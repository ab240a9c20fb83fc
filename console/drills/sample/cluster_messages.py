"""What the clusters say: their events as an exporter posts them, and Prometheus's alerts."""

from __future__ import annotations

from datetime import datetime
from random import Random
from typing import Any

from console.drills.sample.aws_messages import unique
from console.drills.sample.company import AWS_ACCOUNT
from console.drills.sample.machines import Machine, iso

Message = dict[str, Any]
NTH = "aws-node-termination-handler"
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
"""Those of which Kubernetes makes its names."""


def node_event(
    machine: Machine, component: str, reason: str, message: str, *, at: datetime, chance: Random
) -> Message:
    """About a node; the termination handler adds who it is in the cloud."""
    annotations = {}
    if component == NTH:
        annotations = {
            "account-id": AWS_ACCOUNT,
            "availability-zone": machine.pool.zone,
            "instance-id": machine.instance_id,
            "instance-type": machine.pool.instance_type,
            "region": machine.pool.region,
        }
    about = {"kind": "Node", "name": machine.node_name}
    return _event(machine, component, reason, message, about, at=at, chance=chance, annotations=annotations)


def pod_event(
    machine: Machine, pod: str, component: str, reason: str, message: str, *, at: datetime, chance: Random
) -> Message:
    """About a pod on this machine."""
    about = {"kind": "Pod", "namespace": machine.service.team or "default", "name": pod}
    return _event(machine, component, reason, message, about, at=at, chance=chance)


def pod_name(machine: Machine, replica: int, *, generation: int) -> str:
    """A replica's pod; its replica set is that of its place, so that each finds its own heir."""
    place = machine.seat.index * 8 + replica
    replica_set = _word(place * 7_368_787 + 10**9, 8)
    return f"{machine.service.slug}-{replica_set}-{_word(place * 31 + generation * 999_983 + 10**7, 5)}"


def alert(
    machine: Machine, name: str, *, summary: str, started_at: datetime, ended_at: datetime | None
) -> Message:
    """One group of one alert, firing or resolved."""
    status = "resolved" if ended_at else "firing"
    labels = {
        "alertname": name,
        "severity": "warning",
        "node": machine.node_name,
        "cluster": f"meridian-{machine.pool.region}",
        "service": machine.service.slug or "misc",
    }
    one = {
        "status": status,
        "labels": labels,
        "annotations": {"summary": summary},
        "startsAt": iso(started_at),
        "endsAt": iso(ended_at) if ended_at else "0001-01-01T00:00:00Z",
        "fingerprint": f"{machine.seat.index:08x}{machine.generation:08x}",
    }
    return _notification(one, status=status)


def watchdog(*, since: datetime) -> Message:
    """The alert that always fires: Alertmanager lives."""
    one = {
        "status": "firing",
        "labels": {"alertname": "Watchdog", "severity": "none"},
        "annotations": {"summary": "An alert that always fires."},
        "startsAt": iso(since),
        "endsAt": "0001-01-01T00:00:00Z",
        "fingerprint": "0123456789abcdef",
    }
    return _notification(one, status="firing")


def _notification(one: Message, *, status: str) -> Message:
    return {
        "version": "4",
        "groupKey": f'{{}}:{{alertname="{one["labels"]["alertname"]}"}}',
        "truncatedAlerts": 0,
        "status": status,
        "receiver": "spot-console",
        "groupLabels": {"alertname": one["labels"]["alertname"]},
        "commonLabels": one["labels"],
        "commonAnnotations": one["annotations"],
        "externalURL": "https://alerts.example.com",
        "alerts": [one],
    }


def _event(
    machine: Machine,
    component: str,
    reason: str,
    message: str,
    about: Message,
    *,
    at: datetime,
    chance: Random,
    annotations: dict[str, str] | None = None,
) -> Message:
    return {
        "metadata": {
            "name": f"{about['name']}.{chance.getrandbits(56):014x}",
            "namespace": about.get("namespace", "default"),
            "uid": unique(chance),
            "annotations": annotations or {},
        },
        "involvedObject": about,
        "reason": reason,
        "message": message,
        "source": {"component": component, "host": machine.node_name},
        "firstTimestamp": None,
        "lastTimestamp": None,
        "eventTime": iso(at),
        "count": 1,
        "type": "Normal",
        "clusterName": f"meridian-{machine.pool.region}",
    }


def _word(number: int, length: int) -> str:
    word = ""
    for _ in range(length):
        number, place = divmod(number, len(_LETTERS))
        word += _LETTERS[place]
    return word
