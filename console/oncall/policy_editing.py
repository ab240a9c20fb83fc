"""Writing escalation policies, and saying where each holds. A change counts for escalations that begin after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from console.accounts.audit import Actor, changed, record
from console.accounts.models import User
from console.fleet.models import Service, Team
from console.notifications.models import Channel
from console.oncall.models import (
    EscalationLevel,
    EscalationPolicy,
    LevelTarget,
    PolicyUse,
    Rotation,
    TargetKind,
)

MOST_LEVELS = 10
MOST_TARGETS = 10
RESERVED = frozenset({"new"})
MODELS: dict[str, type[Rotation] | type[User] | type[Team] | type[Channel]] = {
    TargetKind.ROTATION: Rotation,
    TargetKind.PERSON: User,
    TargetKind.TEAM: Team,
    TargetKind.CHANNEL: Channel,
}


class CannotSave(Exception):
    """What has to be mended first, in words for whoever wrote it."""


@dataclass(frozen=True, slots=True)
class LevelDraft:
    wait_minutes: int
    targets: tuple[tuple[str, int], ...]
    """Kind and id of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A policy as somebody wants it."""

    name: str
    slug: str
    team_id: int | None = None
    repeats: int = 1
    acknowledged_minutes: int = 30
    levels: Sequence[LevelDraft] = field(default_factory=tuple)


@transaction.atomic
def create(draft: Draft, *, origin: str, by: Actor, now: datetime) -> EscalationPolicy:
    """A new policy, version 1. Raises CannotSave."""
    _check(draft)
    if draft.slug in RESERVED or EscalationPolicy.objects.filter(origin=origin, slug=draft.slug).exists():
        raise CannotSave(f"There is a policy {draft.slug} already; choose another slug.")
    policy = EscalationPolicy(origin=origin, slug=draft.slug, created_at=now, version=0)
    _write(policy, draft)
    record(by, action="policy.create", subject=policy, after=picture(policy), now=now)
    return policy


@transaction.atomic
def change(policy_id: int, draft: Draft, *, by: Actor, now: datetime) -> EscalationPolicy:
    """The next version of a policy; nothing where nothing differs. Raises CannotSave."""
    _check(draft)
    policy = EscalationPolicy.objects.select_for_update().get(pk=policy_id)
    before = picture(policy)
    with transaction.atomic():
        _write(policy, draft)
        after = picture(policy)
        old, new = changed(before, after)
        if set(new) <= {"version"}:
            transaction.set_rollback(True)
    if set(new) <= {"version"}:
        policy.refresh_from_db()
        return policy
    record(by, action="policy.change", subject=policy, before=old, after=new, now=now)
    return policy


@transaction.atomic
def archive(policy_id: int, *, by: Actor, now: datetime) -> EscalationPolicy:
    """Out of use. What it was used for falls to the team's, the default, or the built-in policy."""
    policy = EscalationPolicy.objects.select_for_update().get(pk=policy_id)
    if policy.archived_at is None:
        policy.archived_at = now
        policy.save(update_fields=["archived_at"])
        uses = [use.whom for use in policy.uses.select_related("service", "team").order_by("pk")]
        policy.uses.all().delete()
        record(by, action="policy.archive", subject=policy, before={"used for": uses}, now=now)
    return policy


@transaction.atomic
def use(
    policy: EscalationPolicy,
    *,
    service: Service | None = None,
    team: Team | None = None,
    by: Actor,
    now: datetime,
) -> PolicyUse:
    """Let this policy hold for a service, a team, or, with neither, for everything else in its origin."""
    if policy.archived_at is not None:
        raise CannotSave(f"{policy} is archived.")
    row = PolicyUse.objects.select_for_update().filter(service=service, team=team)
    found = row.filter(origin=policy.origin).first()
    before = found.policy.name if found else None
    if found and found.policy_id == policy.pk:
        return found
    made = found or PolicyUse(origin=policy.origin, service=service, team=team)
    made.policy = policy
    made.save()
    told = {"for": made.whom, "policy": policy.name}
    record(by, action="policy.use", subject=policy, before={"policy": before}, after=told, now=now)
    return made


@transaction.atomic
def stop_using(use_id: int, *, by: Actor, now: datetime) -> PolicyUse | None:
    """Twice is harmless: None where it was ended before."""
    row = PolicyUse.objects.select_for_update().filter(pk=use_id).first()
    if row is None:
        return None
    record(by, action="policy.stop_using", subject=row.policy, before={"for": row.whom}, now=now)
    row.delete()
    return row


def picture(policy: EscalationPolicy) -> dict[str, Any]:
    """The policy as the audit trail keeps it."""
    levels = policy.levels.order_by("position").prefetch_related(
        "targets__rotation", "targets__person", "targets__team", "targets__channel"
    )
    return {
        "name": policy.name,
        "team": policy.team.slug if policy.team else None,
        "repeats": policy.repeats,
        "acknowledged_minutes": policy.acknowledged_minutes,
        "version": policy.version,
        "levels": [
            {"wait_minutes": level.wait_minutes, "targets": [str(target) for target in level.targets.all()]}
            for level in levels
        ],
    }


def _check(draft: Draft) -> None:
    if not draft.levels:
        raise CannotSave("A policy needs a level: say who is told first.")
    if len(draft.levels) > MOST_LEVELS:
        raise CannotSave(f"At most {MOST_LEVELS} levels.")
    for place, level in enumerate(draft.levels, start=1):
        if not level.targets:
            raise CannotSave(f"Level {place} names nobody.")
        if len(level.targets) > MOST_TARGETS:
            raise CannotSave(f"Level {place} names more than {MOST_TARGETS}: name a team or a rotation.")
        if not 1 <= level.wait_minutes <= 1440:
            raise CannotSave(f"Level {place} waits between 1 minute and a day.")
    if not 0 <= draft.repeats <= 9:
        raise CannotSave("All levels are repeated between 0 and 9 times.")
    if not 5 <= draft.acknowledged_minutes <= 1440:
        raise CannotSave("An acknowledgement lasts between 5 minutes and a day.")


def _write(policy: EscalationPolicy, draft: Draft) -> None:
    policy.name, policy.team_id, policy.repeats = draft.name, draft.team_id, draft.repeats
    policy.acknowledged_minutes, policy.version = draft.acknowledged_minutes, policy.version + 1
    policy.save()
    policy.levels.all().delete()
    levels = EscalationLevel.objects.bulk_create(
        EscalationLevel(policy=policy, position=place, wait_minutes=level.wait_minutes)
        for place, level in enumerate(draft.levels, start=1)
    )
    LevelTarget.objects.bulk_create(
        LevelTarget(level=row, kind=kind, **{f"{kind}_id": _known(kind, pk)})
        for row, level in zip(levels, draft.levels, strict=True)
        for kind, pk in dict.fromkeys(level.targets)
    )


def _known(kind: str, pk: int) -> int:
    """The id, if there is such a thing."""
    model = MODELS.get(kind)
    if model is None or not model.objects.filter(pk=pk).exists():
        raise CannotSave("A name on a level is not there any more; choose another.")
    return pk
