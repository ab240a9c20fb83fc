"""Changing the attribution rules. Every change re-attributes what is stored, in the same transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Max

from console.accounts.audit import Actor, record
from console.fleet.models import AttributionRule, Service
from console.fleet.reattribution import Moved, reattribute

CONDITION_FIELDS = ("provider", "account", "region", "namespace", "node_pool")


class BadRule(ValueError):
    """The rule cannot be kept; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A rule as a person or a program writes it."""

    service: str
    provider: str = ""
    account: str = ""
    region: str = ""
    namespace: str = ""
    node_pool: str = ""
    tags: dict[str, str] = field(default_factory=dict)

    def conditions(self) -> dict[str, Any]:
        conditions = asdict(self)
        del conditions["service"]
        return conditions


def picture(rule: AttributionRule) -> dict[str, Any]:
    """A rule as the audit trail shows it: where it stands, and only what it asks."""
    asked = {name: value for name in (*CONDITION_FIELDS, "tags") if (value := getattr(rule, name))}
    return {"position": rule.position, "service": rule.service.slug, **asked}


def _find_service(draft: Draft, origin: str) -> Service:
    if not any(draft.conditions().values()):
        raise BadRule("Name at least one condition: a rule without any would take every machine.")
    service = Service.objects.filter(origin=origin, slug=draft.service, archived_at=None).first()
    if service is None:
        raise BadRule(f"There is no service {draft.service}.")
    return service


def _hold(origin: str) -> None:
    """One change of an origin's rules at a time: positions are moved together."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"attribution rules {origin}"])


@transaction.atomic
def add_rule(
    draft: Draft, *, origin: str, actor: Actor, now: datetime
) -> tuple[AttributionRule, list[Moved]]:
    """Put a rule behind all others."""
    _hold(origin)
    service = _find_service(draft, origin)
    last = AttributionRule.objects.filter(origin=origin).aggregate(last=Max("position"))["last"] or 0
    rule = AttributionRule.objects.create(
        origin=origin, position=last + 1, service=service, **draft.conditions()
    )
    record(actor, action="attribution-rule.create", subject=rule, after=picture(rule), now=now)
    return rule, reattribute(origin, now=now)


@transaction.atomic
def change_rule(rule: AttributionRule, draft: Draft, *, actor: Actor, now: datetime) -> list[Moved]:
    """Let a rule ask something else, or give its machines to another service."""
    _hold(rule.origin)
    before = picture(rule)
    rule.service = _find_service(draft, rule.origin)
    for name, value in draft.conditions().items():
        setattr(rule, name, value)
    rule.save()
    record(actor, action="attribution-rule.update", subject=rule, before=before, after=picture(rule), now=now)
    return reattribute(rule.origin, now=now)


@transaction.atomic
def delete_rule(rule: AttributionRule, *, actor: Actor, now: datetime) -> list[Moved]:
    """Remove a rule; those behind it move up."""
    _hold(rule.origin)
    record(actor, action="attribution-rule.delete", subject=rule, before=picture(rule), now=now)
    rule.delete()
    behind = AttributionRule.objects.filter(origin=rule.origin, position__gt=rule.position)
    behind.update(position=F("position") - 1)
    return reattribute(rule.origin, now=now)


@transaction.atomic
def move_rule(rule: AttributionRule, *, is_up: bool, actor: Actor, now: datetime) -> list[Moved]:
    """Swap a rule with its neighbour; at the end of the list nothing happens."""
    _hold(rule.origin)
    rule.refresh_from_db(fields=["position"])
    others = AttributionRule.objects.filter(origin=rule.origin)
    if is_up:
        neighbour = others.filter(position__lt=rule.position).order_by("-position").first()
    else:
        neighbour = others.filter(position__gt=rule.position).order_by("position").first()
    if neighbour is None:
        return []
    before = picture(rule)
    rule.position, neighbour.position = neighbour.position, rule.position
    rule.save(update_fields=["position"])
    neighbour.save(update_fields=["position"])
    record(actor, action="attribution-rule.move", subject=rule, before=before, after=picture(rule), now=now)
    return reattribute(rule.origin, now=now)


@transaction.atomic
def replace_rules(drafts: Sequence[Draft], *, origin: str, actor: Actor, now: datetime) -> list[Moved]:
    """Put a whole ordered list in place of the one there is."""
    _hold(origin)
    held = AttributionRule.objects.filter(origin=origin).select_related("service").order_by("position")
    before = [picture(rule) for rule in held]
    rules = []
    for place, draft in enumerate(drafts, start=1):
        try:
            service = _find_service(draft, origin)
        except BadRule as error:
            raise BadRule(f"Rule {place}: {error}") from error
        rules.append(AttributionRule(origin=origin, position=place, service=service, **draft.conditions()))
    after = [picture(rule) for rule in rules]
    if before == after:
        return []
    AttributionRule.objects.filter(origin=origin).delete()
    AttributionRule.objects.bulk_create(rules)
    record(
        actor,
        action="attribution-rule.replace",
        subject_kind="attribution-rule",
        subject_label=f"{len(rules)} rules of {origin}",
        before={"rules": before},
        after={"rules": after},
        now=now,
    )
    return reattribute(origin, now=now)


def would_move(change: Callable[[], list[Moved]]) -> list[Moved]:
    """What a change would move: it is made, looked at, and taken back."""
    with transaction.atomic():
        moved = change()
        transaction.set_rollback(True)
    return moved
