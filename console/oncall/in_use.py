"""Every rotation in use with its plan and its people's names, in two queries: for what stands above every page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import CharField, F, FilteredRelation, Q, Value
from django.db.models.functions import Coalesce, NullIf

from console.oncall.loading import layer_plan, override_plan, override_rows
from console.oncall.models import Layer, Rotation
from console.oncall.plan import LayerPlan, Plan
from console.oncall.schedule import HORIZON, Roster, roster

LAYER = (
    "position", "name", "kind", "length", "time_zone", "starts_on", "handover_at", "weekdays", "hours_from",
    "hours_until", "valid_from", "valid_until",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class InUse:
    """A rotation, who is on call in it, and what they are called."""

    name: str
    is_of_team: bool
    is_round_the_clock: bool
    roster: Roster
    person: str


def rotations_in_use(origin: str, *, now: datetime) -> list[InUse]:
    """By name. Rotations without any layer are there too: nobody is on call in them."""
    rows = _rows(origin, since=now - HORIZON, until=now + HORIZON)
    heads = {row["pk"]: row for row in rows}
    if not heads:
        return []
    layers: dict[int, list[LayerPlan]] = {pk: [] for pk in heads}
    names: dict[int, str] = {}
    for row in rows:
        if row["valid__position"] is not None:
            layers[row["pk"]].append(_layer(row))
            names |= dict(zip(row["people"], row["names"], strict=True))
    overrides: dict[int, list[Any]] = {pk: [] for pk in heads}
    for override in override_rows(list(heads), since=now - HORIZON, until=now + HORIZON).select_related(
        "person"
    ):
        overrides[override.rotation_id].append(override_plan(override))
        names[override.person_id] = str(override.person)
    return [_in_use(heads[pk], roster(Plan(pk, layers[pk], overrides[pk]), at=now), names) for pk in heads]


def _in_use(head: dict[str, Any], found: Roster, names: dict[int, str]) -> InUse:
    person = names[found.now.person_id] if found.now else ""
    return InUse(head["name"], head["team_id"] is not None, head["is_round_the_clock"], found, person)


def _rows(origin: str, *, since: datetime, until: datetime) -> Sequence[dict[str, Any]]:
    """One for each layer, and one for each rotation without any."""
    is_valid = Q(layers__valid_until=None) | Q(layers__valid_until__gt=since)
    seated: dict[str, Any] = {
        "order_by": "valid__members__position",
        "filter": Q(valid__members__isnull=False),
        "default": [],
    }
    called = Coalesce(
        NullIf("valid__members__person__name", Value("")),
        "valid__members__person__email",
        output_field=CharField(),
    )
    rotations = Rotation.objects.of_origin(origin).in_use()
    with_layers = rotations.annotate(
        valid=FilteredRelation("layers", condition=is_valid & Q(layers__valid_from__lt=until))
    )
    columns = ["pk", "name", "team_id", "is_round_the_clock", *(f"valid__{name}" for name in LAYER)]
    return list(
        with_layers.values(*columns)
        .annotate(people=ArrayAgg(F("valid__members__person_id"), **seated), names=ArrayAgg(called, **seated))
        .order_by("name", "pk", "valid__position")
    )


def _layer(row: dict[str, Any]) -> LayerPlan:
    layer = Layer(**{name: row[f"valid__{name}"] for name in LAYER})
    return layer_plan(layer, row["people"])
