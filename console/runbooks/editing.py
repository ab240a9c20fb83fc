"""Writing runbooks: drafts that two people cannot overwrite unseen, and versions that never change again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count

from django.db import transaction
from django.utils.text import slugify

from console.accounts.audit import Actor, record
from console.lib.origin import Origin
from console.runbooks.models import Runbook, RunbookVersion, Step
from console.runbooks.wording import Fault, cleaned, faults, sizes_at_fault

RESERVED = {"new", "preview", "executions"}
SLUG_LENGTH = 56
BLANK: Step = {"title": "", "body": "", "is_required": True}


@dataclass(frozen=True, slots=True)
class Wording:
    """The steps that somebody wants to save, and the state of the draft that they started from.

    Revision 0 of a number means that there was no draft of it yet.
    """

    number: int
    revision: int
    steps: Sequence[Step]


class EditedMeanwhile(Exception):
    """Somebody else saved or published since; `theirs` is what stands now."""

    def __init__(self, theirs: RunbookVersion | None, *, now_at: Wording) -> None:
        super().__init__(f"The draft is at revision {now_at.revision} of version {now_at.number}.")
        self.theirs = theirs
        self.now_at = now_at


class NotPublishable(Exception):
    """What has to be mended first."""

    def __init__(self, found: Sequence[Fault]) -> None:
        super().__init__("; ".join(fault.text for fault in found))
        self.faults = list(found)


class NotPossible(Exception):
    """The runbook is not in a state in which this can be done; the text says what to do instead."""


@transaction.atomic
def create(
    name: str,
    *,
    summary: str = "",
    copy_of: Runbook | None = None,
    origin: str = Origin.LIVE,
    by: Actor,
    now: datetime,
) -> Runbook:
    """A new runbook with a first draft: one empty step, or the newest published steps of another."""
    runbook = Runbook.objects.create(
        slug=_free_slug(name), name=name, summary=summary, origin=origin, created_at=now
    )
    source = newest(copy_of) if copy_of else None
    steps = list(source.steps) if source else [BLANK]
    _new_draft(runbook, Wording(1, 0, steps), by=by, now=now)
    after = {"name": name, "copy_of": str(source) if source else None}
    record(by, action="runbook.create", subject=runbook, after=after, now=now)
    return runbook


def newest(runbook: Runbook) -> RunbookVersion | None:
    """The newest published version."""
    return runbook.versions.published().order_by("-number").first()


def draft_of(runbook: Runbook) -> RunbookVersion | None:
    return runbook.versions.drafts().select_related("saved_by").first()


def to_edit(runbook: Runbook) -> Wording:
    """What an editor begins with: the draft, or the newest published steps as the next number."""
    if draft := draft_of(runbook):
        return Wording(draft.number, draft.revision, draft.steps)
    published = newest(runbook)
    return Wording(published.number + 1, 0, published.steps) if published else Wording(1, 0, [BLANK])


@transaction.atomic
def save_draft(runbook: Runbook, wording: Wording, *, by: Actor, now: datetime) -> RunbookVersion:
    """Keep the draft. Raises `EditedMeanwhile` unless it still is what the writer started from."""
    runbook = Runbook.objects.select_for_update().get(pk=runbook.pk)
    _must_be_in_use(runbook)
    wording = Wording(wording.number, wording.revision, cleaned(wording.steps))
    if found := sizes_at_fault(wording.steps):
        raise NotPublishable(found)
    draft, stands = draft_of(runbook), to_edit(runbook)
    if (wording.number, wording.revision) != (stands.number, stands.revision):
        raise EditedMeanwhile(draft or newest(runbook), now_at=stands)
    if draft is None:
        if (published := newest(runbook)) and published.steps == wording.steps:
            raise NotPublishable([Fault(0, f"Nothing differs from version {published.number}.")])
        return _new_draft(runbook, wording, by=by, now=now)
    if draft.steps != wording.steps:
        draft.steps, draft.revision = list(wording.steps), draft.revision + 1
        draft.saved_by_id, draft.saved_at = by.person_id, now
        draft.save(update_fields=["steps", "revision", "saved_by", "saved_at"])
        _record_draft(draft, by=by, now=now)
    return draft


def _new_draft(runbook: Runbook, wording: Wording, *, by: Actor, now: datetime) -> RunbookVersion:
    draft = RunbookVersion.objects.create(
        runbook=runbook,
        number=wording.number,
        steps=list(wording.steps),
        created_by_id=by.person_id,
        created_at=now,
        saved_by_id=by.person_id,
        saved_at=now,
    )
    _record_draft(draft, by=by, now=now)
    return draft


def _record_draft(draft: RunbookVersion, *, by: Actor, now: datetime) -> None:
    after = {"version": draft.number, "revision": draft.revision, "steps": len(draft.steps)}
    record(by, action="runbook.draft", subject=draft.runbook, after=after, now=now)


@transaction.atomic
def publish(
    runbook: Runbook, wording: Wording, *, change_note: str, by: Actor, now: datetime
) -> RunbookVersion:
    """Save and freeze. From now on checklists start with this version; running ones keep theirs."""
    before = newest(runbook)
    draft = save_draft(runbook, wording, by=by, now=now)
    found = faults(draft.steps)
    if before and before.steps == draft.steps:
        found.append(Fault(0, f"Nothing differs from version {before.number}."))
    if not change_note.strip():
        found.append(Fault(0, "Say in a sentence what changed."))
    if found:
        raise NotPublishable(found)
    draft.change_note = change_note.strip()
    draft.published_at, draft.published_by_id = now, by.person_id
    draft.save(update_fields=["change_note", "published_at", "published_by"])
    record(
        by,
        action="runbook.publish",
        subject=draft.runbook,
        before={"version": before.number if before else None},
        after={"version": draft.number, "change_note": draft.change_note},
        now=now,
    )
    return draft


@transaction.atomic
def discard_draft(runbook: Runbook, *, by: Actor, now: datetime) -> None:
    """Throw the draft away. A runbook that was never published goes with it."""
    runbook = Runbook.objects.select_for_update().get(pk=runbook.pk)
    draft = draft_of(runbook)
    if draft is None:
        return
    before = {"version": draft.number, "revision": draft.revision, "steps": len(draft.steps)}
    record(by, action="runbook.discard", subject=runbook, before=before, now=now)
    draft.delete()
    if newest(runbook) is None:
        runbook.delete()


@transaction.atomic
def rename(runbook: Runbook, *, name: str, summary: str, by: Actor, now: datetime) -> None:
    """Name and summary are of the runbook, not of a version. Its address stays."""
    runbook = Runbook.objects.select_for_update().get(pk=runbook.pk)
    before = {"name": runbook.name, "summary": runbook.summary}
    after = {"name": name, "summary": summary}
    if before == after:
        return
    runbook.name, runbook.summary = name, summary
    runbook.save(update_fields=["name", "summary"])
    record(by, action="runbook.rename", subject=runbook, before=before, after=after, now=now)


@transaction.atomic
def archive(runbook: Runbook, *, by: Actor, now: datetime) -> None:
    """Take it out of use. Its services start with the default from now on; what was worked stays readable."""
    runbook = Runbook.objects.select_for_update().get(pk=runbook.pk)
    if runbook.is_default:
        raise NotPossible("This is the default runbook. Make another one the default first.")
    if runbook.archived_at is not None:
        return
    services = list(runbook.attachments.order_by("service__slug").values_list("service__slug", flat=True))
    runbook.attachments.all().delete()
    runbook.archived_at = now
    runbook.save(update_fields=["archived_at"])
    record(by, action="runbook.archive", subject=runbook, before={"services": services}, now=now)


@transaction.atomic
def unarchive(runbook: Runbook, *, by: Actor, now: datetime) -> None:
    """Bring it back into use, attached to no service."""
    runbook = Runbook.objects.select_for_update().get(pk=runbook.pk)
    if runbook.archived_at is None:
        return
    runbook.archived_at = None
    runbook.save(update_fields=["archived_at"])
    record(by, action="runbook.unarchive", subject=runbook, now=now)


@transaction.atomic
def make_default(runbook: Runbook, *, by: Actor, now: datetime) -> None:
    """Services without a runbook of their own start with this one from now on."""
    both = Runbook.objects.select_for_update().order_by("pk")
    locked = {row.pk: row for row in both.filter(pk=runbook.pk) | both.filter(is_default=True)}
    runbook = locked.pop(runbook.pk)
    _must_be_in_use(runbook)
    if runbook.is_default:
        return
    if newest(runbook) is None:
        raise NotPossible("Publish a version first: checklists start with a published one.")
    before = {"default": next((row.slug for row in locked.values()), None)}
    Runbook.objects.filter(pk__in=locked).update(is_default=False)
    runbook.is_default = True
    runbook.save(update_fields=["is_default"])
    record(
        by, action="runbook.default", subject=runbook, before=before, after={"default": runbook.slug}, now=now
    )


def _must_be_in_use(runbook: Runbook) -> None:
    if runbook.archived_at is not None:
        raise NotPossible("The runbook is archived. Bring it back into use first.")


def _free_slug(name: str) -> str:
    stem = slugify(name)[:SLUG_LENGTH].strip("-") or "runbook"
    taken = RESERVED | set(Runbook.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
    return next(slug for n in count(1) if (slug := stem if n == 1 else f"{stem}-{n}") not in taken)
