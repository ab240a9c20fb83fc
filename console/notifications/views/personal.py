"""`/me/notifications/`: how a person is told, and whether it works."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from console.accounts.audit import Actor
from console.accounts.models import Role, User
from console.accounts.permissions import role_required, signed_in
from console.lib.pages import render_region
from console.notifications import personal, queries
from console.notifications.expanding import habits_of
from console.notifications.forms import (
    DAYS,
    BoardNoticeForm,
    BundlingForm,
    CodeForm,
    MethodForm,
    QuietForm,
    RuleForm,
)
from console.notifications.models import (
    BoardNotice,
    ContactKind,
    ContactMethod,
    Importance,
    PersonalRule,
    QuietHours,
)
from console.notifications.personal import NotPossible
from console.notifications.senders.sender import BadSetting

HERE = "notifications:personal_notifications"
KINDS = [(kind.value, kind.label) for kind in ContactKind if kind != ContactKind.ACCOUNT]
SAID = {
    "important": ("Important", "pages: they come through quiet hours"),
    "default": ("Everything else", "tickets and news: they wait for quiet hours to end"),
}


@require_GET
@role_required(Role.VIEWER)
def personal_notifications(request: HttpRequest) -> HttpResponse:
    person = signed_in(request)
    habits_of([person.pk])  # makes the account's own method where there is none yet
    return _page(request, person)


def _page(request: HttpRequest, person: User, **forms: Any) -> HttpResponse:
    told = queries.told(person)
    context: dict[str, Any] = {
        "methods": told.methods,
        "rules": [(SAID[name], rules) for name, rules in told.rules],
        "tests": told.tests,
        "quiet": [(hours, _days(hours.days)) for hours in person.quiet_hours.order_by("starts", "pk")],
        "zone": person.time_zone,
        "kinds": KINDS,
        "notice": BoardNotice.objects.filter(person=person).first(),
        "rule_form": RuleForm(person=person, initial={"importance": Importance.IMPORTANT}),
        "quiet_form": QuietForm(),
        **forms,
    }
    is_refused = any(getattr(form, "errors", None) for form in forms.values())
    return render_region(
        request,
        "notifications/personal_notifications.html",
        "personal tests",
        context,
        status=422 if is_refused else 200,
    )


def _days(days: list[int]) -> str:
    if len(days) == len(DAYS):
        return "every day"
    return ", ".join(name[:3] for day, name in DAYS if day in days)


@require_http_methods(["GET", "POST"])
@role_required(Role.VIEWER)
def method_new(request: HttpRequest, kind: str) -> HttpResponse:
    if kind not in ContactKind.values or kind == ContactKind.ACCOUNT:
        raise Http404
    form = MethodForm(request.POST or None, kind=kind)
    if request.method == "POST" and form.is_valid():
        try:
            method = personal.add_method(
                signed_in(request),
                kind=kind,
                label=form.cleaned_data["label"],
                values=form.values,
                actor=Actor.of(request),
                now=timezone.now(),
            )
        except BadSetting as error:
            form.refuse(error)
        except NotPossible as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"A code is on its way to {method}. Type it below.")
            return redirect(HERE)
    context = {"form": form, "kind": ContactKind(kind).label}
    status = 422 if form.errors else 200
    return render_region(request, "notifications/method_new.html", "method", context, status=status)


@require_POST
@role_required(Role.VIEWER)
def method_verify(request: HttpRequest, pk: int) -> HttpResponse:
    form = CodeForm(request.POST)
    code = form.cleaned_data["code"] if form.is_valid() else ""
    return _with_method(
        request,
        pk,
        lambda method, actor, now: personal.verify(method, code, actor=actor, now=now),
        "is proven: it can be used in your rules.",
    )


@require_POST
@role_required(Role.VIEWER)
def method_code(request: HttpRequest, pk: int) -> HttpResponse:
    return _with_method(
        request, pk, lambda method, actor, now: personal.send_code(method, now=now), "gets a new code."
    )


@require_POST
@role_required(Role.VIEWER)
def method_test(request: HttpRequest, pk: int) -> HttpResponse:
    return _with_method(
        request,
        pk,
        lambda method, actor, now: personal.try_method(method, actor=actor, now=now),
        "gets a test page. What becomes of it stands under “Your tests”.",
    )


@require_POST
@role_required(Role.VIEWER)
def method_remove(request: HttpRequest, pk: int) -> HttpResponse:
    return _with_method(
        request,
        pk,
        lambda method, actor, now: personal.remove_method(method, actor=actor, now=now),
        "is removed, and its rules with it.",
    )


@require_POST
@role_required(Role.VIEWER)
def method_bundling(request: HttpRequest, pk: int) -> HttpResponse:
    form = BundlingForm(request.POST)
    if not form.is_valid():
        messages.warning(request, "Write 1 to 50 messages and 1 to 120 minutes.")
        return redirect(HERE)
    bounds = {"after": form.cleaned_data["after"], "minutes": form.cleaned_data["minutes"]}
    return _with_method(
        request,
        pk,
        lambda method, actor, now: personal.set_bundling(method, **bounds, actor=actor, now=now),
        "is set.",
    )


def _with_method(
    request: HttpRequest, pk: int, act: Callable[[ContactMethod, Actor, datetime], object], said: str
) -> HttpResponse:
    """One act on one of the person's own methods, and back to their page."""
    method = get_object_or_404(ContactMethod.objects.kept(), pk=pk, person=signed_in(request))
    try:
        act(method, Actor.of(request), timezone.now())
    except NotPossible as refusal:
        messages.warning(request, str(refusal))
    else:
        messages.success(request, f"{method} {said}")
    return redirect(HERE)


@require_POST
@role_required(Role.VIEWER)
def rule_add(request: HttpRequest) -> HttpResponse:
    person = signed_in(request)
    form = RuleForm(request.POST, person=person)
    if form.is_valid():
        try:
            personal.add_rule(**form.cleaned_data, actor=Actor.of(request), now=timezone.now())
        except NotPossible as refusal:
            form.add_error(None, str(refusal))
        else:
            return redirect(HERE)
    return _page(request, person, rule_form=form)


@require_POST
@role_required(Role.VIEWER)
def rule_remove(request: HttpRequest, pk: int) -> HttpResponse:
    rule = get_object_or_404(PersonalRule, pk=pk, method__person=signed_in(request))
    personal.remove_rule(rule, actor=Actor.of(request), now=timezone.now())
    return redirect(HERE)


@require_POST
@role_required(Role.VIEWER)
def quiet_add(request: HttpRequest) -> HttpResponse:
    person = signed_in(request)
    form = QuietForm(request.POST)
    if form.is_valid():
        try:
            personal.add_quiet_hours(person, form.cleaned_data, actor=Actor.of(request), now=timezone.now())
        except NotPossible as refusal:
            form.add_error(None, str(refusal))
        else:
            return redirect(HERE)
    return _page(request, person, quiet_form=form)


@require_POST
@role_required(Role.VIEWER)
def quiet_remove(request: HttpRequest, pk: int) -> HttpResponse:
    hours = get_object_or_404(QuietHours, pk=pk, person=signed_in(request))
    personal.remove_quiet_hours(hours, actor=Actor.of(request), now=timezone.now())
    return redirect(HERE)


@require_POST
@role_required(Role.VIEWER)
def board_notice(request: HttpRequest) -> HttpResponse:
    form = BoardNoticeForm(request.POST)
    form.is_valid()
    personal.set_board_notice(
        signed_in(request), **form.cleaned_data, actor=Actor.of(request), now=timezone.now()
    )
    messages.success(request, "Saved. The open on-call board follows from its next loading on.")
    return redirect(HERE)


@require_POST
@role_required(Role.VIEWER)
def test_page(request: HttpRequest) -> HttpResponse:
    personal.send_test_page(signed_in(request), actor=Actor.of(request), now=timezone.now())
    messages.success(request, "A test page is on its way. What becomes of it stands under “Your tests”.")
    return redirect(HERE)
