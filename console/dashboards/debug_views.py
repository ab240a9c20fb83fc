"""Pages of the debug board: machines, reclaims, and one reclaim in full."""

from __future__ import annotations

from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_GET

from console.accounts.models import Role
from console.accounts.origin import chosen_origin, foreign_origin
from console.accounts.permissions import role_required
from console.dashboards import debug, oncall
from console.dashboards.raw import shown
from console.fleet import links
from console.interruptions.api import InterruptionOut
from console.interruptions.models import Interruption, InterruptionAlias
from console.interruptions.queries import ORDER, ReclaimFilters, page_of_reclaims, reclaims
from console.lib.csv_file import csv_response
from console.lib.cursor import each_page, query_of
from console.lib.pages import render_region


@require_GET
@role_required(Role.VIEWER)
def debug_board(request: HttpRequest) -> HttpResponse:
    """Which machine did what: hooks against their window, evacuation, storage, logs."""
    now, origin = timezone.now(), chosen_origin(request)
    filters = debug.MachineFilters.of(request.GET)
    cursor = request.GET.get("cursor", "")
    page = debug.page_of_machines(origin=origin, filters=filters, cursor=cursor)
    newest = debug.newest_reclaims(page.items)
    context = {
        "filters": filters,
        "choices": oncall.choices(origin=origin),
        "machines": [(machine, newest.get(machine.pk)) for machine in page.items],
        "next": query_of(request, cursor=page.next) if page.next else "",
        "newest_query": query_of(request, cursor=None) if cursor else "",
        "shutdowns": debug.shutdowns(origin=origin, now=now),
        "evacuations": debug.evacuations(origin=origin, now=now),
        "volumes": debug.attachments(origin=origin, now=now),
        "replicas": debug.recoveries(origin=origin, now=now),
        "logs": debug.hook_logs(origin=origin, now=now),
    }
    return render_region(request, "dashboards/debug.html", "machines nodes", context)


@require_GET
@role_required(Role.VIEWER)
def interruption_list(request: HttpRequest) -> HttpResponseBase:
    """Every reclaim, by filters that the boards' figures link to."""
    origin = chosen_origin(request)
    filters = ReclaimFilters.of(request.GET.dict())
    if request.GET.get("format") == "csv":
        chunks = each_page(reclaims(origin=origin, filters=filters), order=ORDER)
        lines = (InterruptionOut.of(row).model_dump() for chunk in chunks for row in chunk)
        return csv_response(lines, columns=list(InterruptionOut.model_fields), name="interruptions")
    cursor = request.GET.get("cursor", "")
    page, rows = page_of_reclaims(origin=origin, filters=filters, cursor=cursor)
    context = {
        "filters": filters,
        "choices": oncall.choices(origin=origin),
        "outcomes": [*OUTCOMES, *((one, word) for one, word in COUNTED_AS if one == filters.outcome)],
        "missed_by": debug.channel_named(filters.missed_by),
        "rows": rows,
        "next": query_of(request, cursor=page.next) if page.next else "",
        "newest": query_of(request, cursor=None) if cursor else "",
        "csv": query_of(request, format="csv", cursor=None),
    }
    return render_region(request, "dashboards/interruption_list.html", "reclaims", context)


OUTCOMES = (
    ("", "Every reclaim"),
    ("open", "Still running"),
    ("ended", "Gone"),
    ("presumed", "Gone (presumed)"),
    ("cancelled", "Withdrawn"),
    ("hint", "Hints only"),
)
COUNTED_AS = (
    ("counted", "Counted by the measures"),
    ("hinted", "Foretold by a hint"),
    ("complete", "Hook complete"),
    ("partial", "Hook partial or overdue"),
    ("failed", "Hook failed"),
    ("no_report", "No hook report"),
    ("no_notice", "No notice, no hook"),
    ("undecided", "Hook not judged yet"),
    ("notice_usable", "Notice usable"),
    ("notice_short", "Notice too short"),
    ("notice_late", "Notice too late"),
    ("notice_untold", "No notice received"),
    ("notice_history", "Heard of a day later"),
)
"""What links of figures ask for: offered where it is what the list shows."""


@require_GET
@role_required(Role.VIEWER)
def interruption_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One machine's life second by second against its deadline, and who said so."""
    now = timezone.now()
    interruption = get_object_or_404(
        Interruption.objects.select_related("service__team", "machine", "pool", "merged_into", "episode"),
        pk=pk,
    )
    if interruption.merged_into_id is not None:
        return HttpResponseRedirect(
            reverse("dashboards:interruption_detail", args=[interruption.merged_into_id])
        )
    page = debug.reclaim_page(interruption, now=now)
    context = {
        "page": page,
        "one": interruption,
        "links": _links(interruption, now=now),
        "foreign_origin": foreign_origin(request, interruption.origin),
    }
    return render_region(request, "dashboards/interruption_detail.html", "reclaim witnesses", context)


@require_GET
@role_required(Role.VIEWER)
def interruption_by_key(request: HttpRequest, key: str) -> HttpResponse:
    """A key that somebody pasted: its own, or one that it had before."""
    origin = chosen_origin(request)
    found = Interruption.objects.filter(origin=origin, key=key).values_list("pk", flat=True).first()
    alias = (
        InterruptionAlias.objects.filter(origin=origin, key=key)
        .values_list("interruption", flat=True)
        .first()
    )
    if found is None and alias is None:
        raise Http404(f"No interruption has the key {key}.")
    return HttpResponseRedirect(reverse("dashboards:interruption_detail", args=[found or alias]))


@require_GET
@role_required(Role.VIEWER)
def raw_message(request: HttpRequest, pk: int) -> HttpResponse:
    """One message exactly as received, for the list of witnesses."""
    received_at = parse_datetime(request.GET.get("received_at", ""))
    delivery = debug.raw_message(pk, received_at) if received_at is not None else None
    context = {"delivery": delivery, "text": shown(bytes(delivery.body)) if delivery else ""}
    return render_region(
        request, "dashboards/raw_message.html", f"raw-{pk}", context | {"pk": pk}, is_all_region=True
    )


def _links(interruption: Interruption, *, now: datetime) -> list[tuple[str, str]]:
    """Links out to the service's logs, traces and metrics, filled for this reclaim."""
    service, machine = interruption.service, interruption.machine
    values = links.values_of(
        service=service.slug,
        started_at=interruption.started_at,
        ended_at=interruption.ended_at or now,
        interruption_key=interruption.key,
        instance_id=machine.instance_id,
        node_name=machine.node_name,
    )
    named = (("Logs", service.log_url), ("Traces", service.trace_url), ("Metrics", service.metric_url))
    return [(name, links.fill(template, values)) for name, template in named if template]
