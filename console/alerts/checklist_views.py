"""A checklist by itself or within a list, filled in for a machine of the group that it belongs to."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from console.accounts.audit import Actor
from console.accounts.models import Role
from console.accounts.permissions import role_required, signed_in
from console.alerts import queries
from console.alerts.models import AlertGroup
from console.lib.pages import render_region
from console.runbooks import checklist
from console.runbooks.models import Act, Execution
from console.runbooks.variables import as_values
from console.runbooks.views.working import render_execution


@require_GET
@role_required(Role.VIEWER)
def checklist_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """As on the group's page: the chosen machine, else the most urgent one, fills the variables."""
    group = AlertGroup.objects.select_related("service").filter(execution=pk).first()
    if group is None:
        return render_execution(request, pk)
    choices = queries.choices_of(group, chosen=request.GET.get("member", ""))
    variables = queries.checklist_variables(group, choices[0] if choices else None)
    return render_execution(request, pk, variables=variables, group=group, choices=choices)


@require_http_methods(["GET", "POST"])
@role_required(Role.VIEWER)
def group_checklist(request: HttpRequest, pk: int) -> HttpResponse:
    """The checklist of a group of a list, opened in place: read, ticked and unticked there.

    Without script it is the group's own page that does this.
    """
    group = get_object_or_404(AlertGroup.objects.select_related("service"), pk=pk, execution__isnull=False)
    may_act = signed_in(request).may(Role.RESPONDER)
    failure = ""
    if request.method == "POST":
        if not may_act:
            raise PermissionDenied("Only responders work checklists. Ask an administrator for the role.")
        failure = _tick(request, group)
    if request.headers.get("HX-Request") != "true":
        return redirect(f"/alerts/{pk}/#checklist")
    execution = get_object_or_404(Execution.objects.select_related("version__runbook"), alert_group=group.pk)
    choices = queries.choices_of(group)
    context = {
        "group": group,
        "execution": execution,
        "steps": checklist.state(execution),
        "variables": as_values(queries.checklist_variables(group, choices[0] if choices else None)),
        "may_act": may_act,
        "failure": failure,
    }
    return render_region(
        request, "alerts/group_checklist.html", f"group-{pk}-checklist", context, is_all_region=True
    )


def _tick(request: HttpRequest, group: AlertGroup) -> str:
    """What kept it from being done, or nothing. Skipping needs a reason, which the group's page asks for."""
    step, act = request.POST.get("step", ""), request.POST.get("act", "")
    if act not in (Act.TICK, Act.UNTICK) or not step.isdigit() or len(step) > 4:
        return "Tick or untick a step."
    try:
        checklist.act_on(
            group.execution_id or 0,
            step=int(step),
            act=Act(act),
            text="",
            by=Actor.of(request),
            now=timezone.now(),
        )
    except checklist.NotPossible as refusal:
        return str(refusal)
    except checklist.NoSuchStep as error:
        raise Http404(str(error)) from error
    return ""
