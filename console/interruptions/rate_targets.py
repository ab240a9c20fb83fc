"""Changing the targets of M1 for classes of machines that cannot meet the usual one; every change is audited."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from console.accounts.audit import Actor, record
from console.fleet.models import Pool
from console.interruptions.models import RateTarget
from console.lib.origin import Origin


class CannotSet(Exception):
    """The target cannot be as asked; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A class of machines with its target, in reclaims per 100 instance-weeks."""

    label: str
    provider: str
    type_prefix: str
    target: float
    red: float

    @property
    def subject(self) -> str:
        return f"{self.provider or 'any'}/{self.type_prefix}"


@dataclass(frozen=True, slots=True)
class TargetRow:
    """A target as its page shows it, with the pools that it is taken for."""

    target: RateTarget
    pools: tuple[str, ...]


@transaction.atomic
def create(wanted: Wanted, *, by: Actor, now: datetime) -> RateTarget:
    _check(wanted)
    try:
        with transaction.atomic():
            row = RateTarget.objects.create(**asdict(wanted))
    except IntegrityError as error:
        raise CannotSet("This class has a target already: change that one, or name another class.") from error
    _record(wanted, "set", before=None, after=_shape(row), by=by, now=now)
    return row


@transaction.atomic
def change(pk: int, wanted: Wanted, *, by: Actor, now: datetime) -> RateTarget:
    """Give the class other values; which class it is may change too."""
    _check(wanted)
    row = RateTarget.objects.select_for_update().get(pk=pk)
    before = _shape(row)
    for name, value in asdict(wanted).items():
        setattr(row, name, value)
    if _shape(row) == before:
        return row
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise CannotSet("Another target is for this class already: end that one first.") from error
    _record(wanted, "set", before=before, after=_shape(row), by=by, now=now)
    return row


@transaction.atomic
def end(pk: int, *, by: Actor, now: datetime) -> RateTarget | None:
    """Back to the usual target. Twice is harmless: None where it was ended before."""
    row = RateTarget.objects.select_for_update().filter(pk=pk).first()
    if row is None:
        return None
    before = _shape(row)
    row.delete()
    _record(Wanted(**before), "remove", before=before, after=None, by=by, now=now)
    return row


def target_rows(*, origin: Origin) -> list[TargetRow]:
    """Each target with the types of machines known in this origin that it is taken for; the longest prefix wins."""
    rows = list(RateTarget.objects.order_by("label", "pk"))
    ranked = sorted(rows, key=lambda row: (-len(row.type_prefix), -len(row.provider)))
    types = Pool.objects.filter(origin=origin).exclude(instance_type="").order_by("provider", "instance_type")
    taken: dict[int, list[str]] = {row.pk: [] for row in rows}
    for provider, name in types.values_list("provider", "instance_type").distinct():
        winner = next((row for row in ranked if _takes(row, provider, name)), None)
        if winner is not None:
            taken[winner.pk].append(f"{provider} {name}")
    return [TargetRow(row, tuple(taken[row.pk])) for row in rows]


def _takes(row: RateTarget, provider: str, name: str) -> bool:
    return row.provider in ("", provider) and name.startswith(row.type_prefix)


def _check(wanted: Wanted) -> None:
    if not wanted.type_prefix:
        raise CannotSet(
            "Say how the instance types of the class begin: without it every machine would be in it."
        )
    if not 0 < wanted.target <= wanted.red:
        raise CannotSet("The limit lies at or above the target, and both above 0.")


def _shape(row: RateTarget) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("label", "provider", "type_prefix", "target", "red")}


def _record(
    wanted: Wanted,
    verb: str,
    *,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    by: Actor,
    now: datetime,
) -> None:
    record(
        by,
        action=f"rate_target.{verb}",
        subject_kind="ratetarget",
        subject_label=wanted.subject,
        before=before,
        after=after,
        now=now,
    )
