"""`/slo/spikes/` and `/slo/burns/`: M7 and M9 whole, a place at a time, and episode by episode."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_GET

from console.accounts.models import Role
from console.accounts.origin import chosen_origin
from console.accounts.permissions import role_required
from console.interruptions.api_measures import MeasureOut
from console.interruptions.measures import Dimension, Measure, Scope, Window, rolled_up_at
from console.interruptions.page_filters import PageFilters
from console.lib.csv_file import csv_response
from console.lib.pages import render_region
from console.slo import measure_rows as rows
from console.slo.measure_words import COLUMNS, answer_of, line_of
from console.slo.measures_m7 import error_spike
from console.slo.measures_m9 import burn_after_eviction

PLACES = tuple(dimension.value for dimension in Dimension)


@dataclass(frozen=True, slots=True)
class Page:
    """What differs between the two."""

    name: str
    here: str
    title: str
    lead: str
    answer: Callable[..., list[Measure]]
    rows: Callable[..., Sequence[Any]]
    row: type[Any]


SPIKES = Page(
    "m7",
    "spikes",
    "Do users feel it when machines go?",
    "Failed requests in the five minutes from the start of an episode, against those of the hour before it.",
    error_spike,
    rows.spike_lines,
    rows.SpikeLine,
)
BURNS = Page(
    "m9",
    "burns",
    "How fast do budgets burn after evictions?",
    "How many times as fast as it may an error budget went in the hour from the start of each episode.",
    burn_after_eviction,
    rows.burn_lines,
    rows.BurnLine,
)


@require_GET
@role_required(Role.VIEWER)
def spike_list(request: HttpRequest) -> HttpResponseBase:
    """M7."""
    return _measure(request, SPIKES)


@require_GET
@role_required(Role.VIEWER)
def burn_list(request: HttpRequest) -> HttpResponseBase:
    """M9."""
    return _measure(request, BURNS)


def _measure(request: HttpRequest, page: Page) -> HttpResponseBase:
    origin = chosen_origin(request)
    as_of = rolled_up_at(origin)
    filters = PageFilters.of(request.GET, usual="7d", usual_by="service", dimensions=PLACES)
    context = {"page": page, "filters": filters, "origin": origin, "as_of": as_of, "here": page.here}
    if as_of is not None:
        scope, window = filters.scope(origin), filters.window(as_of)
        if request.GET.get("format") == "csv":
            return _csv(page, scope, window, filters.by, is_rows=request.GET.get("table") == "rows")
        context |= _shown(page, scope, window, filters.by)
    return render_region(request, "slo/measure_detail.html", "measure", context)


def _shown(page: Page, scope: Scope, window: Window, by: Dimension) -> dict[str, Any]:
    whole = page.answer(scope, window=window)
    listed = page.rows(scope, window=window, most=rows.MOST + 1)
    return {
        "window": window,
        "answers": [answer_of(one) for one in whole],
        "notes": [note for one in whole for note in one.notes],
        "columns": COLUMNS[page.name],
        "groups": [line_of(one) for one in page.answer(scope, window=window, by=by)],
        "rows": listed[: rows.MOST],
        "has_more": len(listed) > rows.MOST,
    }


def _csv(page: Page, scope: Scope, window: Window, by: Dimension, *, is_rows: bool) -> HttpResponseBase:
    if is_rows:
        found = page.rows(scope, window=window, most=rows.MOST_IN_FILE)
        columns = [one.name for one in fields(page.row)]
        return csv_response((asdict(row) for row in found), columns=columns, name=f"{page.name}-rows")
    lines = (MeasureOut.of(one).model_dump() for one in page.answer(scope, window=window, by=by))
    return csv_response(lines, columns=list(MeasureOut.model_fields), name=page.name)
