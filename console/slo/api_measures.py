"""M7 and M9 for programs: `/api/v1/measures/m7` and `m9`, in the shape of the other measures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse
from ninja import Query, Router

from console.accounts.api_auth import TokenAuth, token_of
from console.accounts.models import Scope as TokenScope
from console.interruptions.api_measures import MeasureOut, MeasureQuery, length_of, window_of
from console.interruptions.measures import NOT_COMPUTED, Measure, rolled_up_at, unknown
from console.lib.csv_file import csv_response
from console.lib.cursor import Listing
from console.slo.measures_m7 import error_spike
from console.slo.measures_m9 import burn_after_eviction

router = Router(tags=["measures"], auth=TokenAuth(TokenScope.READ))
USUAL = "7d"


@router.get("/measures/m7", response=Listing[MeasureOut], summary="Error spikes after episodes")
def spike_get(request: HttpRequest, query: Query[MeasureQuery]) -> dict[str, Any] | StreamingHttpResponse:
    """M7: the worst episode of the window; the median of them among the figures."""
    return _answer(request, query, "m7", error_spike)


@router.get("/measures/m9", response=Listing[MeasureOut], summary="Error-budget burn after evictions")
def burn_get(request: HttpRequest, query: Query[MeasureQuery]) -> dict[str, Any] | StreamingHttpResponse:
    """M9: the worst burn in the hour from the start of an episode."""
    return _answer(request, query, "m9", burn_after_eviction)


def _answer(
    request: HttpRequest, query: MeasureQuery, name: str, measure: Callable[..., list[Measure]]
) -> dict[str, Any] | StreamingHttpResponse:
    origin = token_of(request).origin
    span, as_of = length_of(query.window or USUAL), rolled_up_at(origin)
    if as_of is None:
        found = [unknown(name, "", NOT_COMPUTED)]
    else:
        found = measure(query.scope(origin), window=window_of(span, query.until, as_of), by=query.by)
    items = [MeasureOut.of(one) for one in found]
    if query.format == "csv":
        lines = (item.model_dump() for item in items)
        return csv_response(lines, columns=list(MeasureOut.model_fields), name=name)
    return {"items": items, "next": None}
