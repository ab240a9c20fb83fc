"""Messages that cannot be taken, or mean nothing: what the quarantine is for."""

from __future__ import annotations

from datetime import datetime
from random import Random
from typing import Any

from console.drills.sample import aws_messages as aws
from console.drills.sample import node_messages as node
from console.drills.sample.lanes import AWS, NODES, RELAY, Post
from console.drills.sample.machines import Machine


def elided_id(machine: Machine, *, at: datetime, chance: Random) -> Post:
    """Somebody pasted an example. Rejected: missing_instance_id."""
    body = aws.spot_warning(machine, at=at, chance=chance)
    return Post(at, AWS, body | {"resources": [], "detail": body["detail"] | {"instance-id": "i-0123456..."}})


def unknown_type(machine: Machine, *, at: datetime, chance: Random) -> Post:
    """A rule that asks for too much. Unrecognised."""
    body = aws.state_change(machine, state="running", at=at, chance=chance)
    detail = {"event": "createSnapshot", "result": "succeeded"}
    return Post(at, AWS, body | {"detail-type": "EBS Snapshot Notification", "detail": detail})


def bad_time(machine: Machine, *, at: datetime, chance: Random) -> Post:
    """A template that was never filled in. Rejected: invalid_time."""
    body = node.report(machine, [node.heartbeat()], at=at, chance=chance)
    return Post(at, NODES, body | {"reported_at": "{{ now }}"})


def old_relay(machine: Machine, *, at: datetime, chance: Random) -> Post:
    """A relay of the year before. Rejected: unsupported_version."""
    inner = aws.state_change(machine, state="stopped", at=at, chance=chance)
    return Post(
        at, RELAY, aws.cloud_event(inner, source="/meridian/old", chance=chance) | {"specversion": "0.3"}
    )


ODDITIES = (elided_id, unknown_type, bad_time, old_relay)
Body = dict[str, Any]
