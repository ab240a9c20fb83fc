"""Factories of rotations: what a test does not name is an ordinary week, made well before noon of the cast's day."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from itertools import count
from typing import Any

from console.accounts.audit import Actor
from console.accounts.models import User
from console.oncall.editing import RotationOrder, create
from console.oncall.layering import LayerOrder, add_layer
from console.oncall.models import Layer, Override, Rotation
from console.oncall.overriding import OverrideOrder, add_override
from tests.make_fleet import NOON

LONG_AGO = NOON - timedelta(days=100)
BY = Actor.console("tests")
_numbers = count(1)


def make_rotation(*people: User, now: datetime = LONG_AGO, **fields: Any) -> Rotation:
    """Weekly turns of these people from Monday 1 December 2025, 09:00; without people it has no layer yet."""
    layer = {
        name: fields.pop(name)
        for name in list(fields)
        if name in LayerOrder.__dataclass_fields__ and name != "name"
    }
    slug, origin = fields.pop("slug", f"rotation-{next(_numbers)}"), fields.pop("origin", "live")
    known = {"name": slug.replace("-", " ").capitalize(), "time_zone": "Europe/Berlin"}
    rotation = create(RotationOrder(**(known | fields)), by=BY, now=now, origin=origin, slug=slug)
    if people:
        make_layer(rotation, *people, now=now, **layer)
    return rotation


def make_layer(rotation: Rotation, *people: User, now: datetime = LONG_AGO, **fields: Any) -> Layer:
    known: dict[str, Any] = {"kind": "weekly", "starts_on": date(2025, 12, 1), "handover_at": time(9)}
    order = LayerOrder(people=tuple(person.pk for person in people), **(known | fields))
    return add_layer(rotation, order, by=BY, now=now)


def make_override(rotation: Rotation, person: User, **fields: Any) -> Override:
    """For two hours from noon."""
    now = fields.pop("now", NOON)
    by = fields.pop("by", BY)
    known = {"started_at": NOON, "ended_at": NOON + timedelta(hours=2)} | fields
    return add_override(rotation, OverrideOrder(person, **known), by=by, now=now)[0]
