"""What managers do with a runbook as a whole: rename, archive, make it the default, attach services."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from console.accounts.audit import Actor
from console.accounts.models import Role
from console.accounts.permissions import role_required
from console.fleet.models import Service
from console.runbooks import attaching, editing
from console.runbooks.editing import NotPossible
from console.runbooks.forms import NameForm
from console.runbooks.models import Runbook

Verb = Callable[[Runbook, Actor, datetime], str]


def _do(request: HttpRequest, slug: str, verb: Verb) -> HttpResponse:
    """Run one act, say what came of it, and go back to the runbook."""
    runbook = get_object_or_404(Runbook, slug=slug)
    try:
        messages.success(request, verb(runbook, Actor.of(request), timezone.now()))
    except NotPossible as error:
        messages.error(request, str(error))
    return redirect("runbooks:runbook_detail", slug)


@require_POST
@role_required(Role.MANAGER)
def runbook_rename(request: HttpRequest, slug: str) -> HttpResponse:
    def verb(runbook: Runbook, by: Actor, now: datetime) -> str:
        form = NameForm(request.POST)
        if not form.is_valid():
            raise NotPossible("A name of at most 120 characters is needed; the summary may have 300.")
        editing.rename(runbook, **form.cleaned_data, by=by, now=now)
        return "Name and summary are saved."

    return _do(request, slug, verb)


@require_POST
@role_required(Role.MANAGER)
def runbook_archive(request: HttpRequest, slug: str) -> HttpResponse:
    def verb(runbook: Runbook, by: Actor, now: datetime) -> str:
        editing.archive(runbook, by=by, now=now)
        return f"{runbook.name} is archived. Its services start with the default from now on."

    return _do(request, slug, verb)


@require_POST
@role_required(Role.MANAGER)
def runbook_unarchive(request: HttpRequest, slug: str) -> HttpResponse:
    def verb(runbook: Runbook, by: Actor, now: datetime) -> str:
        editing.unarchive(runbook, by=by, now=now)
        return f"{runbook.name} is in use again. Attach the services it is for."

    return _do(request, slug, verb)


@require_POST
@role_required(Role.MANAGER)
def runbook_make_default(request: HttpRequest, slug: str) -> HttpResponse:
    def verb(runbook: Runbook, by: Actor, now: datetime) -> str:
        editing.make_default(runbook, by=by, now=now)
        return f"{runbook.name} is the default: services without a runbook start with it."

    return _do(request, slug, verb)


@require_POST
@role_required(Role.MANAGER)
def service_attach(request: HttpRequest, slug: str) -> HttpResponse:
    asked = request.POST.get("service", "")
    service = get_object_or_404(Service, pk=int(asked) if asked.isdecimal() else 0)

    def verb(runbook: Runbook, by: Actor, now: datetime) -> str:
        attaching.attach(runbook, service=service, by=by, now=now)
        return f"Checklists of {service.name} start with {runbook.name} from now on."

    return _do(request, slug, verb)


@require_POST
@role_required(Role.MANAGER)
def service_detach(request: HttpRequest, slug: str, service_id: int) -> HttpResponse:
    service = get_object_or_404(Service, pk=service_id)

    def verb(runbook: Runbook, by: Actor, now: datetime) -> str:
        attaching.detach(runbook, service=service, by=by, now=now)
        return f"Checklists of {service.name} start with the default from now on."

    return _do(request, slug, verb)
