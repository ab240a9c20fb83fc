"""`/slo/servers/`: the servers that are asked for counts."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from console.accounts.audit import Actor
from console.accounts.models import Role
from console.accounts.permissions import role_required, signed_in
from console.slo import servers
from console.slo.forms import ServerForm
from console.slo.models import PrometheusServer
from console.slo.objectives import CannotSet
from console.slo.queries import server_lines


@require_http_methods(["GET", "POST"])
@role_required(Role.VIEWER)
def server_list(request: HttpRequest) -> HttpResponse:
    """Which there are, whether they answer, and the form for another."""
    if request.method == "POST":
        return server_create(request)
    return _list(request, ServerForm())


@role_required(Role.ADMIN)
def server_create(request: HttpRequest) -> HttpResponse:
    """The form on the list."""
    form = ServerForm(request.POST)
    if form.is_valid():
        try:
            row = servers.add(form.wanted, by=Actor.of(request), now=timezone.now())
        except CannotSet as error:
            form.add_error(error.field, str(error))
        else:
            messages.success(request, f"{row.name} is known now.")
            return redirect("slo:server_list")
    return _list(request, form, status=422)


@require_http_methods(["GET", "POST"])
@role_required(Role.ADMIN)
def server_edit(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(PrometheusServer, pk=pk)
    form = ServerForm(request.POST or None, initial={"name": row.name, "base_url": row.base_url})
    if request.method == "POST" and form.is_valid():
        try:
            servers.change(pk, form.wanted, by=Actor.of(request), now=timezone.now())
        except CannotSet as error:
            form.add_error(error.field, str(error))
        else:
            messages.success(request, f"{form.wanted.name} is saved.")
            return redirect("slo:server_list")
    context = {"row": row, "form": form}
    return render(request, "slo/server_edit.html", context, status=422 if form.errors else 200)


@require_POST
@role_required(Role.ADMIN)
def server_try(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(PrometheusServer, pk=pk)
    why = servers.try_out(row, now=timezone.now())
    if why:
        messages.error(request, f"{row.name} does not answer as it should. {why}")
    else:
        messages.success(request, f"{row.name} answers.")
    return redirect("slo:server_list")


@require_POST
@role_required(Role.ADMIN)
def server_remove(request: HttpRequest, pk: int) -> HttpResponse:
    try:
        servers.remove(pk, by=Actor.of(request), now=timezone.now())
    except CannotSet as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "The server is forgotten, with its key.")
    return redirect("slo:server_list")


def _list(request: HttpRequest, form: ServerForm, *, status: int = 200) -> HttpResponse:
    context = {
        "rows": server_lines(),
        "form": form,
        "may_manage": signed_in(request).may(Role.ADMIN),
        "here": "servers",
    }
    return render(request, "slo/server_list.html", context, status=status)
