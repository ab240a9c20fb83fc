"""Setting, changing and ending objectives; every change is audited, and one that could never alert is refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction

from console.accounts.audit import Actor, changed, record
from console.fleet.models import Criticality, Service
from console.slo.burn import fastest, lowest_target_percent, unreachable
from console.slo.counting import forget_counts
from console.slo.models import Objective, PrometheusServer, Source

USUAL_TARGETS: dict[str, Decimal] = {
    Criticality.CRITICAL: Decimal("99.9"),
    Criticality.USER_FACING: Decimal("99.5"),
    Criticality.BATCH: Decimal("99"),
    Criticality.BEST_EFFORT: Decimal("95"),
}
COUNTING = ("source", "server_id", "good_query", "total_query")
"""What an objective counts by: where one of these changes, what was counted before is no answer any more."""


class CannotSet(Exception):
    """It cannot be as asked; `field` is the one to change, the message says how."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An objective as a person or program describes it."""

    slug: str
    name: str
    objective_class: str
    target_percent: Decimal
    planned_burn: float = 1.0
    source: str = Source.PUSHED.value
    server: PrometheusServer | None = None
    good_query: str = ""
    total_query: str = ""

    @property
    def columns(self) -> dict[str, Any]:
        is_asked = self.source == Source.PROMETHEUS
        return {
            "slug": self.slug,
            "name": self.name,
            "objective_class": self.objective_class,
            "target_percent": self.target_percent,
            "planned_burn": self.planned_burn,
            "source": self.source,
            "server": self.server if is_asked else None,
            "good_query": self.good_query if is_asked else "",
            "total_query": self.total_query if is_asked else "",
        }


def check(wanted: Wanted) -> None:
    """Raises `CannotSet` where its rules could never fire, or its source is not whole."""
    if not 0 < wanted.target_percent < 100:
        raise CannotSet("target_percent", "A target lies between 0 and 100 %: 100 % leaves no budget at all.")
    allowed = float((100 - wanted.target_percent) / 100)
    names = [rule.name for rule in unreachable(allowed, wanted.planned_burn)]
    if names:
        lowest = lowest_target_percent(wanted.planned_burn)
        field = "planned_burn" if names == ["eviction"] else "target_percent"
        or_slower = ", or plan a slower burn" if field == "planned_burn" else ""
        raise CannotSet(
            field,
            f"At {wanted.target_percent:f} % the budget can burn at most {fastest(allowed):.1f} times as fast as"
            f" it may, so the rule{'s' if len(names) > 1 else ''} {', '.join(names)} could never fire."
            f" Set the target to {_up(lowest)} % or above{or_slower}.",
        )
    if wanted.source != Source.PROMETHEUS:
        return
    for name in ("server", "good_query", "total_query"):
        if not getattr(wanted, name):
            raise CannotSet(name, "Counts that Prometheus is asked for need a server and both queries.")


def _up(percent: float) -> str:
    """To a tenth, upwards, so that the number given is one that is taken."""
    return f"{-(-percent * 10 // 1) / 10:.1f}"


@transaction.atomic
def create(wanted: Wanted, *, service: Service, by: Actor, now: datetime) -> Objective:
    check(wanted)
    row = Objective(
        origin=service.origin,
        service=service,
        created_at=now,
        created_by_id=by.person_id,
        next_poll_at=now if wanted.source == Source.PROMETHEUS else None,
        **wanted.columns,
    )
    _save(row, is_new=True)
    record(by, action="objective.create", subject=row, after=picture(row), now=now)
    return row


@transaction.atomic
def change(pk: int, wanted: Wanted, *, by: Actor, now: datetime) -> Objective:
    """Nothing is written where nothing differs. Counts that another query counted are counted anew."""
    check(wanted)
    row = Objective.objects.select_for_update(of=("self",)).select_related("service", "server").get(pk=pk)
    before = picture(row)
    counting = [getattr(row, name) for name in COUNTING]
    for name, value in wanted.columns.items():
        setattr(row, name, value)
    if picture(row) == before:
        return row
    row.version += 1
    if [getattr(row, name) for name in COUNTING] != counting:
        _count_anew(row, now=now)
    _save(row, is_new=False)
    old, new = changed(before, picture(row))
    record(by, action="objective.change", subject=row, before=old, after=new, now=now)
    return row


def _count_anew(row: Objective, *, now: datetime) -> None:
    forget_counts(origin=row.origin, service_id=row.service_id, counted_for=row.pk)
    row.polled_until = row.poll_failed_at = None
    row.poll_error, row.poll_failures = "", 0
    row.next_poll_at = now if row.source == Source.PROMETHEUS and row.archived_at is None else None


@transaction.atomic
def end(pk: int, *, by: Actor, now: datetime) -> Objective:
    """It is watched no more; its counts stay. Twice is harmless."""
    row = Objective.objects.select_for_update(of=("self",)).select_related("service").get(pk=pk)
    if row.archived_at is None:
        row.archived_at, row.next_poll_at = now, None
        row.save(update_fields=["archived_at", "next_poll_at"])
        record(by, action="objective.end", subject=row, before=picture(row), now=now)
    return row


@transaction.atomic
def revive(pk: int, *, by: Actor, now: datetime) -> Objective:
    """It is watched again; what Prometheus counted meanwhile is asked for. Twice is harmless."""
    row = Objective.objects.select_for_update(of=("self",)).select_related("service").get(pk=pk)
    if row.archived_at is not None:
        row.archived_at = None
        row.next_poll_at = now if row.source == Source.PROMETHEUS else None
        row.save(update_fields=["archived_at", "next_poll_at"])
        record(by, action="objective.revive", subject=row, after=picture(row), now=now)
    return row


def _save(row: Objective, *, is_new: bool) -> None:
    try:
        with transaction.atomic():
            row.save(force_insert=is_new)
    except IntegrityError as error:
        if "slo_objective_one_per_slug" not in str(error):
            raise
        raise CannotSet("slug", f"{row.service} has an objective called {row.slug} already.") from error


def picture(row: Objective) -> dict[str, Any]:
    """An objective as the audit trail shows it; no key is among it."""
    return {
        "service": row.service.slug,
        "slug": row.slug,
        "name": row.name,
        "class": row.objective_class,
        "target_percent": row.target_text.removesuffix(" %"),
        "planned_burn": row.planned_burn,
        "source": row.source,
        "server": row.server.name if row.server else None,
        "good_query": row.good_query,
        "total_query": row.total_query,
    }
