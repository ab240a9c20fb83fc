"""What a node's own watcher, shutdown hook or controller sends: `node-report/1`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from random import Random
from typing import Any

from console.drills.sample.aws_messages import unique
from console.drills.sample.machines import Machine, iso

Entry = dict[str, Any]


def report(machine: Machine, entries: Sequence[Entry], *, at: datetime, chance: Random) -> dict[str, Any]:
    """One message about one machine."""
    named = machine.named()
    return {
        "schema": "node-report/1",
        "report_id": unique(chance),
        **named,
        "boot_id": machine.boot_id,
        "reported_at": iso(at),
        "reports": list(entries),
    }


def heartbeat() -> Entry:
    return {"type": "heartbeat"}


def stream(machine: Machine, signal: str, at: datetime, *, value: float | None = None) -> Entry:
    """A point of the seat's own stream: whoever sits there next goes on with it."""
    replica = f"{machine.service.slug or 'misc'}-{machine.seat.index}"
    entry = {"type": "sample", "signal": signal, "replica": replica, "at": iso(at)}
    return entry if value is None else entry | {"value": value}


def checkpoint(machine: Machine, at: datetime) -> Entry:
    return stream(machine, "checkpoint", at)


def notice(deadline_at: datetime) -> Entry:
    return {"type": "notice", "action": "terminate", "deadline_at": iso(deadline_at)}


def hook(started_at: datetime, finished_at: datetime | None, *, outcome: str, message: str = "") -> Entry:
    entry = {"type": "hook", "started_at": iso(started_at), "outcome": outcome, "message": message}
    return entry | ({"finished_at": iso(finished_at)} if finished_at else {})


def move(
    machine: Machine, replica: int, *, evicted_at: datetime, running_at: datetime | None, to: Machine | None
) -> Entry:
    """One replica on its way to another node."""
    service = machine.service
    entry = {
        "type": "move",
        "workload": f"{service.team or 'default'}/{service.slug or 'misc'}-{machine.seat.index}-{replica}",
        "class": service.statefulness,
        "evicted_at": iso(evicted_at),
    }
    if running_at is not None:
        entry["running_at"] = iso(running_at)
    return entry | ({"to_node": to.node_name} if to else {})


def work(
    machine: Machine, *, useful: float, lost: float, restart: float, checkpoint_at: datetime, attempt: int
) -> Entry:
    return {
        "type": "work",
        "job": f"{machine.service.slug}-{machine.seat.index}",
        "attempt": attempt,
        "useful_seconds": round(useful),
        "lost_seconds": round(lost),
        "restart_seconds": round(restart),
        "last_checkpoint_at": iso(checkpoint_at),
    }


def volume(machine: Machine, *, detached_at: datetime, attached_at: datetime) -> Entry:
    return {
        "type": "volume",
        "volume": f"vol-{machine.service.slug}-{machine.seat.index}",
        "detached_at": iso(detached_at),
        "attached_at": iso(attached_at),
    }


def replica(machine: Machine, *, last_write_at: datetime, ready_at: datetime) -> Entry:
    return {
        "type": "replica",
        "name": f"{machine.service.slug}-{machine.seat.index}",
        "last_write_at": iso(last_write_at),
        "ready_at": iso(ready_at),
    }


def log(at: datetime, message: str, *, level: str = "info") -> Entry:
    return {"type": "log", "at": iso(at), "level": level, "message": message}
