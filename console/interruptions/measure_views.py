"""`/interruptions/lost-work/`, `gaps/` and `recovery/`: M4, M6 and M8 whole, a place at a time, and row by row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_GET

from console.accounts.models import Role
from console.accounts.origin import chosen_origin
from console.accounts.permissions import role_required
from console.interruptions import measure_answers as answers
from console.interruptions import measure_rows as rows
from console.interruptions.api_measures import MeasureOut
from console.interruptions.measure_words import COLUMNS, NOUNS, answer_of, line_of
from console.interruptions.measures import Dimension, Measure, Scope, Window, rolled_up_at
from console.interruptions.models import Signal
from console.interruptions.page_filters import PageFilters
from console.lib.csv_file import csv_response
from console.lib.pages import render_region

PLACES = tuple(dimension.value for dimension in Dimension)
Answer = Callable[[Scope, Window, Dimension | None, datetime], list[Measure]]


@dataclass(frozen=True, slots=True)
class Page:
    """What differs from measure to measure."""

    name: str
    title: str
    lead: str
    answer: Answer
    rows: Callable[..., Sequence[Any]]
    row: type[Any]


PAGES = {
    "lost-work": Page(
        "m4",
        "How much work is lost?",
        "Seconds of work done after the last durable checkpoint, of all seconds worked. Starting again is told apart.",
        lambda scope, window, by, now: answers.work(scope, window=window, by=by),
        rows.job_rows,
        rows.JobRow,
    ),
    "gaps": Page(
        "m6",
        "Do we see what happens while a machine goes?",
        "From the last sample before a machine's end to the first by another after it. Its worst stream counts.",
        lambda scope, window, by, now: answers.gaps(scope, window=window, by=by, now=now),
        rows.gap_rows,
        rows.GapRow,
    ),
    "recovery": Page(
        "m8",
        "How soon is a lost replica ready again?",
        "From its last write to being ready: until the loss is plain, the volume attached, the data caught up.",
        lambda scope, window, by, now: answers.recoveries(scope, window=window, by=by, now=now),
        rows.recovery_rows,
        rows.RecoveryRow,
    ),
}


@require_GET
@role_required(Role.VIEWER)
def measure_detail(request: HttpRequest, name: str) -> HttpResponseBase:
    """One measure: its figure, its places, its rows; the latter two as CSV as well."""
    page = PAGES.get(name)
    if page is None:
        raise Http404(f"No measure has a page called {name}.")
    origin, now = chosen_origin(request), timezone.now()
    as_of = rolled_up_at(origin)
    filters = PageFilters.of(request.GET, usual="7d", usual_by="service", dimensions=PLACES)
    signal = request.GET.get("signal", "")
    signal = signal if signal in Signal.values else Signal.TELEMETRY.value
    context = {
        "page": page,
        "filters": filters,
        "origin": origin,
        "as_of": as_of,
        "here": name,
        "signal": signal,
    }
    if as_of is not None:
        scope, window = filters.scope(origin), filters.window(as_of)
        of_signal = {"signal": signal} if page.name == "m6" else {}
        if request.GET.get("format") == "csv":
            return _csv(request, page, scope, window, filters.by, now, of_signal)
        context |= _shown(page, scope, window, filters.by, now, of_signal)
    return render_region(request, "interruptions/measure_detail.html", "measure", context)


def _shown(
    page: Page, scope: Scope, window: Window, by: Dimension, now: datetime, of_signal: dict[str, str]
) -> dict[str, Any]:
    groups = page.answer(scope, window, by, now)
    listed = page.rows(scope, window=window, now=window.as_of, most=rows.MOST + 1, **of_signal)
    whole = page.answer(scope, window, None, now)
    return {
        "window": window,
        "answers": [answer_of(one) for one in whole],
        "notes": [note for one in whole for note in one.notes],
        "columns": COLUMNS[page.name],
        "noun": NOUNS[page.name],
        "groups": [line_of(one) for one in groups if one.signal in ("", of_signal.get("signal", ""))],
        "rows": listed[: rows.MOST],
        "has_more": len(listed) > rows.MOST,
        "signals": Signal.choices,
    }


def _csv(
    request: HttpRequest,
    page: Page,
    scope: Scope,
    window: Window,
    by: Dimension,
    now: datetime,
    of_signal: dict[str, str],
) -> HttpResponseBase:
    if request.GET.get("table") == "rows":
        found = page.rows(scope, window=window, now=window.as_of, most=rows.MOST_IN_FILE, **of_signal)
        columns = [one.name for one in fields(page.row)]
        return csv_response((asdict(row) for row in found), columns=columns, name=f"{page.name}-rows")
    lines = (MeasureOut.of(one).model_dump() for one in page.answer(scope, window, by, now))
    return csv_response(lines, columns=list(MeasureOut.model_fields), name=page.name)
