"""`/executive/`, as a page and as CSV."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_GET

from console.accounts.models import Role
from console.accounts.origin import chosen_origin
from console.accounts.permissions import role_required
from console.dashboards.executive import Filters, read_board
from console.interruptions.api_measures import MeasureOut
from console.lib.csv_file import csv_response
from console.lib.pages import render_region


@require_GET
@role_required(Role.VIEWER)
def executive(request: HttpRequest) -> HttpResponseBase:
    """How often do we lose spot machines, and how well do we take it?"""
    origin = chosen_origin(request)
    board = read_board(origin=origin, filters=Filters.of(request.GET), now=timezone.now())
    if request.GET.get("format") == "csv":
        rows = [MeasureOut.of(measure).model_dump() for measure in board.measures]
        return csv_response(rows, columns=list(MeasureOut.model_fields), name="executive")
    context = {"board": board, "filters": board.filters, "choices": board.choices, "origin": origin}
    return render_region(request, "dashboards/executive.html", "figures", context)
