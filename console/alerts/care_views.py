"""Pages about alerting itself: what is held too long, and what was not worth a page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_GET

from console.accounts.models import Role
from console.accounts.origin import chosen_origin
from console.accounts.permissions import role_required, signed_in
from console.alerts import care
from console.alerts import noise as noise_report
from console.lib.csv_file import csv_response
from console.lib.pages import render_region


@require_GET
@role_required(Role.VIEWER)
def forgotten(request: HttpRequest) -> HttpResponse:
    """What somebody took and nobody closed, by how long they have had it."""
    context = {
        "held": care.held_groups(origin=chosen_origin(request)),
        "may_act": signed_in(request).may(Role.RESPONDER),
    }
    return render_region(request, "alerts/forgotten.html", "held", context)


@require_GET
@role_required(Role.VIEWER)
def noise(request: HttpRequest) -> HttpResponse:
    """One week of pages, and what people said of them; `?format=csv` for all lines."""
    this_week = noise_report.week_of(timezone.now())
    since = min(_week(request.GET.get("week", "")) or this_week, this_week)
    found = noise_report.report(since, origin=chosen_origin(request))
    if request.GET.get("format") == "csv":
        return _csv(found)
    context = {
        "report": found,
        "earlier": since - timedelta(days=7),
        "later": since + timedelta(days=7) if since < this_week else None,
        "is_partial": since == this_week,
    }
    return render_region(request, "alerts/noise.html", "noise", context)


def _week(text: str) -> datetime | None:
    try:
        day = parse_date(text)
    except ValueError:
        return None
    return noise_report.week_of(datetime(day.year, day.month, day.day, tzinfo=UTC)) if day else None


def _csv(found: noise_report.Report) -> HttpResponse:
    kinds = (("rule", found.rules), ("service", found.services), ("person", found.people))
    rows = (
        {
            "week": found.since.date(),
            "kind": kind,
            "name": line.name,
            "pages": line.pages,
            "groups": line.groups,
        }
        | line.verdicts
        for kind, lines in kinds
        for line in lines
    )
    columns = ("week", "kind", "name", "pages", "groups", "good", "not_actionable", "noise")
    return csv_response(rows, columns=columns, name=f"noise-{found.since:%Y-%m-%d}")  # type: ignore[return-value]
