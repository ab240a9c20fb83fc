"""The 400 seats of the fleet, and the machines that sit in them one after the other.

A machine follows from the seed, its seat and its generation alone, so that nothing about it is to be kept.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

from console.drills.sample.company import (
    ACCOUNTS,
    AZURE_SUBSCRIPTION,
    SERVICES,
    STRAYS,
    PoolPlan,
    ServicePlan,
)


def random_of(*parts: object) -> Random:
    """A source of chance of its own for everything that has a name."""
    return Random(":".join(map(str, parts)))  # noqa: S311 - believable, not secret


@dataclass(frozen=True, slots=True)
class Seat:
    """A place for one machine of one service."""

    index: int
    service: ServicePlan
    lifecycle: str

    @property
    def is_deaf(self) -> bool:
        """The one whose agent fell silent: its machine runs on, and nobody hears of it."""
        return self.index == DEAF_SEAT


DEAF_SEAT = 290
"""A spot machine of the notebooks, where a full disk goes unnoticed for long."""

LOPSIDED = "thumbnailer"


def seats() -> list[Seat]:
    """Every seat, in the order of the services."""
    kinds = [
        (service, lifecycle)
        for service in (*SERVICES, STRAYS)
        for lifecycle, count in (
            ("spot", service.spot),
            ("on-demand", service.on_demand),
            ("warm", service.warm),
        )
        for _ in range(count)
    ]
    return [Seat(index, service, lifecycle) for index, (service, lifecycle) in enumerate(kinds)]


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine: who it is and where it stands."""

    seat: Seat
    generation: int
    pool: PoolPlan
    instance_id: str
    node_name: str

    @property
    def provider(self) -> str:
        return self.pool.provider

    @property
    def account(self) -> str:
        return ACCOUNTS[self.pool.provider]

    @property
    def service(self) -> ServicePlan:
        return self.seat.service

    @property
    def boot_id(self) -> str:
        """Each machine of a seat boots once."""
        return f"boot-{self.seat.index}-{self.generation}"

    @property
    def group(self) -> str:
        """Its Auto Scaling group."""
        return f"meridian-{self.service.slug or 'misc'}-{self.seat.lifecycle}"

    def named(self) -> dict[str, Any]:
        """How node reports and inventories name it."""
        return {
            "provider": self.provider,
            "account": self.account,
            "region": self.pool.region,
            "zone": self.pool.zone,
            "instance_id": self.instance_id,
            "instance_type": self.pool.instance_type,
            "node_name": self.node_name,
        }


def pool_of(seat: Seat, *, chance: Random) -> PoolPlan:
    """Spread evenly, as a well-kept group does; the thumbnailer's group was never told to."""
    pools = seat.service.pools
    if seat.service.slug == LOPSIDED:
        return pools[0] if chance.random() < 0.9 else pools[-1]
    return pools[seat.index % len(pools)]


def machine_in(seat: Seat, *, generation: int, seed: int) -> Machine:
    """The machine that sits there in its turn."""
    chance = random_of(seed, "machine", seat.index, generation)
    pool = pool_of(seat, chance=chance)
    digest = hashlib.sha256(f"{seed}:{seat.index}:{generation}".encode()).hexdigest()
    stem = seat.service.slug or "misc"
    if pool.provider == "aws":
        octets = "-".join(str(int(digest[place : place + 2], 16)) for place in (0, 2, 4))
        node = f"ip-10-{octets}.{pool.region}.compute.internal"
        return Machine(seat, generation, pool, f"i-0{digest[:16]}", node)
    if pool.provider == "gcp":
        name = f"gke-{stem}-{digest[:8]}-{digest[8:12]}"
        return Machine(seat, generation, pool, str(10**18 + int(digest[:14], 16)), name)
    name = f"aks-{stem}-{digest[:6]}"
    arm = (
        f"/subscriptions/{AZURE_SUBSCRIPTION}/resourceGroups/meridian-{pool.region}"
        f"/providers/Microsoft.Compute/virtualMachines/{name}"
    )
    return Machine(seat, generation, pool, arm, name)


@dataclass(slots=True)
class Sitting:
    """A machine in its seat, and since when."""

    machine: Machine
    started_at: datetime
    replaces: str = ""


@dataclass(slots=True)
class Fleet:
    """Who sits where now."""

    seed: int
    sittings: list[Sitting] = field(default_factory=list)

    def successor(self, machine: Machine) -> Machine:
        return machine_in(machine.seat, generation=machine.generation + 1, seed=self.seed)

    def sit(self, sitting: Sitting) -> None:
        """The machine takes its seat, whoever had it."""
        self.sittings[sitting.machine.seat.index] = sitting


def inventory_row(
    sitting: Sitting, *, ended_at: datetime | None = None, end_cause: str = ""
) -> dict[str, Any]:
    """One machine in one stretch of running, as the inventory tells it."""
    machine = sitting.machine
    slug = machine.service.slug
    tags = {"app": slug, "team": machine.service.team} if slug else {"Name": "jump-host"}
    row = machine.named() | {
        "os": "linux",
        "lifecycle": machine.seat.lifecycle,
        "cluster": f"meridian-{machine.pool.region}",
        "namespace": machine.service.team or "default",
        "tags": tags | {"env": "prod"},
        "vcpus": machine.pool.vcpus,
        "started_at": iso(sitting.started_at),
    }
    if sitting.replaces:
        row["replaces"] = sitting.replaces
    if ended_at is not None:
        row |= {"ended_at": iso(ended_at), "end_cause": end_cause or "spot"}
    return row


def iso(at: datetime) -> str:
    """`2026-03-11T14:31:40.250Z`."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
