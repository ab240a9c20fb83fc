"""Writing rules: drafts that two people cannot overwrite unseen, and versions that never change again."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from django.db import transaction
from django.utils.text import slugify

from console.accounts.audit import Actor, changed, record
from console.alerts.models import Rule, RuleVersion, Severity
from console.alerts.registry import known
from console.alerts.rule_checking import faults

RESERVED = frozenset({"service", "wave", "new", "replays", "rule_error", "pipeline_stopped", "set_aside"})
"""Beginnings of keys that are no rule's, and pages of their own."""
SLUG_LENGTH = 56


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """What somebody wants a rule to say."""

    is_enabled: bool = True
    scope: dict[str, str] = field(default_factory=dict)
    thresholds: dict[str, float] = field(default_factory=dict)
    table: dict[str, dict[str, str]] = field(default_factory=dict)
    severity: Severity = Severity.WARNING
    evaluations: int = 2
    resolve_after: timedelta = timedelta(minutes=15)
    cooldown: timedelta = timedelta(minutes=30)
    group_by: str = "service"

    @classmethod
    def of(cls, version: RuleVersion) -> Wording:
        return cls(**{name: getattr(version, name) for name in cls.__dataclass_fields__})

    def put(self, version: RuleVersion) -> None:
        for name in self.__dataclass_fields__:
            setattr(version, name, getattr(self, name))


class EditedMeanwhile(Exception):
    """Somebody else saved or published since the form was opened."""


class NotPublishable(Exception):
    """What has to be mended first."""

    def __init__(self, found: list[str]) -> None:
        super().__init__(" ".join(found))
        self.faults = found


@transaction.atomic
def create(name: str, *, detector: str, by: Actor, now: datetime) -> Rule:
    """Another rule of a detector, with a first draft that has its defaults."""
    found = known()[detector]
    rule = Rule.objects.create(slug=_free_slug(name), name=name, detector=detector, created_at=now)
    wording = Wording(
        thresholds=found.defaults,
        table=found.table,
        severity=found.severity,
        evaluations=found.evaluations,
        group_by=found.groupings[0],
    )
    _new_draft(rule, wording, number=1, by=by, now=now)
    record(by, action="rule.create", subject=rule, after={"name": name, "detector": detector}, now=now)
    return rule


def newest(rule: Rule) -> RuleVersion | None:
    """The version in force."""
    return rule.versions.published().order_by("-number").first()


def draft_of(rule: Rule) -> RuleVersion | None:
    return rule.versions.drafts().select_related("saved_by").first()


def revision_of(rule: Rule) -> str:
    """What a form says that it started from: `version.revision`; revision 0 where there is no draft."""
    if draft := draft_of(rule):
        return f"{draft.number}.{draft.revision}"
    published = newest(rule)
    return f"{published.number + 1 if published else 1}.0"


@transaction.atomic
def save_draft(rule: Rule, wording: Wording, *, started_from: str, by: Actor, now: datetime) -> RuleVersion:
    """Keep the draft. Raises `EditedMeanwhile` unless it still is what the writer started from."""
    rule = Rule.objects.select_for_update().get(pk=rule.pk)
    stands = revision_of(rule)
    if started_from != stands:
        raise EditedMeanwhile("Somebody saved or published this rule meanwhile. Look at it and save again.")
    draft = draft_of(rule)
    if draft is None:
        return _new_draft(rule, wording, number=int(stands.partition(".")[0]), by=by, now=now)
    before = draft.wording()
    wording.put(draft)
    if draft.wording() != before:
        draft.revision += 1
        draft.saved_by_id, draft.saved_at = by.person_id, now
        draft.save()
        _record("rule.draft", draft, before, by=by, now=now)
    return draft


@transaction.atomic
def publish(
    rule: Rule, wording: Wording, *, started_from: str, change_note: str, by: Actor, now: datetime
) -> RuleVersion:
    """Save and freeze. From the next decision on it is what counts; receipts keep naming the one before."""
    before = newest(rule)
    draft = save_draft(rule, wording, started_from=started_from, by=by, now=now)
    found = faults(draft)
    if before and before.wording() == draft.wording():
        found.append(f"Nothing differs from version {before.number}.")
    if not change_note.strip():
        found.append("Say in a sentence what changed.")
    if found:
        raise NotPublishable(found)
    draft.change_note = change_note.strip()[:300]
    draft.published_at, draft.published_by_id = now, by.person_id
    draft.save()
    _record("rule.publish", draft, before.wording() if before else None, by=by, now=now)
    return draft


@transaction.atomic
def discard_draft(rule: Rule, *, by: Actor, now: datetime) -> bool:
    """Throw the draft away; true where the rule, which was never published, went with it."""
    rule = Rule.objects.select_for_update().get(pk=rule.pk)
    draft = draft_of(rule)
    if draft is None:
        return False
    record(by, action="rule.discard", subject=rule, before={"version": draft.number}, now=now)
    draft.delete()
    if newest(rule) is None:
        rule.delete()
        return True
    return False


@transaction.atomic
def describe(
    rule: Rule, *, name: str, team_id: int | None, runbook_id: int | None, by: Actor, now: datetime
) -> None:
    """Name, owner and runbook are of the rule, not of a version."""
    rule = Rule.objects.select_for_update().get(pk=rule.pk)
    before = {"name": rule.name, "team": rule.team_id, "runbook": rule.runbook_id}
    after = {"name": name, "team": team_id, "runbook": runbook_id}
    if before == after:
        return
    rule.name, rule.team_id, rule.runbook_id = name, team_id, runbook_id
    rule.save(update_fields=["name", "team", "runbook"])
    old, new = changed(before, after)
    record(by, action="rule.describe", subject=rule, before=old, after=new, now=now)


def _new_draft(rule: Rule, wording: Wording, *, number: int, by: Actor, now: datetime) -> RuleVersion:
    draft = RuleVersion(rule=rule, number=number, created_by_id=by.person_id, created_at=now)
    wording.put(draft)
    draft.saved_by_id, draft.saved_at = by.person_id, now
    draft.save()
    before = newest(rule)
    _record("rule.draft", draft, before.wording() if before else None, by=by, now=now)
    return draft


def _record(
    action: str, draft: RuleVersion, before: dict[str, Any] | None, *, by: Actor, now: datetime
) -> None:
    after = draft.wording()
    old, new = (None, after) if before is None else changed(before, after)
    record(
        by,
        action=action,
        subject=draft.rule,
        before=old,
        after=new | {"version": draft.number},
        now=now,
    )


def _free_slug(name: str) -> str:
    stem = slugify(name)[:SLUG_LENGTH].strip("-") or "rule"
    taken = RESERVED | set(Rule.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
    return next(slug for n in count(1) if (slug := stem if n == 1 else f"{stem}-{n}") not in taken)
