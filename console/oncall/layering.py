"""Changing the layers of a rotation. A version that was in force is never altered, only ended: the past stays true."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from django.db import transaction
from django.db.models import Max, QuerySet

from console.accounts.audit import Actor, changed, record
from console.lib.live import announce
from console.oncall.loading import layer_plan
from console.oncall.models import Layer, LayerMember, Rotation
from console.oncall.turns import first_turn_at

MOST_PEOPLE = 60


class NotPossible(Exception):
    """The layer cannot be that way; the text says what to do."""


class EditedMeanwhile(Exception):
    """Somebody else changed the layer since it was read."""


@dataclass(frozen=True, slots=True)
class LayerOrder:
    """What a layer is to be. `people` are ids in the order of their turns."""

    kind: str
    people: tuple[int, ...]
    starts_on: date
    handover_at: time
    length: int = 1
    name: str = ""
    weekdays: tuple[int, ...] = ()
    hours_from: time | None = None
    hours_until: time | None = None


def as_layer(rotation: Rotation, order: LayerOrder, *, position: int, now: datetime) -> Layer:
    """The row, not stored yet. It holds from its first turn on, or from now where that lies behind."""
    layer = Layer(
        rotation=rotation,
        position=position,
        name=order.name,
        kind=order.kind,
        length=order.length,
        time_zone=rotation.time_zone,
        starts_on=order.starts_on,
        handover_at=order.handover_at,
        weekdays=sorted(set(order.weekdays)),
        hours_from=order.hours_from,
        hours_until=order.hours_until,
        valid_from=now,
    )
    layer.valid_from = max(now, first_turn_at(layer_plan(layer, order.people)))
    return layer


@transaction.atomic
def add_layer(rotation: Rotation, order: LayerOrder, *, by: Actor, now: datetime) -> Layer:
    """A layer over all others."""
    held = _locked(rotation)
    top = held.layers.not_over(at=now).aggregate(top=Max("position"))["top"] or 0
    layer = _store(as_layer(held, order, position=top + 1, now=now), order, by=by)
    _note(by, "layer.add", held, layer, now=now, after=picture(layer))
    return layer


@transaction.atomic
def change_layer(seen: Layer, order: LayerOrder, *, by: Actor, now: datetime) -> Layer:
    """A new version in place of the one that was `seen`, which goes on until the first turn of the new one."""
    held = _locked(seen.rotation)
    versions = list(held.layers.not_over(at=now).filter(position=seen.position).order_by("valid_from"))
    if not versions or versions[-1].pk != seen.pk:
        raise EditedMeanwhile("Somebody changed this layer while you were writing. Open it again to see how.")
    before, layer = picture(versions[-1]), as_layer(held, order, position=seen.position, now=now)
    old, new = changed(before, picture(layer, order.people))
    if not new:
        return versions[-1]
    for version in reversed(versions):
        _end(version, at=layer.valid_from if version.valid_from < now else version.valid_from)
    _store(layer, order, by=by)
    _note(by, "layer.change", held, layer, now=now, before=old, after=new)
    return layer


@transaction.atomic
def remove_layer(rotation: Rotation, position: int, *, by: Actor, now: datetime) -> None:
    held = _locked(rotation)
    versions = held.layers.not_over(at=now).filter(position=position)
    newest = versions.order_by("-valid_from").first()
    if newest is None:
        return
    before = picture(newest)
    end_layers(versions, now=now)
    _note(by, "layer.remove", held, newest, now=now, before=before)


@transaction.atomic
def raise_layer(rotation: Rotation, position: int, *, by: Actor, now: datetime) -> None:
    """Change places with the layer above, from now on."""
    held = _locked(rotation)
    above = held.layers.not_over(at=now).filter(position__gt=position).order_by("position").first()
    mine = held.layers.not_over(at=now).filter(position=position).first()
    if above is None or mine is None:
        raise NotPossible("There is no layer above it.")
    places = {position: above.position, above.position: position}

    def swapped(layer: Layer) -> None:
        layer.position = places[layer.position]

    renew(held.layers.not_over(at=now).filter(position__in=places), swapped, now=now)
    _note(
        by, "layer.raise", held, mine, now=now,
        before={"position": position}, after={"position": places[position]},
    )  # fmt: skip


def renew(layers: QuerySet[Layer], change: Callable[[Layer], None], *, now: datetime) -> None:
    """End these versions and let copies of them, each changed, hold from now on (or from when they were to)."""
    copies: list[tuple[Layer, list[int]]] = []
    for layer in layers.order_by("valid_from", "pk"):
        people = people_of(layer)
        copy = Layer(**{field.attname: getattr(layer, field.attname) for field in Layer._meta.local_fields})
        copy.pk, copy.valid_from = None, max(layer.valid_from, now)
        change(copy)
        copies.append((copy, people))
        if layer.valid_until is None or layer.valid_until > now:
            _end(layer, at=now)
    for copy, people in copies:
        copy.save(force_insert=True)
        _seat(copy, people)


def end_layers(layers: QuerySet[Layer], *, now: datetime) -> None:
    for layer in layers.order_by("pk"):
        _end(layer, at=now)


def people_of(layer: Layer) -> list[int]:
    """Ids in the order of their turns."""
    return list(layer.members.order_by("position").values_list("person_id", flat=True))


def picture(layer: Layer, people: tuple[int, ...] | None = None) -> dict[str, Any]:
    """A layer as the audit trail shows it."""
    return {
        "name": layer.name,
        "turns": f"{layer.length} {layer.kind}",
        "starts_on": layer.starts_on.isoformat(),
        "handover_at": layer.handover_at.isoformat("minutes"),
        "time_zone": layer.time_zone,
        "people": list(people) if people is not None else people_of(layer),
        "weekdays": list(layer.weekdays),
        "hours": [at.isoformat("minutes") for at in (layer.hours_from, layer.hours_until) if at is not None],
    }


def _locked(rotation: Rotation) -> Rotation:
    held = Rotation.objects.select_for_update().get(pk=rotation.pk)
    if held.archived_at:
        raise NotPossible(f"{held.name} is archived. Take it into use again first.")
    return held


def _end(layer: Layer, *, at: datetime) -> None:
    """A version that never came into force leaves no trace."""
    if layer.valid_from >= at:
        layer.delete()
        return
    layer.valid_until = at
    layer.save(update_fields=["valid_until"])


def _store(layer: Layer, order: LayerOrder, *, by: Actor) -> Layer:
    if not order.people:
        raise NotPossible("A layer needs at least one person.")
    if len(order.people) > MOST_PEOPLE:
        raise NotPossible(f"A layer holds at most {MOST_PEOPLE} places.")
    layer.created_by_id = by.person_id
    layer.save(force_insert=True)
    _seat(layer, list(order.people))
    return layer


def _seat(layer: Layer, people: list[int]) -> None:
    LayerMember.objects.bulk_create(
        LayerMember(layer=layer, person_id=person, position=place) for place, person in enumerate(people, 1)
    )


def _note(
    by: Actor, action: str, rotation: Rotation, layer: Layer, *, now: datetime,
    before: dict[str, Any] | None = None, after: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    label = f"{rotation.name}: {layer.title}"
    record(by, action=action, subject=rotation, subject_label=label, before=before, after=after, now=now)
    announce("shifts")
