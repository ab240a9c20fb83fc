"""A checklist by itself, filled in for a machine of the group that it belongs to."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from console.accounts.models import Role
from console.accounts.permissions import role_required
from console.alerts import queries
from console.alerts.models import AlertGroup
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
