"""Which runbook a service's checklists start with."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from console.accounts.audit import Actor, record
from console.fleet.models import Service
from console.lib.origin import Origin
from console.runbooks.editing import NotPossible, newest
from console.runbooks.models import Runbook, RunbookAttachment


@transaction.atomic
def attach(runbook: Runbook, *, service: Service, by: Actor, now: datetime) -> None:
    """From now on the service's checklists start with this runbook, whichever it had before."""
    runbook = Runbook.objects.select_for_update().get(pk=runbook.pk)
    if runbook.archived_at is not None:
        raise NotPossible("The runbook is archived. Bring it back into use first.")
    if runbook.origin not in (Origin.LIVE, service.origin):
        raise NotPossible(
            f"The runbook came with {runbook.get_origin_display().lower()} data and goes with it."
        )
    if newest(runbook) is None:
        raise NotPossible("Publish a version first: checklists start with a published one.")
    known = RunbookAttachment.objects.select_for_update().filter(service=service)
    before = known.select_related("runbook").first()
    if before is not None and before.runbook_id == runbook.pk:
        return
    RunbookAttachment.objects.update_or_create(
        service=service, defaults={"runbook": runbook, "attached_at": now, "attached_by_id": by.person_id}
    )
    record(
        by,
        action="runbook.attach",
        subject=runbook,
        before={"service": service.slug, "runbook": before.runbook.slug if before else None},
        after={"service": service.slug, "runbook": runbook.slug},
        now=now,
    )


@transaction.atomic
def detach(runbook: Runbook, *, service: Service, by: Actor, now: datetime) -> None:
    """The service's checklists start with the default runbook again."""
    count, _ = RunbookAttachment.objects.filter(runbook=runbook, service=service).delete()
    if count:
        before = {"service": service.slug, "runbook": runbook.slug}
        after = {"service": service.slug, "runbook": None}
        record(by, action="runbook.detach", subject=runbook, before=before, after=after, now=now)
