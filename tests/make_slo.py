"""Factories of objectives, counts and episodes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from console.fleet.models import Service
from console.interruptions.models import Episode
from console.slo.counting import write_counts
from console.slo.models import Objective
from tests.make_fleet import NOON, make_service

MINUTE = timedelta(minutes=1)
_numbers = count(1)


def make_objective(**fields: Any) -> Objective:
    """99.9 % of a user-facing service, pushed."""
    service = fields.pop("service", None) or make_service(criticality="user_facing")
    number = next(_numbers)
    known = {
        "origin": service.origin,
        "service": service,
        "slug": f"answers-{number}",
        "name": f"Answers {number}",
        "objective_class": service.criticality,
        "target_percent": Decimal("99.9"),
        "created_at": NOON,
    } | fields
    return Objective.objects.create(**known)


def make_counts(
    service: Service,
    since: datetime,
    minutes: int,
    *,
    bad: float = 0,
    total: float = 1000,
    counted_for: int = 0,
) -> None:
    """So many minutes from `since`, each with the same counts."""
    write_counts(
        {
            (service.pk, counted_for, since + number * MINUTE): (total - bad, total)
            for number in range(minutes)
        },
        origin=service.origin,
    )


def write_bad(service: Service, bad: Mapping[datetime, float], *, total: float = 1000) -> None:
    write_counts(
        {(service.pk, 0, at): (total - one, total) for at, one in bad.items()}, origin=service.origin
    )


def make_episode(service: Service, started_at: datetime, *, minutes: float = 2, **fields: Any) -> Episode:
    known = {
        "origin": service.origin,
        "service": service,
        "started_at": started_at,
        "last_started_at": started_at,
        "ended_at": started_at + timedelta(minutes=minutes),
        "interruption_count": 1,
    } | fields
    return Episode.objects.create(**known)
