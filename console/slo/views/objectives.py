"""`/slo/`: which promises there are and what is left of each; one of them; setting and changing them."""

from __future__ import annotations

from dataclasses import asdict, fields

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from console.accounts.audit import Actor
from console.accounts.models import Role
from console.accounts.origin import chosen_origin, foreign_origin
from console.accounts.permissions import role_required, signed_in
from console.lib.csv_file import csv_response
from console.lib.cursor import page_of, query_of
from console.lib.pages import render_region
from console.slo import minutes, objectives, rules_file
from console.slo.burn import AFTER_EPISODE, LEAST_BAD
from console.slo.burn_down import burn_down
from console.slo.forms import ObjectiveForm
from console.slo.models import Objective, PrometheusServer
from console.slo.objectives import CannotSet
from console.slo.queries import read_lines
from console.slo.reading import LATEST, period_of, read_episodes
from console.slo.shapes import ObjectiveOut

ROWS = 50
EPISODES_SHOWN = 20


@require_GET
@role_required(Role.VIEWER)
def objective_list(request: HttpRequest) -> HttpResponseBase:
    """Every objective of the origin, with what is left of its budget and how fast it goes."""
    origin, now = chosen_origin(request), timezone.now()
    is_ended = request.GET.get("ended") == "yes"
    found = Objective.objects.of_origin(origin).select_related("service__team", "server")
    found = found.exclude(archived_at=None) if is_ended else found.active()
    page = page_of(request, queryset=found, order=["service__name", "pk"], size=ROWS)
    lines = read_lines(page.items, now=now)
    if request.GET.get("format") == "csv":
        shaped = (ObjectiveOut.of(line).model_dump() for line in lines)
        return csv_response(shaped, columns=list(ObjectiveOut.model_fields), name="objectives")
    context = {
        "lines": lines,
        "origin": origin,
        "is_ended": is_ended,
        "now": now,
        "may_manage": signed_in(request).may(Role.MANAGER),
        "next_url": "?" + query_of(request, cursor=page.next) if page.next else "",
        "first_url": "?" + query_of(request, cursor=None) if request.GET.get("cursor") else "",
        "here": "objectives",
    }
    return render_region(request, "slo/objective_list.html", "objectives", context)


@require_GET
@role_required(Role.VIEWER)
def objective_detail(request: HttpRequest, pk: int) -> HttpResponseBase:
    """One objective: budget, burn-down, rules with both windows, episodes."""
    one, now = _objective(pk), timezone.now()
    (line,) = read_lines([one], now=now)
    since, until = period_of(now)
    context = {
        "line": line,
        "one": one,
        "chart": burn_down(line),
        "episodes": read_episodes(pk, since=since, until=until, order=LATEST, most=EPISODES_SHOWN),
        "episodes_more": max(0, line.episode_count - EPISODES_SHOWN),
        "least_bad": LEAST_BAD,
        "after_episode": AFTER_EPISODE,
        "foreign_origin": foreign_origin(request, one.origin),
        "may_manage": signed_in(request).may(Role.MANAGER),
    }
    return render_region(request, "slo/objective_detail.html", "objective", context)


@require_GET
@role_required(Role.VIEWER)
def objective_of(request: HttpRequest, service: str, slug: str) -> HttpResponse:
    """The page of an objective by its name, as groups know it."""
    found = Objective.objects.of_origin(chosen_origin(request)).filter(service__slug=service, slug=slug)
    return redirect("slo:objective_detail", pk=get_object_or_404(found).pk)


@require_GET
@role_required(Role.VIEWER)
def minute_list(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The rows that the figures of one objective were computed from."""
    one, now = _objective(pk), timezone.now()
    stretch = minutes.Stretch.of(request.GET, now=now)
    if request.GET.get("format") == "csv":
        found = minutes.read_rows(one, stretch, most=minutes.IN_FILE)
        columns = [field.name for field in fields(minutes.CountRow)]
        return csv_response(
            (asdict(row) for row in found), columns=columns, name=f"{one.slug}-{stretch.word}s"
        )
    rows = minutes.read_rows(one, stretch, most=minutes.SHOWN + 1)
    context = {
        "one": one,
        "stretch": stretch,
        "rows": rows[: minutes.SHOWN],
        "has_more": len(rows) > minutes.SHOWN,
        "csv_query": query_of(request, format="csv"),
        "other_query": query_of(request, only=None if stretch.is_failing_only else "failing"),
    }
    return render_region(request, "slo/minute_list.html", "minutes", context)


@require_GET
@role_required(Role.VIEWER)
def rules_download(request: HttpRequest) -> HttpResponse:
    """Every objective that Prometheus counts, as its own recording and alerting rules."""
    text = rules_file.rules_file(rules_file.of_origin(chosen_origin(request)))
    response = HttpResponse(text, content_type="application/yaml; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="spot-console-slo.rules.yml"'
    return response


@require_http_methods(["GET", "POST"])
@role_required(Role.MANAGER)
def objective_create(request: HttpRequest) -> HttpResponse:
    form = ObjectiveForm(request.POST or None, origin=chosen_origin(request), initial=_asked(request))
    if request.method == "POST" and form.is_valid():
        try:
            row = objectives.create(
                form.wanted,
                service=form.cleaned_data["service"],
                by=Actor.of(request),
                now=timezone.now(),
            )
        except CannotSet as error:
            _refuse(form, error)
        else:
            messages.success(request, f"{row} is promised now.")
            return redirect("slo:objective_detail", pk=row.pk)
    return _form(request, form, None)


@require_http_methods(["GET", "POST"])
@role_required(Role.MANAGER)
def objective_edit(request: HttpRequest, pk: int) -> HttpResponse:
    one = _objective(pk)
    form = ObjectiveForm(request.POST or None, origin=one.origin, objective=one)
    if request.method == "POST" and form.is_valid():
        try:
            objectives.change(pk, form.wanted, by=Actor.of(request), now=timezone.now())
        except CannotSet as error:
            _refuse(form, error)
        else:
            messages.success(request, f"{form.wanted.name} is saved.")
            return redirect("slo:objective_detail", pk=pk)
    return _form(request, form, one)


@require_POST
@role_required(Role.MANAGER)
def objective_end(request: HttpRequest, pk: int) -> HttpResponse:
    one = objectives.end(_objective(pk).pk, by=Actor.of(request), now=timezone.now())
    messages.success(request, f"{one} is watched no more.")
    return redirect("slo:objective_list")


@require_POST
@role_required(Role.MANAGER)
def objective_revive(request: HttpRequest, pk: int) -> HttpResponse:
    one = objectives.revive(_objective(pk).pk, by=Actor.of(request), now=timezone.now())
    messages.success(request, f"{one} is watched again.")
    return redirect("slo:objective_detail", pk=pk)


def _objective(pk: int) -> Objective:
    return get_object_or_404(Objective.objects.select_related("service__team", "server"), pk=pk)


def _asked(request: HttpRequest) -> dict[str, str]:
    """`?service=` of a link from a service's page."""
    service = request.GET.get("service", "")
    return {"service": service} if service.isdecimal() else {}


def _refuse(form: ObjectiveForm, error: CannotSet) -> None:
    form.add_error({"slug": "name"}.get(error.field, error.field), str(error))


def _form(request: HttpRequest, form: ObjectiveForm, one: Objective | None) -> HttpResponse:
    context = {"form": form, "one": one, "has_servers": PrometheusServer.objects.exists()}
    return render(request, "slo/objective_form.html", context, status=422 if form.errors else 200)
