"""Interruptions as recording leaves them, each with its row for the alert pipeline."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from console.alerts import pipeline
from console.fleet.models import Machine, Pool, Service
from console.interruptions.models import Interruption, InterruptionChange
from tests.make_fleet import NOON, make_interval, make_machine
from tests.make_interruptions import make_interruption


def second(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def make_reclaim(machine: Machine | None = None, *, at: float = 0, **fields: Any) -> Interruption:
    """One noticed reclaim, `at` seconds from noon, waiting for the alert pipeline."""
    machine = machine or make_machine()
    started_at, is_replay = second(at), fields.pop("is_replay", False)
    known: dict[str, Any] = {
        "state": "noticed",
        "ended_at": None,
        "first_received_at": started_at + timedelta(seconds=1),
        "last_received_at": started_at + timedelta(seconds=1),
    }
    interruption = make_interruption(machine=machine, started_at=started_at, **(known | fields))
    tell(interruption, is_new=True, is_replay=is_replay)
    return interruption


def tell(
    interruption: Interruption, *, is_new: bool = False, is_replay: bool = False, **changed: Any
) -> None:
    """Change an interruption, and leave the row that says so."""
    if changed:
        Interruption.objects.filter(pk=interruption.pk).update(**changed)
    InterruptionChange.objects.create(interruption=interruption, at=NOON, is_new=is_new, is_replay=is_replay)


def make_running(pool: Pool | None, number: int, *, service: Service | None = None) -> list[Machine]:
    """Spot machines of a pool that run since yesterday."""
    place: dict[str, Any] = {"pool": pool}
    if pool is not None:
        place |= {
            name: getattr(pool, name) for name in ("origin", "provider", "region", "zone", "instance_type")
        }
    if service is not None:
        place["service"] = service
    machines = [make_machine(**place) for _ in range(number)]
    for machine in machines:
        make_interval(machine=machine)
    return machines


def alert(seconds: float) -> int:
    """Work off everything that waits, at that second."""
    return pipeline.alert(now=second(seconds))
