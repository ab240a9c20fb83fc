"""Factories of reclaims and what nodes report about them: what a test does not name is ordinary."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any

from console.interruptions.models import Hook, Interruption, Move
from tests.make_fleet import NOON, make_machine

_numbers = count(1)


def make_interruption(**fields: Any) -> Interruption:
    """A spot reclaim noticed at `started_at` (noon) whose machine went two minutes later."""
    number = next(_numbers)
    started_at = fields.pop("started_at", NOON)
    machine = fields.pop("machine", None) or make_machine(
        **{name: fields[name] for name in ("origin", "service", "pool") if name in fields}
    )
    known = {
        "origin": machine.origin,
        "machine": machine,
        "service": machine.service,
        "pool": machine.pool,
        "provider": machine.provider,
        "region": machine.region,
        "key": f"{machine}:{number}",
        "opened_by": f"feed:{number}:{machine}",
        "state": "ended",
        "cause": "spot",
        "started_at": started_at,
        "notice_at": started_at,
        "deadline_at": started_at + timedelta(minutes=2),
        "ended_at": started_at + timedelta(minutes=2),
        "first_received_at": started_at,
        "last_received_at": started_at,
        "updated_at": started_at,
    } | fields
    return Interruption.objects.create(**known)


def make_hook(interruption: Interruption, **fields: Any) -> Hook:
    """A hook that completed a minute after the notice."""
    at = interruption.started_at
    known = {
        "origin": interruption.origin,
        "machine": interruption.machine,
        "interruption": interruption,
        "report_id": f"hook-{next(_numbers)}",
        "started_at": at,
        "finished_at": at + timedelta(minutes=1),
        "outcome": "complete",
        "at": at,
        "received_at": at,
    } | fields
    return Hook.objects.create(**known)


def make_move(interruption: Interruption, *, seconds: float | None, **fields: Any) -> Move:
    """A workload evicted at the notice and running elsewhere so many seconds later; None: still pending."""
    at = fields.get("evicted_at", interruption.started_at)
    known = {
        "origin": interruption.origin,
        "machine": interruption.machine,
        "interruption": interruption,
        "report_id": f"move-{next(_numbers)}",
        "workload": f"shop/web-{next(_numbers)}",
        "workload_class": "stateless",
        "evicted_at": at,
        "running_at": None if seconds is None else at + timedelta(seconds=seconds),
        "at": at,
        "received_at": at,
    } | fields
    return Move.objects.create(**known)
