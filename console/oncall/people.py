"""Who can be put on call: everybody who may act, in the data that the rotation belongs to."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Q, QuerySet

from console.accounts.models import Role, User
from console.lib.origin import Origin

MAY_ACT = (Role.RESPONDER, Role.MANAGER, Role.ADMIN)


def can_be_on_call(origin: str) -> QuerySet[User]:
    """Active people; in made-up data its own people too, who are never active."""
    people: QuerySet[User] = User.objects.filter(Q(is_active=True) | Q(origin=origin), role__in=MAY_ACT)
    return people.filter(is_active=True) if origin == Origin.LIVE else people


def by_id(ids: Collection[int]) -> dict[int, User]:
    found: dict[int, User] = User.objects.in_bulk(set(ids)) if ids else {}
    return found
