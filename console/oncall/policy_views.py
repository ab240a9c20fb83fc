"""`/schedules/policies/`: who is told first, who next, and where each policy holds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from console.accounts.audit import Actor
from console.accounts.models import Role
from console.accounts.origin import chosen_origin
from console.accounts.permissions import role_required, signed_in
from console.fleet.models import Service, Team
from console.lib.pages import once, render_region
from console.oncall import policy_editing
from console.oncall.models import EscalationLevel, EscalationPolicy, PolicyUse
from console.oncall.policies import Level, freeze
from console.oncall.policy_editing import CannotSave
from console.oncall.policy_forms import Typed, target_choices, use_choices
from console.oncall.reaching import Reached, Roster

NAMED = ("targets__rotation", "targets__person", "targets__team", "targets__channel")


@require_GET
@role_required(Role.VIEWER)
def policy_list(request: HttpRequest) -> HttpResponse:
    """Which policies there are, and where each holds."""
    origin = chosen_origin(request)
    levels = EscalationLevel.objects.order_by("position").prefetch_related(*NAMED)
    rows = EscalationPolicy.objects.filter(origin=origin).select_related("team").order_by("name", "pk")
    uses = PolicyUse.objects.select_related("service", "team").order_by("pk")
    found = rows.prefetch_related(Prefetch("levels", levels), Prefetch("uses", uses))
    context = {
        "policies": [policy for policy in found if policy.archived_at is None],
        "archived": [policy for policy in found if policy.archived_at is not None],
        "has_default": any(use.whom == "everything else" for policy in found for use in policy.uses.all()),
        "may_manage": signed_in(request).may(Role.MANAGER),
    }
    return render_region(request, "oncall/policy_list.html", "policies", context)


@require_GET
@role_required(Role.VIEWER)
def policy_detail(request: HttpRequest, slug: str) -> HttpResponse:
    """One policy: whom each level would reach this minute, and where it holds."""
    policy = _policy(request, slug)
    frozen = freeze([policy.pk])[policy.pk]
    context = {
        "policy": policy,
        "levels": _reached(frozen.levels, at=timezone.now()),
        "uses": policy.uses.select_related("service", "team", "policy").order_by("pk"),
        "choices": once(lambda: use_choices(origin=policy.origin)),
        "may_manage": signed_in(request).may(Role.MANAGER) and policy.archived_at is None,
    }
    return render_region(request, "oncall/policy_detail.html", "policy", context)


@require_http_methods(["GET", "POST"])
@role_required(Role.MANAGER)
def policy_create(request: HttpRequest) -> HttpResponse:
    """A new policy; buttons within the form save nothing."""
    typed = Typed.of_post(request.POST) if request.method == "POST" else Typed()
    if request.method == "GET" or request.POST.get("act"):
        return _form(request, typed.after(request.POST.get("act", "")), None)
    try:
        policy = policy_editing.create(
            typed.draft(), origin=chosen_origin(request), by=Actor.of(request), now=timezone.now()
        )
    except CannotSave as refusal:
        return _form(request, typed, None, problem=str(refusal))
    messages.success(request, f"{policy} is made. Say now what it holds for.")
    return redirect("policies:policy_detail", slug=policy.slug)


@require_http_methods(["GET", "POST"])
@role_required(Role.MANAGER)
def policy_edit(request: HttpRequest, slug: str) -> HttpResponse:
    """The next version. What escalates already goes on by the version that it began with."""
    policy = _policy(request, slug)
    typed = Typed.of_post(request.POST) if request.method == "POST" else Typed.of_policy(policy)
    if request.method == "GET" or request.POST.get("act"):
        return _form(request, typed.after(request.POST.get("act", "")), policy)
    try:
        policy_editing.change(policy.pk, typed.draft(), by=Actor.of(request), now=timezone.now())
    except CannotSave as refusal:
        return _form(request, typed, policy, problem=str(refusal))
    messages.success(request, "Saved. What escalates already goes on as it began.")
    return redirect("policies:policy_detail", slug=slug)


@require_POST
@role_required(Role.MANAGER)
def policy_archive(request: HttpRequest, slug: str) -> HttpResponse:
    policy = policy_editing.archive(_policy(request, slug).pk, by=Actor.of(request), now=timezone.now())
    messages.success(request, f"{policy} is archived; what it held for has the team's or the default now.")
    return redirect("policies:policy_list")


@require_POST
@role_required(Role.MANAGER)
def policy_use(request: HttpRequest, slug: str) -> HttpResponse:
    """Let it hold for a service, for what a team owns, or for everything else."""
    policy = _policy(request, slug)
    kind, _, pk = request.POST.get("whom", "").partition(":")
    number = int(pk) if pk.isascii() and pk.isdigit() and len(pk) < 19 else 0
    service = Service.objects.filter(pk=number, origin=policy.origin).first() if kind == "service" else None
    team = Team.objects.filter(pk=number, origin=policy.origin).first() if kind == "team" else None
    if kind != "default" and service is None and team is None:
        messages.warning(request, "Choose what it holds for.")
        return redirect("policies:policy_detail", slug=slug)
    try:
        use = policy_editing.use(policy, service=service, team=team, by=Actor.of(request), now=timezone.now())
    except CannotSave as refusal:
        messages.warning(request, str(refusal))
    else:
        messages.success(request, f"{policy} holds for {use.whom}.")
    return redirect("policies:policy_detail", slug=slug)


@require_POST
@role_required(Role.MANAGER)
def policy_use_end(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    use = get_object_or_404(_policy(request, slug).uses, pk=pk)
    policy_editing.stop_using(use.pk, by=Actor.of(request), now=timezone.now())
    messages.success(request, f"It does not hold for {use.whom} any more.")
    return redirect("policies:policy_detail", slug=slug)


def _policy(request: HttpRequest, slug: str) -> EscalationPolicy:
    rows = EscalationPolicy.objects.select_related("team")
    return get_object_or_404(rows, origin=chosen_origin(request), slug=slug)


def _form(
    request: HttpRequest, typed: Typed, policy: EscalationPolicy | None, *, problem: str = ""
) -> HttpResponse:
    origin = chosen_origin(request)
    context = {
        "typed": typed,
        "policy": policy,
        "problem": problem,
        "choices": target_choices(origin=origin),
        "teams": Team.objects.filter(origin=origin).order_by("name", "pk"),
    }
    status = 422 if problem else 200
    return render_region(request, "oncall/policy_edit.html", "policy-form", context, status=status)


def _reached(levels: Sequence[Level], *, at: datetime) -> list[tuple[Level, Reached]]:
    """Each level with whom it would reach at this moment."""
    roster = Roster([target for level in levels for target in level.targets], at=at)
    return [(level, roster.reach(level.targets)) for level in levels]
