"""`/services/targets/`: which rate of reclaims is asked of which machines."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from console.accounts.audit import Actor
from console.accounts.models import Role
from console.accounts.origin import chosen_origin
from console.accounts.permissions import role_required, signed_in
from console.interruptions import rate_targets
from console.interruptions.measures_m1 import RED, TARGET
from console.interruptions.models import RateTarget
from console.interruptions.rate_targets import CannotSet
from console.interruptions.target_forms import TargetForm


@require_http_methods(["GET", "POST"])
@role_required(Role.VIEWER)
def target_list(request: HttpRequest) -> HttpResponse:
    """The usual target, the classes with their own, and the form for another."""
    if request.method == "POST":
        return target_create(request)
    return _list(request, TargetForm())


@role_required(Role.MANAGER)
def target_create(request: HttpRequest) -> HttpResponse:
    """The form on the list."""
    form = TargetForm(request.POST)
    if form.is_valid():
        try:
            row = rate_targets.create(form.wanted, by=Actor.of(request), now=timezone.now())
        except CannotSet as error:
            form.add_error("type_prefix", str(error))
        else:
            messages.success(request, f"{row.label} has its own target now.")
            return redirect("interruptions:target_list")
    return _list(request, form, status=422)


@require_http_methods(["GET", "POST"])
@role_required(Role.MANAGER)
def target_edit(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(RateTarget, pk=pk)
    form = TargetForm.of(row, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            rate_targets.change(pk, form.wanted, by=Actor.of(request), now=timezone.now())
        except CannotSet as error:
            form.add_error("type_prefix", str(error))
        else:
            messages.success(request, f"{form.wanted.label} is saved.")
            return redirect("interruptions:target_list")
    context = {"row": row, "form": form}
    return render(request, "interruptions/target_edit.html", context, status=422 if form.errors else 200)


@require_POST
@role_required(Role.MANAGER)
def target_end(request: HttpRequest, pk: int) -> HttpResponse:
    row = rate_targets.end(pk, by=Actor.of(request), now=timezone.now())
    if row is not None:
        messages.success(request, f"{row.label} is judged by the usual target again.")
    return redirect("interruptions:target_list")


def _list(request: HttpRequest, form: TargetForm, *, status: int = 200) -> HttpResponse:
    context = {
        "rows": rate_targets.target_rows(origin=chosen_origin(request)),
        "form": form,
        "usual": (TARGET, RED),
        "may_manage": signed_in(request).may(Role.MANAGER),
    }
    return render(request, "interruptions/target_list.html", context, status=status)
