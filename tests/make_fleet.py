"""Factories of the fleet: what a test does not name is ordinary."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from console.fleet.models import Machine, Pool, RunningInterval, Service, Team

NOON = datetime(2026, 3, 11, 12, tzinfo=UTC)
_numbers = count(1)


def make_team(**fields: Any) -> Team:
    slug = fields.setdefault("slug", f"team-{next(_numbers)}")
    return Team.objects.create(**({"name": slug.replace("-", " ").capitalize()} | fields))


def make_service(**fields: Any) -> Service:
    slug = fields.setdefault("slug", f"service-{next(_numbers)}")
    return Service.objects.create(**({"name": slug.replace("-", " ").capitalize()} | fields))


def make_pool(**fields: Any) -> Pool:
    known = {"provider": "aws", "region": "eu-west-1", "zone": "eu-west-1a", "instance_type": "m7i.large"}
    return Pool.objects.get_or_create(**(known | fields))[0]


def make_machine(**fields: Any) -> Machine:
    origin = fields.get("origin", "live")
    known = {
        "provider": "aws",
        "account": "111122223333",
        "region": "eu-west-1",
        "zone": "eu-west-1a",
        "instance_type": "m7i.large",
        "instance_id": f"i-{next(_numbers):017x}",
        "first_seen_at": NOON - timedelta(days=1),
        "last_seen_at": NOON,
    } | fields
    if "service" not in known:
        known["service"] = Service.unattributed(origin=origin)
    return Machine.objects.create(**known)


def make_interval(**fields: Any) -> RunningInterval:
    machine = fields.pop("machine", None) or make_machine(
        **({"origin": fields["origin"]} if "origin" in fields else {})
    )
    known = {
        "machine": machine,
        "origin": machine.origin,
        "service": machine.service,
        "pool": machine.pool,
        "lifecycle": "spot",
        "started_at": NOON - timedelta(days=1),
    } | fields
    return RunningInterval.objects.create(**known)
