"""`/rules/replays/…`: which drafts were replayed, one with its bar or its result, and what can be done with it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from console.accounts.audit import Actor
from console.accounts.models import Role
from console.accounts.origin import chosen_origin, foreign_origin
from console.accounts.permissions import role_required, signed_in
from console.alerts.handling import By
from console.alerts.models import Decision, Difference, Replay, RuleVersion
from console.alerts.replay import asking, queries
from console.alerts.replay.asking import Refused
from console.alerts.rule_editing import NotPublishable
from console.alerts.suppression.draft import Refused as SuppressionRefused
from console.lib.cursor import page_of, query_of
from console.lib.pages import render_region

RELATED = ("rule", "compared_with", "created_by", "published_version", "published_suppression")


@require_GET
@role_required(Role.VIEWER)
def replay_list(request: HttpRequest) -> HttpResponse:
    """The newest first."""
    rows = Replay.objects.of_origin(chosen_origin(request)).select_related(*RELATED).defer("draft")
    page = page_of(request, queryset=rows, order=("-created_at", "-pk"), size=50)
    context = {
        "rows": page.items,
        "next": query_of(request, cursor=page.next) if page.next else "",
        "newest": query_of(request, cursor=None) if request.GET.get("cursor") else "",
    }
    return render_region(request, "alerts/replay_list.html", "replays", context)


@require_GET
@role_required(Role.VIEWER)
def replay_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The bar while it runs; then pages then and now, by person, and episode by episode."""
    replay = get_object_or_404(Replay.objects.select_related(*RELATED), pk=pk)
    context: dict[str, Any] = {
        "replay": replay,
        "foreign_origin": foreign_origin(request, replay.origin),
        "may_manage": signed_in(request).may(Role.MANAGER),
        "changes": queries.changes_of(replay),
        "words": queries.draft_words(replay),
        "not_replayed": queries.NOT_REPLAYED,
    }
    if replay.state == "done":
        filters = queries.Filters.of(
            request.GET.dict(), usual="any" if queries.has_differences(replay) else ""
        )
        rows = filters.narrow(replay.episodes.select_related("service", "group"))
        page = page_of(request, queryset=rows, order=("-opened_at", "-pk"), size=50)
        context |= {
            "sentence": queries.sentence_of(replay),
            "lines": queries.lines_of(replay),
            "looks": queries.looks_words(replay),
            "filters": filters,
            "episodes": page.items,
            "differences": [(one.value, one.label) for one in Difference],
            "counts": replay.result.get("differences", {}),
            "decisions": [(Decision.PAGE.value, "Page"), (Decision.TICKET.value, "Ticket")],
            "next": query_of(request, cursor=page.next) if page.next else "",
            "newest": query_of(request, cursor=None) if request.GET.get("cursor") else "",
        }
    response = render_region(request, "alerts/replay_detail.html", "replay episodes", context)
    if request.headers.get("HX-Target") == "replay" and not replay.is_unfinished:
        response["HX-Refresh"] = "true"  # the bar is full: the page with the result takes its place
    return response


@require_POST
@role_required(Role.MANAGER)
def replay_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    replay = get_object_or_404(Replay, pk=pk)
    if asking.cancel(replay, by=Actor.of(request), now=timezone.now()):
        messages.success(request, "Cancelled.")
    else:
        messages.warning(request, "It was over already.")
    return redirect("alerts:replay_detail", pk)


@require_POST
@role_required(Role.MANAGER)
def replay_again(request: HttpRequest, pk: int) -> HttpResponse:
    """The same draft once more, up to now, over as many days or others."""
    replay = get_object_or_404(Replay.objects.select_related("rule"), pk=pk)
    days = int(request.POST["days"]) if request.POST.get("days", "").isdecimal() else replay.days
    by = By(user=signed_in(request), actor=Actor.of(request))
    try:
        again = asking.ask_again(replay, days=days, by=by, now=timezone.now())
    except (Refused, NotPublishable, SuppressionRefused) as error:
        messages.error(request, str(error))
        return redirect("alerts:replay_detail", pk)
    return redirect("alerts:replay_detail", again.pk)


@require_POST
@role_required(Role.MANAGER)
def replay_publish(request: HttpRequest, pk: int) -> HttpResponse:
    """Put what was replayed into force."""
    replay = get_object_or_404(Replay, pk=pk)
    by, note = By(user=signed_in(request), actor=Actor.of(request)), request.POST.get("change_note", "")
    try:
        made = asking.publish(replay, change_note=note, by=by, now=timezone.now())
    except (Refused, NotPublishable, SuppressionRefused) as error:
        messages.error(request, str(error))
        return redirect("alerts:replay_detail", pk)
    if isinstance(made, RuleVersion):
        messages.success(request, f"Version {made.number} is in force.")
        return redirect("alerts:rule_detail", made.rule.slug)
    messages.success(request, f"“{made.name}” is planned.")
    return redirect("alerts:suppression_detail", made.pk)
