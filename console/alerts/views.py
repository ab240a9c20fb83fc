"""Pages of alert groups."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET

from console.accounts.models import Board, Role
from console.accounts.origin import chosen_origin, foreign_origin
from console.accounts.permissions import role_required, signed_in
from console.accounts.remembering import kept_views, recall, remember
from console.alerts import feedback, queries
from console.alerts.actions import SILENCES
from console.alerts.deep_links import asked_for
from console.alerts.escalation.plan import plan_of
from console.alerts.models import AlertGroup, Severity, Verdict
from console.alerts.regrouping.targets import acts_of
from console.alerts.rows import group_rows
from console.alerts.tickets.queries import owners
from console.alerts.wave_words import JOINING
from console.lib.cursor import query_of
from console.lib.pages import once, render_region
from console.runbooks import checklist
from console.runbooks.variables import as_values


@require_GET
@role_required(Role.VIEWER)
def group_list(request: HttpRequest) -> HttpResponse:
    """Which groups are open, and which were."""
    person = signed_in(request)
    if onward := recall(request, Board.ALERTS, person):
        return onward
    now, origin = timezone.now(), chosen_origin(request)
    filters = queries.Filters.of(request.GET)
    cursor = request.GET.get("cursor", "")
    page = queries.page_of_groups(origin=origin, filters=filters, cursor=cursor, now=now)
    context = {
        "filters": filters,
        "groups": group_rows(page.items, now=now),
        "next": query_of(request, cursor=page.next) if page.next else "",
        "newest": query_of(request, cursor=None) if cursor else "",
        "statuses": [("open", "Open"), ("resolved", "Resolved"), ("all", "All")],
        "severities": Severity.choices,
        "silences": SILENCES,
        "clear_url": f"?status={filters.status}",
        "may_act": person.may(Role.RESPONDER),
        **kept_views(request, Board.ALERTS, person),
    }
    response = render_region(request, "alerts/group_list.html", "group-table", context)
    return remember(response, request, Board.ALERTS, person)


@require_GET
@role_required(Role.VIEWER)
def group_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One group: its impact, its machines, its checklist, its history, and why nobody or somebody was told."""
    now = timezone.now()
    group = get_object_or_404(
        AlertGroup.objects.with_paged().select_related(
            "service__team",
            "service__owner",
            "parent",
            "merged_into",
            "team",
            "rule__runbook",
            "acknowledged_by",
            "resolved_by",
            "silenced_by",
            "suppressed_by__author",
            "execution__version__runbook",
        ),
        pk=pk,
    )
    place, asked = asked_for(request)
    choices = queries.choices_of(group, chosen=request.GET.get("member", ""))
    variables = queries.checklist_variables(group, choices[0] if choices else None)
    context = {
        "group": group,
        "about_url": queries.about_url(group),
        "foreign_origin": foreign_origin(request, group.origin),
        "links": queries.links_out(group, variables, now=now),
        "row": group_rows([group], now=now)[0],
        "is_silenced": group.is_open and group.is_silenced(now=now),
        "is_suppressed": group.is_open and group.is_suppressed(now=now),
        "is_flapping": group.is_open and group.is_flapping(now=now),
        "outlasts_silence": not group.is_open and group.is_silenced(now=now),
        "members": queries.members_of(group, asked=asked if place == "interruption" else 0),
        "children": group_rows(queries.children_of(group), now=now),
        "why_grouped": queries.why_grouped(group),
        "arranged": acts_of(group),
        "joining": JOINING,
        "events": queries.events_of(group),
        "receipts": queries.receipts_of(group, asked=asked if place == "receipt" else 0),
        "asked_receipt": asked if place == "receipt" else 0,
        "execution": group.execution,
        "steps": checklist.state(group.execution) if group.execution else [],
        "variables": as_values(variables),
        "choices": choices,
        "next_url": request.get_full_path(),
        "silences": SILENCES,
        "may_act": signed_in(request).may(Role.RESPONDER),
        "can_act": signed_in(request).may(Role.RESPONDER),
        "written": once(lambda: queries.messages_of(group)),
    }
    regions = "group-head children members timeline receipts checklist checklist-member"
    return render_region(request, "alerts/group_detail.html", regions, context)


@require_GET
@role_required(Role.VIEWER)
def group_plan(request: HttpRequest, pk: int) -> HttpResponse:
    """Who is next and when, its tickets, and whether it was worth a page: a region of the group's page.

    A page of its own where no script fetches it.
    """
    rows = AlertGroup.objects.with_paged().select_related("service", "acknowledged_by", "parent")
    group = get_object_or_404(rows, pk=pk)
    person = signed_in(request)
    context = {
        "group": group,
        "plan": plan_of(group, now=timezone.now()),
        "tickets": queries.tickets_of(group),
        "people": once(owners),
        "verdicts": Verdict.choices,
        "verdict": once(lambda: feedback.verdict_of(group.pk, person)),
        "may_act": person.may(Role.RESPONDER),
    }
    return render_region(request, "alerts/group_plan.html", "plan", context)


@require_GET
@role_required(Role.VIEWER)
def group_members(request: HttpRequest, pk: int) -> HttpResponse:
    """The machines of one group, and of a wave its groups before them, for a list that opens it in place."""
    group = get_object_or_404(AlertGroup, pk=pk)
    context: dict[str, Any] = {"group": group, "members": queries.members_of(group)}
    context["may_act"] = signed_in(request).may(Role.RESPONDER)
    context["children"] = group_rows(queries.children_of(group), now=timezone.now())
    return render_region(
        request, "alerts/group_members.html", f"group-{pk}-members", context, is_all_region=True
    )
