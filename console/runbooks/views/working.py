"""Working a checklist: its own page, and the acts on its steps from wherever it is shown."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from console.accounts.audit import Actor
from console.accounts.models import Role
from console.accounts.permissions import role_required, signed_in
from console.lib.pages import render_region
from console.runbooks import checklist
from console.runbooks.forms import ActForm
from console.runbooks.models import Act, Execution
from console.runbooks.variables import as_values, unsealed

PAGE = "runbooks/execution_detail.html"


@require_GET
@role_required(Role.VIEWER)
def execution_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One checklist by itself, in the version it started with."""
    return render_execution(request, pk)


def render_execution(
    request: HttpRequest, pk: int, *, variables: Mapping[str, object] | None = None, **more: object
) -> HttpResponse:
    """Its page; a room above, which knows what the checklist is worked for, fills in more than the service."""
    execution = _execution(pk)
    known = variables or {"service": execution.service.slug if execution.service else ""}
    context = _context(request, execution, as_values(known)) | {"next_url": request.get_full_path()} | more
    return render_region(request, PAGE, "checklist checklist-member", context)


@require_POST
@role_required(Role.RESPONDER)
def step_act(request: HttpRequest, pk: int, step: int) -> HttpResponse:
    """Tick, untick, skip or note. Answers the checklist to htmx, and goes back to `next` otherwise."""
    form = ActForm(request.POST)
    error = "" if form.is_valid() else _first_error(form)
    if not error:
        error = _act(request, pk, step, form)
    if request.headers.get("HX-Request") != "true":
        if error:
            messages.error(request, error)
        return redirect(f"{_back(request, pk)}#checklist")
    variables = unsealed(request.POST.get("variables", ""))
    context = _context(request, _execution(pk), variables) | {"failed_step": step, "failure": error}
    return render_region(request, PAGE, "checklist", context, status=422 if error else 200)


def _act(request: HttpRequest, pk: int, step: int, form: ActForm) -> str:
    """What kept it from being done, or nothing."""
    act = Act(form.cleaned_data["act"])
    text, by, now = form.cleaned_data["text"], Actor.of(request), timezone.now()
    try:
        checklist.act_on(pk, step=step, act=act, text=text, by=by, now=now)
    except checklist.NotPossible as error:
        return str(error)
    except (Execution.DoesNotExist, checklist.NoSuchStep) as error:
        raise Http404(str(error)) from error
    return ""


def _context(request: HttpRequest, execution: Execution, variables: dict[str, str]) -> dict[str, object]:
    return {
        "execution": execution,
        "steps": checklist.state(execution),
        "variables": variables,
        "can_act": signed_in(request).may(Role.RESPONDER),
        "next_url": _back(request, execution.pk),
    }


def _execution(pk: int) -> Execution:
    return get_object_or_404(Execution.objects.select_related("version__runbook", "service"), pk=pk)


def _back(request: HttpRequest, pk: int) -> str:
    """Where the form came from, if that is a page of this console."""
    asked = request.POST.get("next", "").partition("#")[0]
    own = {request.get_host()}
    if asked and url_has_allowed_host_and_scheme(asked, own, require_https=request.is_secure()):
        return asked
    return reverse("runbooks:execution_detail", args=[pk])


def _first_error(form: ActForm) -> str:
    return next(str(error) for errors in form.errors.values() for error in errors)
