"""Planned quiet as people ask for it, `at` seconds from noon."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from console.accounts.audit import Actor
from console.accounts.models import Role, User
from console.alerts.handling import By
from console.alerts.models import Suppression, SuppressionKind
from console.alerts.suppression import expanding, turning
from console.alerts.suppression.draft import Draft
from console.alerts.suppression.making import make
from console.alerts.suppression.recurrence import Rule
from console.alerts.suppression.scoping import parse_scopes
from console.fleet.models import Service, WorkloadStatus
from tests.make_accounts import make_user
from tests.make_reclaims import second


def by(user: User) -> By:
    return By(user=user, actor=Actor.person(user))


def manager(name: str) -> By:
    return by(User.objects.filter(name=name.capitalize()).first() or make_user(name, role=Role.MANAGER))


def draft_of(
    *scopes: str, at: float = 0, minutes: float = 60, rrule: str = "", origin: str = "live", **fields: Any
) -> Draft:
    """Maintenance that lasts an hour from noon."""
    known: dict[str, Any] = {
        "kind": SuppressionKind.MAINTENANCE,
        "name": "Upgrade of the cluster",
        "reason": "Nodes are replaced one by one",
        "starts_at": second(at),
    }
    return Draft(
        origin=origin,
        scopes=parse_scopes(scopes or ("service:checkout",), origin=origin),
        duration=timedelta(minutes=minutes),
        rule=Rule.parse(rrule) if rrule else None,
        **(known | fields),
    )


def falls_short(service: Service, *, at: datetime) -> None:
    """Fewer replicas than it needs: what would page or be a ticket can be hidden, what would not cannot."""
    known = {"cluster": "prod", "namespace": service.slug, "workload": "web", "origin": service.origin}
    short = {"service": service, "at": at, "wanted": 12, "ready": 2, "needed": 9}
    WorkloadStatus.objects.update_or_create(**known, defaults=short)


def make_suppression(*scopes: str, at: float = 0, maker: By | None = None, **fields: Any) -> Suppression:
    """Planned by Alice, a manager, as it begins."""
    now: datetime = fields.pop("now", second(at))
    return make(draft_of(*scopes, at=at, **fields), by=maker or manager("alice"), now=now)


def turn(seconds: float) -> None:
    """What the task does at that second."""
    expanding.expand_due(now=second(seconds))
    turning.turn(now=second(seconds))


def windows_of(suppression: Suppression) -> Sequence[tuple[datetime, datetime]]:
    return list(suppression.occurrences.order_by("starts_at").values_list("starts_at", "ends_at"))
