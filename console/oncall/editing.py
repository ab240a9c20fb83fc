"""Making, changing and archiving rotations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any

from django.db import transaction
from django.utils.text import slugify

from console.accounts.audit import Actor, changed, record
from console.fleet.models import Team
from console.lib.live import announce
from console.lib.origin import Origin
from console.oncall.layering import end_layers, renew
from console.oncall.models import Layer, Override, Rotation, SwapState

RESERVED = frozenset({"new", "mine", "brief", "fairness", "calendar", "swaps", "overrides", "policies"})
"""Slugs that are pages of their own."""
SLUG_LENGTH = 56


class CannotArchive(Exception):
    """It is archived, or is not, already."""


@dataclass(frozen=True, slots=True)
class RotationOrder:
    """What a rotation is to be."""

    name: str
    time_zone: str
    team: Team | None = None
    is_round_the_clock: bool = True


def picture(rotation: Rotation) -> dict[str, Any]:
    """A rotation as the audit trail shows it."""
    return {
        "name": rotation.name,
        "team": rotation.team.slug if rotation.team else None,
        "time_zone": rotation.time_zone,
        "is_round_the_clock": rotation.is_round_the_clock,
        "archived_at": rotation.archived_at.isoformat() if rotation.archived_at else None,
    }


@transaction.atomic
def create(
    order: RotationOrder, *, by: Actor, now: datetime, origin: str = Origin.LIVE, slug: str = ""
) -> Rotation:
    """A rotation without layers: nobody is on call in it yet."""
    rotation = Rotation.objects.create(
        origin=origin,
        slug=_free_slug(slug or slugify(order.name)),
        name=order.name,
        team=order.team,
        time_zone=order.time_zone,
        is_round_the_clock=order.is_round_the_clock,
        created_at=now,
    )
    record(by, action="rotation.create", subject=rotation, after=picture(rotation), now=now)
    announce("shifts")
    return rotation


@transaction.atomic
def change(rotation: Rotation, order: RotationOrder, *, by: Actor, now: datetime) -> None:
    """In another time zone its hand-overs happen at the same clock times there, from now on."""
    held = Rotation.objects.select_for_update().get(pk=rotation.pk)
    before, is_moved = picture(held), held.time_zone != order.time_zone
    held.name, held.team, held.time_zone = order.name, order.team, order.time_zone
    held.is_round_the_clock = order.is_round_the_clock
    old, new = changed(before, picture(held))
    if not new:
        return
    held.save(update_fields=["name", "team", "time_zone", "is_round_the_clock"])
    if is_moved:

        def moved(layer: Layer) -> None:
            layer.time_zone = order.time_zone

        renew(held.layers.not_over(at=now), moved, now=now)
    record(by, action="rotation.change", subject=held, before=old, after=new, now=now)
    announce("shifts")


@transaction.atomic
def archive(rotation: Rotation, *, by: Actor, now: datetime) -> None:
    """From now on nobody is on call in it; who was stays known."""
    held = Rotation.objects.select_for_update().get(pk=rotation.pk)
    if held.archived_at:
        raise CannotArchive(f"{held.name} is archived already.")
    end_layers(held.layers.not_over(at=now), now=now)
    standing = Override.objects.standing().filter(rotation=held, ended_at__gt=now)
    standing.filter(started_at__gte=now).update(cancelled_at=now)
    standing.filter(started_at__lt=now).update(ended_at=now)
    held.swaps.filter(state=SwapState.OPEN).update(state=SwapState.WITHDRAWN, decided_at=now)
    held.archived_at = now
    held.save(update_fields=["archived_at"])
    record(by, action="rotation.archive", subject=held, now=now)
    announce("shifts")


@transaction.atomic
def unarchive(rotation: Rotation, *, by: Actor, now: datetime) -> None:
    """Its layers hold again as they were when it was archived."""
    held = Rotation.objects.select_for_update().get(pk=rotation.pk)
    if held.archived_at is None:
        raise CannotArchive(f"{held.name} is in use already.")
    renew(held.layers.filter(valid_until=held.archived_at), _forever, now=now)
    held.archived_at = None
    held.save(update_fields=["archived_at"])
    record(by, action="rotation.unarchive", subject=held, now=now)
    announce("shifts")


def _forever(layer: Layer) -> None:
    layer.valid_until = None


def _free_slug(wanted: str) -> str:
    start = wanted[:SLUG_LENGTH].strip("-") or "rotation"
    names = (start if number == 1 else f"{start}-{number}" for number in count(1))
    return next(
        name for name in names if name not in RESERVED and not Rotation.objects.filter(slug=name).exists()
    )
