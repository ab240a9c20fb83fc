"""Attribution rules: their order, changing them, and the tester."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from console.accounts.audit import Actor
from console.accounts.models import Role
from console.accounts.origin import chosen_origin
from console.accounts.permissions import role_required
from console.fleet.forms import RuleForm, TesterForm
from console.fleet.models import AttributionRule
from console.fleet.reattribution import Moved
from console.fleet.rule_changes import (
    CONDITION_FIELDS,
    BadRule,
    add_rule,
    change_rule,
    delete_rule,
    move_rule,
    would_move,
)
from console.fleet.rule_tester import try_rules
from console.fleet.service_page import may_manage


@require_http_methods(["GET", "POST"])
@role_required(Role.VIEWER)
def rule_list(request: HttpRequest) -> HttpResponseBase:
    if request.method == "POST":
        return rule_add(request)
    return _list(request, RuleForm(origin=chosen_origin(request)))


@role_required(Role.MANAGER)
def rule_add(request: HttpRequest) -> HttpResponse:
    """The form on the list of rules: look first, then add."""
    origin, now, actor = chosen_origin(request), timezone.now(), Actor.of(request)
    form = RuleForm(request.POST, origin=origin)
    if not form.is_valid():
        return _list(request, form, status=422)
    try:
        if "preview" in request.POST:
            moved = would_move(lambda: add_rule(form.draft(), origin=origin, actor=actor, now=now)[1])
            return _list(request, form, preview=_would(moved))
        _, moved = add_rule(form.draft(), origin=origin, actor=actor, now=now)
    except BadRule as error:
        form.add_error(None, str(error))
        return _list(request, form, status=422)
    messages.success(request, f"The rule is added. {_did(moved)}")
    return redirect("fleet:rule_list")


@require_http_methods(["GET", "POST"])
@role_required(Role.MANAGER)
def rule_edit(request: HttpRequest, pk: int) -> HttpResponse:
    rule, now, actor = _rule(request, pk), timezone.now(), Actor.of(request)
    initial = {name: getattr(rule, name) for name in (*CONDITION_FIELDS, "tags")}
    initial["service"] = rule.service.slug
    form = RuleForm(request.POST or None, origin=rule.origin, initial=initial)
    context: dict[str, Any] = {"form": form, "rule": rule}
    if request.method == "POST" and form.is_valid():
        try:
            if "preview" not in request.POST:
                moved = change_rule(rule, form.draft(), actor=actor, now=now)
                messages.success(request, f"Rule {rule.position} is saved. {_did(moved)}")
                return redirect("fleet:rule_list")
            moved = would_move(lambda: change_rule(rule, form.draft(), actor=actor, now=now))
            context["preview"] = _would(moved)
        except BadRule as error:
            form.add_error(None, str(error))
    return render(request, "fleet/rule_form.html", context, status=422 if form.errors else 200)


@require_POST
@role_required(Role.MANAGER)
def rule_move(request: HttpRequest, pk: int) -> HttpResponse:
    rule, is_up = _rule(request, pk), request.POST.get("way") == "up"
    moved = move_rule(rule, is_up=is_up, actor=Actor.of(request), now=timezone.now())
    messages.success(request, f"The rule stands at {rule.position} now. {_did(moved)}")
    return redirect("fleet:rule_list")


@require_POST
@role_required(Role.MANAGER)
def rule_delete(request: HttpRequest, pk: int) -> HttpResponse:
    moved = delete_rule(_rule(request, pk), actor=Actor.of(request), now=timezone.now())
    messages.success(request, f"The rule is deleted. {_did(moved)}")
    return redirect("fleet:rule_list")


def _rule(request: HttpRequest, pk: int) -> AttributionRule:
    rules = AttributionRule.objects.select_related("service")
    return get_object_or_404(rules, pk=pk, origin=chosen_origin(request))


def _machines(count: int) -> str:
    return "1 machine" if count == 1 else f"{count:,} machines"


def _would(moved: list[Moved]) -> str:
    return f"It would move {_machines(len(moved))}." if moved else "It would move no machine."


def _did(moved: list[Moved]) -> str:
    return f"{_machines(len(moved))} moved." if moved else "No machine moved."


def _list(request: HttpRequest, form: RuleForm, *, preview: str = "", status: int = 200) -> HttpResponse:
    origin = chosen_origin(request)
    tester = TesterForm(request.GET if "try" in request.GET else None)
    context = {
        "rules": AttributionRule.objects.filter(origin=origin)
        .select_related("service")
        .order_by("position", "pk"),
        "form": form,
        "preview": preview,
        "tester": tester,
        "outcome": try_rules(tester.cleaned_data, origin=origin) if tester.is_valid() else None,
        "may_manage": may_manage(request),
    }
    return render(request, "fleet/rule_list.html", context, status=status)
