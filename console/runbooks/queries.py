"""What the runbook pages show, each page in a constant number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max

from console.fleet.models import Service
from console.lib.origin import Origin
from console.runbooks.checklist import Progress, progress
from console.runbooks.models import (
    Execution,
    ExecutionQuerySet,
    Runbook,
    RunbookAttachment,
    RunbookVersion,
)

MOST_EXECUTIONS = 20


@dataclass(frozen=True, slots=True)
class RunbookRow:
    """A runbook in the list."""

    runbook: Runbook
    newest: RunbookVersion | None
    draft: RunbookVersion | None
    services: Sequence[Service]
    used_count: int
    last_used_at: datetime | None


def runbook_rows(*, origin: Origin) -> list[RunbookRow]:
    """Runbooks, the default first, archived ones last. Use and services are of one data origin."""
    versions = RunbookVersion.objects.defer("steps")
    published = versions.published().order_by("runbook_id", "-number").distinct("runbook_id")
    newest = {row.runbook_id: row for row in published.select_related("published_by")}
    drafts = {row.runbook_id: row for row in versions.drafts().select_related("saved_by")}
    services: dict[int, list[Service]] = defaultdict(list)
    attachments = RunbookAttachment.objects.filter(service__origin=origin).select_related("service")
    for attachment in attachments.order_by("service__name", "pk"):
        services[attachment.runbook_id].append(attachment.service)
    used = Execution.objects.of_origin(origin).values("version__runbook").order_by()
    uses = {row["version__runbook"]: row for row in used.annotate(count=Count("pk"), last=Max("started_at"))}
    found = [
        RunbookRow(
            runbook=runbook,
            newest=newest.get(runbook.pk),
            draft=drafts.get(runbook.pk),
            services=services[runbook.pk],
            used_count=uses[runbook.pk]["count"] if runbook.pk in uses else 0,
            last_used_at=uses[runbook.pk]["last"] if runbook.pk in uses else None,
        )
        for runbook in Runbook.objects.shown_with(origin).order_by("name", "pk")
    ]
    return sorted(found, key=lambda row: (row.runbook.archived_at is not None, not row.runbook.is_default))


@dataclass(frozen=True, slots=True)
class ExecutionRow:
    """A checklist in the list of those that used a runbook."""

    execution: Execution
    progress: Progress


@dataclass(frozen=True, slots=True)
class RunbookPage:
    """One runbook: its wording, its history, its services, its use."""

    runbook: Runbook
    shown: RunbookVersion | None
    newest: RunbookVersion | None
    draft: RunbookVersion | None
    versions: Sequence[RunbookVersion]
    """Published ones, newest first."""
    attachments: Sequence[RunbookAttachment]
    executions: Sequence[ExecutionRow]
    used_count: int

    @property
    def is_newest_shown(self) -> bool:
        return self.shown is not None and self.shown == self.newest

    @property
    def before_draft(self) -> int:
        """The number that the draft is compared with."""
        return self.newest.number if self.newest else 0


def runbook_page(runbook: Runbook, *, number: int | None, origin: Origin) -> RunbookPage:
    """Showing version `number`, else the newest published one, else the draft."""
    related = ("published_by", "saved_by")
    rows = list(runbook.versions.select_related(*related).order_by("-number"))
    published = [row for row in rows if row.is_published]
    draft = next((row for row in rows if not row.is_published), None)
    newest = published[0] if published else None
    asked = next((row for row in rows if row.number == number), None)
    attachments = runbook.attachments.filter(service__origin=origin).select_related("service", "attached_by")
    used = Execution.objects.of_origin(origin).filter(version__runbook=runbook)
    return RunbookPage(
        runbook=runbook,
        shown=asked or newest or draft,
        newest=newest,
        draft=draft,
        versions=published,
        attachments=list(attachments.order_by("service__name", "pk")),
        executions=_with_progress(list(_newest_first(used)[:MOST_EXECUTIONS])),
        used_count=used.count(),
    )


def _newest_first(executions: ExecutionQuerySet) -> ExecutionQuerySet:
    related = executions.select_related("version__runbook", "service").defer("version__steps")
    return related.order_by("-started_at", "-pk")


def _with_progress(executions: Sequence[Execution]) -> list[ExecutionRow]:
    found = progress(execution.pk for execution in executions)
    return [ExecutionRow(execution, found[execution.pk]) for execution in executions]


def attachable_services(runbook: Runbook, *, origin: Origin) -> list[Service]:
    """Services in use that do not start with this runbook yet, with the one they have."""
    services = Service.objects.filter(origin=origin, archived_at=None).exclude(
        runbook_attachment__runbook=runbook
    )
    return list(services.select_related("runbook_attachment__runbook").order_by("name", "pk"))
