"""Changing services and teams, by a page, an upload or the API; each change leaves an audit entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from django.db import transaction
from django.db.models import ProtectedError

from console.accounts.audit import Actor, changed, record
from console.accounts.models import User
from console.fleet.links import BadTemplate, check
from console.fleet.models import Service, Team
from console.fleet.reattribution import reattribute
from console.lib.live import announce
from console.lib.pushed import Batch, RowError, has_nul

RESERVED = frozenset({"new", "teams", "rules", "import", "targets"})
"""Slugs that are pages of their own."""

Slug = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[-a-zA-Z0-9_]+$")]
Template = Annotated[str, msgspec.Meta(max_length=500)]


class ServiceRow(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A service as programs and uploads describe it. What is left out keeps its value."""

    slug: Slug
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=120)] | msgspec.UnsetType = msgspec.UNSET
    team: Slug | msgspec.UnsetType | None = msgspec.UNSET
    owner: Annotated[str, msgspec.Meta(max_length=254)] | msgspec.UnsetType | None = msgspec.UNSET
    kind: (
        Literal[
            "batch_etl",
            "ml_training",
            "ci_runners",
            "queue_workers",
            "analytics",
            "transcoding",
            "canary",
            "notebooks",
            "simulation",
            "edge",
        ]
        | msgspec.UnsetType
    ) = msgspec.UNSET
    criticality: Literal["critical", "user_facing", "batch", "best_effort"] | msgspec.UnsetType = (
        msgspec.UNSET
    )
    statefulness: Literal["stateless", "batch", "stateful"] | msgspec.UnsetType = msgspec.UNSET
    replicas_wanted: Annotated[int, msgspec.Meta(ge=0, le=1000000)] | msgspec.UnsetType | None = msgspec.UNSET
    description: Annotated[str, msgspec.Meta(max_length=10_000)] | msgspec.UnsetType = msgspec.UNSET
    log_url: Template | msgspec.UnsetType = msgspec.UNSET
    trace_url: Template | msgspec.UnsetType = msgspec.UNSET
    metric_url: Template | msgspec.UnsetType = msgspec.UNSET


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of a service."""

    service: Service
    is_new: bool
    is_changed: bool


def picture(service: Service) -> dict[str, Any]:
    """A service as the audit trail shows it."""
    return {
        "slug": service.slug,
        "name": service.name,
        "team": service.team.slug if service.team else None,
        "owner": service.owner.email if service.owner else None,
        "kind": service.kind,
        "criticality": service.criticality,
        "statefulness": service.statefulness,
        "replicas_wanted": service.replicas_wanted,
        "description": service.description,
        "log_url": service.log_url,
        "trace_url": service.trace_url,
        "metric_url": service.metric_url,
        "archived_at": service.archived_at.isoformat() if service.archived_at else None,
    }


def check_services(batch: Batch[ServiceRow], *, origin: str) -> None:
    """Move rows that cannot be saved to the batch's errors; warn of teams that will be made."""
    teams = set(Team.objects.filter(origin=origin).values_list("slug", flat=True))
    people = set(User.objects.filter(is_active=True).values_list("email", flat=True))
    kept = []
    for index, row in batch.rows:
        error = _error(index, row, people)
        if error is not None:
            batch.errors.append(error)
            continue
        kept.append((index, row))
        if isinstance(row.team, str) and row.team not in teams:
            teams.add(row.team)
            batch.warnings.append(RowError(index, "team", f"The team {row.team} is new and will be made."))
    batch.rows = kept
    batch.errors.sort(key=lambda error: error.index)


def _error(index: int, row: ServiceRow, people: set[str]) -> RowError | None:
    if name := has_nul(row):
        return RowError(index, name, "The text holds a NUL byte; send it without.")
    if row.slug in RESERVED:
        return RowError(index, "slug", f"{row.slug} is a page of its own; choose another slug.")
    if isinstance(row.owner, str) and row.owner and row.owner.lower() not in people:
        return RowError(
            index, "owner", f"Nobody with the address {row.owner} may sign in; invite them first."
        )
    for name in ("log_url", "trace_url", "metric_url"):
        template = getattr(row, name)
        if isinstance(template, str) and template:
            try:
                check(template)
            except BadTemplate as error:
                return RowError(index, name, str(error))
    return None


@transaction.atomic
def save_services(rows: Sequence[ServiceRow], *, origin: str, actor: Actor, now: datetime) -> list[Saved]:
    """Create or change services, in the order of their slugs."""
    saved = [
        _save(row, origin=origin, actor=actor, now=now) for row in sorted(rows, key=lambda row: row.slug)
    ]
    if any(each.is_new for each in saved):
        reattribute(origin, now=now)  # machines may have named it before it existed
    if any(each.is_changed for each in saved):
        announce("services", ids=[each.service.pk for each in saved if each.is_changed])
    return saved


def _save(row: ServiceRow, *, origin: str, actor: Actor, now: datetime) -> Saved:
    held = Service.objects.select_related("team", "owner").select_for_update(of=("self",))
    service = held.filter(origin=origin, slug=row.slug).first()
    is_new = service is None
    if service is None:
        service = Service(origin=origin, slug=row.slug, name=row.slug.replace("-", " ").capitalize())
        service.created_at = now
    before = {} if is_new else picture(service)
    for name in row.__struct_fields__:
        value = getattr(row, name)
        if value is msgspec.UNSET or name == "slug":
            continue
        if name == "team":
            value = _team(value, origin=origin, actor=actor, now=now) if value else None
        elif name == "owner":
            value = User.objects.get(email=value.lower()) if value else None
        setattr(service, name, value)
    after = picture(service)
    if before == after:
        return Saved(service, False, False)
    service.save()
    old, new = changed(before, after)
    action = "service.create" if is_new else "service.update"
    record(actor, action=action, subject=service, before=None if is_new else old, after=new, now=now)
    return Saved(service, is_new, True)


def _team(slug: str, *, origin: str, actor: Actor, now: datetime) -> Team:
    team, is_new = Team.objects.get_or_create(
        origin=origin, slug=slug, defaults={"name": slug.replace("-", " ").capitalize()}
    )
    if is_new:
        record(actor, action="team.create", subject=team, after={"slug": slug, "name": team.name}, now=now)
    return team


@transaction.atomic
def save_team(slug: str, *, name: str, origin: str, actor: Actor, now: datetime) -> Team:
    """Create a team, or give it another name."""
    team = Team.objects.select_for_update().filter(origin=origin, slug=slug).first()
    if team is not None and team.name == name:
        return team
    before = None if team is None else {"name": team.name}
    team = team or Team(origin=origin, slug=slug)
    team.name = name
    team.save()
    action = "team.create" if before is None else "team.update"
    record(actor, action=action, subject=team, before=before, after={"slug": slug, "name": name}, now=now)
    return team


class TeamInUse(ValueError):
    """The team still owns services."""


@transaction.atomic
def delete_team(team: Team, *, actor: Actor, now: datetime) -> None:
    """Remove a team that owns nothing."""
    if count := team.services.count():
        raise TeamInUse(f"{team.name} still owns {count} services. Give them to another team first.")
    record(actor, action="team.delete", subject=team, before={"slug": team.slug, "name": team.name}, now=now)
    try:
        team.delete()
    except ProtectedError as error:
        raise TeamInUse(
            f"{team.name} has a rotation or something else that is its own. Give it away first."
        ) from error


@transaction.atomic
def archive_service(service: Service, *, is_archived: bool, actor: Actor, now: datetime) -> None:
    """Take a service out of the lists, or bring it back. Its machines and history stay."""
    before = picture(service)
    service.archived_at = now if is_archived else None
    service.save(update_fields=["archived_at"])
    old, new = changed(before, picture(service))
    action = "service.archive" if is_archived else "service.restore"
    record(actor, action=action, subject=service, before=old, after=new, now=now)
    reattribute(service.origin, now=now)
    announce("services", ids=[service.pk])
