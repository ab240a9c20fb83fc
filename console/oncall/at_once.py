"""All rotations of a data origin with who is on call in them now, in one query: for the strip above every page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.db import models

from console.lib.rows import fetch
from console.oncall.loading import layer_plan, override_plan
from console.oncall.models import Layer, Override
from console.oncall.plan import Plan
from console.oncall.schedule import HORIZON, Roster, roster

M = TypeVar("M", bound=models.Model)

_ROTATIONS = """
SELECT r.id, r.name, r.team_id IS NULL, r.is_round_the_clock,
    (SELECT json_agg(json_build_object('row', to_jsonb(l), 'people', (
        SELECT coalesce(json_agg(json_build_array(m.person_id, coalesce(nullif(u.name, ''), u.email))
                                 ORDER BY m.position), '[]')
        FROM oncall_layermember m JOIN accounts_user u ON u.id = m.person_id WHERE m.layer_id = l.id)))::text
     FROM oncall_layer l
     WHERE l.rotation_id = r.id AND l.valid_from < %(until)s
       AND (l.valid_until IS NULL OR l.valid_until > %(since)s)),
    (SELECT json_agg(json_build_object('row', to_jsonb(o), 'person', coalesce(nullif(u.name, ''), u.email))
                     ORDER BY o.id)::text
     FROM oncall_override o JOIN accounts_user u ON u.id = o.person_id
     WHERE o.rotation_id = r.id AND o.cancelled_at IS NULL
       AND o.started_at < %(until)s AND o.ended_at > %(since)s)
FROM oncall_rotation r
WHERE r.origin = %(origin)s AND r.archived_at IS NULL
ORDER BY r.team_id IS NOT NULL, r.name, r.id
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """A rotation, whose turn it is, and what the people in it are called."""

    name: str
    is_platform: bool
    is_round_the_clock: bool
    roster: Roster
    names: Mapping[int, str]


def standings(origin: str, *, at: datetime) -> list[Standing]:
    """Those in use, the platform's before those of teams, by name."""
    asked = {"origin": origin, "since": at - HORIZON, "until": at + HORIZON}
    return [_standing(*row, at=at) for row in fetch(_ROTATIONS, asked)]


def _standing(
    pk: int,
    name: str,
    is_platform: bool,
    is_round_the_clock: bool,
    layers: str | None,
    overrides: str | None,
    *,
    at: datetime,
) -> Standing:
    names: dict[int, str] = {}
    turns = []
    for one in json.loads(layers or "[]"):
        names.update((person, called) for person, called in one["people"])
        turns.append(layer_plan(_row(Layer, one["row"]), [person for person, _ in one["people"]]))
    instead = []
    for one in json.loads(overrides or "[]"):
        override = _row(Override, one["row"])
        names[override.person_id] = one["person"]
        instead.append(override_plan(override))
    plan = Plan(pk, tuple(turns), tuple(instead))
    return Standing(name, is_platform, is_round_the_clock, roster(plan, at=at), names)


def _row(model: type[M], values: Mapping[str, Any]) -> M:
    """A row as JSON holds it."""
    fields = {field.attname: field for field in model._meta.concrete_fields}
    return model(**{name: fields[name].to_python(value) for name, value in values.items()})
