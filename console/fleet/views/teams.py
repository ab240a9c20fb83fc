"""Teams: who owns services."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from console.accounts.audit import Actor
from console.accounts.models import Role
from console.accounts.origin import chosen_origin
from console.accounts.permissions import role_required
from console.fleet.forms import TeamForm
from console.fleet.models import Service, Team
from console.fleet.service_changes import TeamInUse, delete_team, mark_platform, save_team
from console.fleet.service_page import may_manage


@require_http_methods(["GET", "POST"])
@role_required(Role.VIEWER)
def team_list(request: HttpRequest) -> HttpResponseBase:
    if request.method == "POST":
        return team_create(request)
    return _list(request, TeamForm())


@role_required(Role.MANAGER)
def team_create(request: HttpRequest) -> HttpResponse:
    """The form on the list of teams."""
    form, origin = TeamForm(request.POST), chosen_origin(request)
    if form.is_valid() and Team.objects.filter(origin=origin, slug=form.cleaned_data["slug"]).exists():
        form.add_error("slug", "There is a team with this slug already.")
    if not form.is_valid():
        return _list(request, form, status=422)
    team = save_team(
        form.cleaned_data["slug"],
        name=form.cleaned_data["name"],
        origin=origin,
        actor=Actor.of(request),
        now=timezone.now(),
    )
    messages.success(request, f"{team.name} is made.")
    return redirect("fleet:team_list")


@require_POST
@role_required(Role.MANAGER)
def team_rename(request: HttpRequest, slug: str) -> HttpResponse:
    team = get_object_or_404(Team, origin=chosen_origin(request), slug=slug)
    name = request.POST.get("name", "").strip()[:120]
    if not name:
        messages.error(request, "A team needs a name.")
    else:
        save_team(slug, name=name, origin=team.origin, actor=Actor.of(request), now=timezone.now())
        messages.success(request, f"{team.name} is now {name}.")
    return redirect("fleet:team_list")


@require_POST
@role_required(Role.MANAGER)
def team_platform(request: HttpRequest, slug: str) -> HttpResponse:
    """It owns the fleet, the feeds and the agents: what concerns no single service is for it."""
    team = get_object_or_404(Team, origin=chosen_origin(request), slug=slug)
    wanted = request.POST.get("is") == "yes"
    mark_platform(team, is_platform=wanted, actor=Actor.of(request), now=timezone.now())
    messages.success(request, f"{team.name} is {'' if wanted else 'no longer '}the platform team.")
    return redirect("fleet:team_list")


@require_POST
@role_required(Role.MANAGER)
def team_delete(request: HttpRequest, slug: str) -> HttpResponse:
    team = get_object_or_404(Team, origin=chosen_origin(request), slug=slug)
    try:
        delete_team(team, actor=Actor.of(request), now=timezone.now())
    except TeamInUse as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{team.name} is deleted.")
    return redirect("fleet:team_list")


def _list(request: HttpRequest, form: TeamForm, *, status: int = 200) -> HttpResponse:
    origin = chosen_origin(request)
    in_use = Count("services", filter=Q(services__archived_at=None))
    context = {
        "teams": Team.objects.filter(origin=origin).annotate(service_count=in_use).order_by("name", "pk"),
        "without_team": Service.objects.filter(origin=origin, team=None, archived_at=None).count(),
        "form": form,
        "may_manage": may_manage(request),
    }
    return render(request, "fleet/team_list.html", context, status=status)
