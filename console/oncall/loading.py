"""Reading rotations as plans: two queries, however many rotations."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import CharField, Q, QuerySet, Value
from django.db.models.functions import Coalesce, NullIf

from console.oncall.models import Layer, Override, OverrideKind
from console.oncall.plan import LayerPlan, OverridePlan, Plan


def plans_of(rotation_ids: Collection[int], *, since: datetime, until: datetime) -> dict[int, Plan]:
    """By rotation: all that decides who is on call in [since, until)."""
    ids = sorted(set(rotation_ids))
    if not ids:
        return {}
    layers: dict[int, list[LayerPlan]] = {pk: [] for pk in ids}
    overrides: dict[int, list[OverridePlan]] = {pk: [] for pk in ids}
    for layer in layer_rows(ids, since=since, until=until):
        layers[layer.rotation_id].append(layer_plan(layer, people_in(layer)))
    for override in override_rows(ids, since=since, until=until):
        overrides[override.rotation_id].append(override_plan(override))
    return {pk: Plan(pk, tuple(layers[pk]), tuple(overrides[pk])) for pk in ids}


def layer_rows(ids: Collection[int], *, since: datetime, until: datetime) -> QuerySet[Layer]:
    """Versions that hold at some time in [since, until), each with its people (`people_in`)."""
    in_order = ArrayAgg(
        "members__person_id", order_by="members__position", filter=Q(members__isnull=False), default=[]
    )
    valid = Layer.objects.not_over(at=since).filter(rotation__in=ids, valid_from__lt=until)
    return valid.annotate(people=in_order)


def people_in(layer: Layer) -> list[int]:
    """Of a layer that `layer_rows` read: ids in the order of their turns."""
    people: list[int] = layer.people  # type: ignore[attr-defined]
    return people


def override_rows(ids: Collection[int], *, since: datetime, until: datetime) -> QuerySet[Override]:
    """Overrides that hold at some time in [since, until), each with whoever made it."""
    standing = Override.objects.standing().between(since, until).filter(rotation__in=ids)
    name = Coalesce(
        NullIf("created_by__name", Value("")),
        "created_by__email",
        NullIf("created_by_label", Value("")),
        output_field=CharField(),
    )
    return standing.annotate(by=name).order_by("pk")


def layer_plan(layer: Layer, people: Sequence[int]) -> LayerPlan:
    has_hours = layer.hours_from is not None and layer.hours_until is not None
    return LayerPlan(
        position=layer.position,
        title=layer.title,
        kind=layer.kind,
        length=layer.length,
        zone=ZoneInfo(layer.time_zone),
        starts_on=layer.starts_on,
        handover_at=layer.handover_at,
        people=tuple(people),
        valid_from=layer.valid_from,
        valid_until=layer.valid_until,
        weekdays=frozenset(layer.weekdays),
        hours=(layer.hours_from, layer.hours_until) if has_hours else None,  # type: ignore[arg-type]
    )


def override_plan(override: Override) -> OverridePlan:
    return OverridePlan(
        id=override.pk,
        person_id=override.person_id,
        replaced_id=override.replaced_id,
        started_at=override.started_at,
        ended_at=override.ended_at,
        why=_why(override),
    )


def _why(override: Override) -> str:
    """`Take-over by Alice: dentist`. An override knows by whom it was made from the query that read it."""
    by = getattr(override, "by", None) or "the console"
    said = f"{OverrideKind(override.kind).label} by {by}"
    return f"{said}: {override.reason}" if override.reason else said
