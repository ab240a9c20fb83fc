"""`/interruptions/coverage/` and `/interruptions/rebalance/`: were we told in time, and can hints be trusted?"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_GET

from console.accounts.models import Role
from console.accounts.origin import chosen_origin
from console.accounts.permissions import role_required
from console.interruptions.api_warnings import ChannelOut, NoticesOut, TrustOut
from console.interruptions.coverage import channels, notices
from console.interruptions.measures import rolled_up_at
from console.interruptions.page_filters import PageFilters
from console.interruptions.rebalance_trust import rebalance_trust
from console.lib.csv_file import csv_response
from console.lib.pages import render_region

PLACES = ("provider", "region", "pool", "service")


@require_GET
@role_required(Role.VIEWER)
def coverage(request: HttpRequest) -> HttpResponseBase:
    """Promised and actual notice a place, and which channel told of which reclaims."""
    origin, as_of = chosen_origin(request), rolled_up_at(chosen_origin(request))
    filters = PageFilters.of(request.GET, usual="7d", usual_by="provider", dimensions=PLACES)
    context = {"filters": filters, "origin": origin, "as_of": as_of}
    if as_of is not None:
        scope, window = filters.scope(origin), filters.window(as_of)
        if request.GET.get("format") == "csv" and request.GET.get("table") == "channels":
            lines = (ChannelOut.of(one).model_dump() for one in channels(scope, window=window).rows)
            return csv_response(lines, columns=list(ChannelOut.model_fields), name="channels")
        groups = notices(scope, window=window, by=filters.by)
        if request.GET.get("format") == "csv":
            lines = (NoticesOut.of(one, window).model_dump() for one in groups)
            return csv_response(lines, columns=list(NoticesOut.model_fields), name="coverage")
        context |= {"whole": notices(scope, window=window)[0], "groups": groups, "window": window}
        context["channels"] = channels(scope, window=window)
    return render_region(request, "interruptions/coverage.html", "coverage", context)


@require_GET
@role_required(Role.VIEWER)
def rebalance(request: HttpRequest) -> HttpResponseBase:
    """Precision, recall and lead time of recommendations, the whole and a place at a time."""
    origin, as_of = chosen_origin(request), rolled_up_at(chosen_origin(request))
    filters = PageFilters.of(request.GET, usual="13w", usual_by="pool", dimensions=PLACES)
    context = {"filters": filters, "origin": origin, "as_of": as_of}
    if as_of is not None:
        scope, window = filters.scope(origin), filters.window(as_of)
        groups = rebalance_trust(scope, window=window, by=filters.by)
        if request.GET.get("format") == "csv":
            lines = (TrustOut.of(one, window).model_dump() for one in groups)
            return csv_response(lines, columns=list(TrustOut.model_fields), name="rebalance")
        context |= {"whole": rebalance_trust(scope, window=window)[0], "groups": groups, "window": window}
    return render_region(request, "interruptions/rebalance.html", "rebalance", context)
