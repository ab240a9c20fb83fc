"""Runbooks, their versions and checklists for programs."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from django.db.models import OuterRef, Subquery
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Field, Query, Router, Schema

from console.accounts.api_auth import TokenAuth
from console.accounts.audit import Actor
from console.accounts.models import Scope
from console.lib.cursor import Listing, Paging, list_rows
from console.lib.problems import Problem
from console.runbooks import checklist
from console.runbooks.editing import newest
from console.runbooks.models import Act, Execution, Runbook, RunbookAttachment, RunbookVersion

router = Router(tags=["runbooks"])
READ = TokenAuth(Scope.READ)


class RunbookOut(Schema):
    """A runbook. `version` is the newest published one, null while there is none."""

    slug: str
    name: str
    summary: str
    is_default: bool
    version: int | None
    draft: int | None
    services: list[str]
    created_at: datetime
    archived_at: datetime | None


class StepOut(Schema):
    """One step. `body` is Markdown with its variables as they were written."""

    number: int
    title: str
    body: str
    is_required: bool


class VersionOut(Schema):
    """One published version: frozen."""

    number: int
    change_note: str
    steps: list[StepOut]
    published_at: datetime
    published_by: str | None


class RunbookWithSteps(RunbookOut):
    steps: list[StepOut]


class MarkOut(Schema):
    """What somebody did with a step."""

    act: Act
    text: str
    by: str
    at: datetime


class WorkedStepOut(StepOut):
    """A step of a checklist with its state and everything done with it, oldest first."""

    state: str
    marks: list[MarkOut]


class ExecutionOut(Schema):
    """A checklist, frozen to the version it started with."""

    id: int
    runbook: str
    version: int
    service: str | None
    started_at: datetime
    finished_at: datetime | None
    done: int
    skipped: int
    total: int


class ExecutionWithSteps(ExecutionOut):
    steps: list[WorkedStepOut]


class ActIn(Schema):
    """`skip` needs its reason as `text`, `note` what it says."""

    act: Literal["tick", "untick", "skip", "note"]
    text: str = Field("", max_length=checklist.NOTE_LENGTH)


class RunbookQuery(Schema):
    """Filters; all that are given must hold."""

    service: str = Field("", description="Slug of a service that it is attached to.")
    archived: bool | None = Field(None, description="Only archived, or only other ones; both if left out.")


@router.get("/runbooks", auth=READ, response=Listing[RunbookOut])
def runbook_list(
    request: HttpRequest, wanted: Query[RunbookQuery], paging: Query[Paging]
) -> dict[str, Any] | StreamingHttpResponse:
    """Every runbook, archived ones too. `services` are those of the token's data origin."""
    runbooks = _runbooks().shown_with(_origin(request))
    if wanted.service:
        attached = RunbookAttachment.objects.filter(
            service__origin=_origin(request), service__slug=wanted.service
        )
        runbooks = runbooks.filter(pk__in=attached.values("runbook"))
    if wanted.archived is not None:
        runbooks = runbooks.filter(archived_at__isnull=not wanted.archived)
    return list_rows(
        request,
        queryset=runbooks,
        order=["slug", "pk"],
        paging=paging,
        row=RunbookOut,
        shape=lambda rows: [RunbookOut(**_shaped(row, origin=_origin(request))) for row in rows],
    )


@router.get("/runbooks/{slug}", auth=READ, response=RunbookWithSteps)
def runbook_detail(request: HttpRequest, slug: str) -> dict[str, Any]:
    """One runbook with the steps of its newest published version."""
    runbook = get_object_or_404(_runbooks(), slug=slug)
    version = newest(runbook)
    steps = _steps(version) if version else []
    return _shaped(runbook, origin=_origin(request)) | {"steps": steps}


@router.get("/runbooks/{slug}/versions", auth=READ, response=Listing[VersionOut])
def version_list(
    request: HttpRequest, slug: str, paging: Query[Paging]
) -> dict[str, Any] | StreamingHttpResponse:
    """Published versions, newest first."""
    runbook = get_object_or_404(Runbook, slug=slug)
    versions = RunbookVersion.objects.published().filter(runbook=runbook).select_related("published_by")
    return list_rows(
        request,
        queryset=versions,
        order=["-number"],
        paging=paging,
        row=VersionOut,
        shape=lambda rows: [VersionOut(**_version(row)) for row in rows],
    )


@router.get("/runbooks/{slug}/versions/{int:number}", auth=READ, response=VersionOut)
def version_detail(request: HttpRequest, slug: str, number: int) -> dict[str, Any]:
    """One published version."""
    published = RunbookVersion.objects.published().select_related("published_by")
    return _version(get_object_or_404(published, runbook__slug=slug, number=number))


class ExecutionQuery(Schema):
    """Filters; all that are given must hold."""

    runbook: str = Field("", description="Slug of a runbook.")
    service: str = Field("", description="Slug of a service.")
    is_finished: bool | None = Field(None, description="Only finished, or only unfinished ones.")


@router.get("/executions", auth=READ, response=Listing[ExecutionOut])
def execution_list(
    request: HttpRequest, wanted: Query[ExecutionQuery], paging: Query[Paging]
) -> dict[str, Any] | StreamingHttpResponse:
    """Checklists, newest first."""
    executions = _executions(request).defer("version__steps")
    if wanted.runbook:
        executions = executions.filter(version__runbook__slug=wanted.runbook)
    if wanted.service:
        executions = executions.filter(service__slug=wanted.service)
    if wanted.is_finished is not None:
        executions = executions.filter(finished_at__isnull=not wanted.is_finished)
    order = ["-started_at", "-pk"]
    return list_rows(
        request, queryset=executions, order=order, paging=paging, row=ExecutionOut, shape=_execution_items
    )


@router.get("/executions/{int:pk}", auth=READ, response=ExecutionWithSteps)
def execution_detail(request: HttpRequest, pk: int) -> dict[str, Any]:
    """One checklist with the state of its steps and every mark."""
    return _worked(get_object_or_404(_executions(request), pk=pk))


@router.post("/executions/{int:pk}/steps/{int:step}", auth=TokenAuth(Scope.ACT), response=ExecutionWithSteps)
def step_act(request: HttpRequest, pk: int, step: int, wish: ActIn) -> dict[str, Any]:
    """Tick, untick, skip or note. Doing the same twice changes nothing."""
    execution = get_object_or_404(_executions(request), pk=pk)
    by, now = Actor.of(request), timezone.now()
    try:
        checklist.act_on(execution.pk, step=step, act=Act(wish.act), text=wish.text, by=by, now=now)
    except checklist.NoSuchStep as error:
        raise Http404(str(error)) from error
    except checklist.NotPossible as error:
        raise Problem(422, code="invalid", detail=str(error)) from error
    execution.refresh_from_db(fields=["finished_at"])
    return _worked(execution)


def _origin(request: HttpRequest) -> str:
    return str(request.auth.origin)  # type: ignore[attr-defined]


def _runbooks() -> Any:
    versions = RunbookVersion.objects.filter(runbook=OuterRef("pk")).order_by("-number")
    return Runbook.objects.annotate(
        version=Subquery(versions.published().values("number")[:1]),
        draft=Subquery(versions.drafts().values("number")[:1]),
    ).prefetch_related("attachments__service")


def _executions(request: HttpRequest) -> Any:
    return Execution.objects.of_origin(_origin(request)).select_related("version__runbook", "service")


def _shaped(runbook: Any, *, origin: str) -> dict[str, Any]:
    services = [row.service for row in runbook.attachments.all() if row.service.origin == origin]
    names = ("slug", "name", "summary", "is_default", "version", "draft", "created_at", "archived_at")
    return {name: getattr(runbook, name) for name in names} | {
        "services": sorted(service.slug for service in services)
    }


def _steps(version: RunbookVersion) -> list[dict[str, Any]]:
    return [{"number": number, **step} for number, step in enumerate(version.steps, 1)]


def _version(version: RunbookVersion) -> dict[str, Any]:
    return {
        "number": version.number,
        "change_note": version.change_note,
        "steps": _steps(version),
        "published_at": version.published_at,
        "published_by": str(version.published_by) if version.published_by else None,
    }


def _execution_items(executions: list[Execution]) -> list[ExecutionOut]:
    found = checklist.progress(execution.pk for execution in executions)
    return [ExecutionOut(**_execution(row, found[row.pk])) for row in executions]


def _execution(execution: Execution, progress: checklist.Progress) -> dict[str, Any]:
    return {
        "id": execution.pk,
        "runbook": execution.version.runbook.slug,
        "version": execution.version.number,
        "service": execution.service.slug if execution.service else None,
        "started_at": execution.started_at,
        "finished_at": execution.finished_at,
        **progress._asdict(),
    }


def _worked(execution: Execution) -> dict[str, Any]:
    found = checklist.progress([execution.pk])[execution.pk]
    steps = [
        {
            "number": step.number,
            "title": step.title,
            "body": step.body,
            "is_required": step.is_required,
            "state": step.state,
            "marks": [
                {"act": mark.act, "text": mark.note, "by": mark.who, "at": mark.at} for mark in step.marks
            ],
        }
        for step in checklist.state(execution)
    ]
    return _execution(execution, found) | {"steps": steps}
