"""`/costs/`: what spot saved, and the rows behind each figure."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_GET

from console.accounts.models import Role
from console.accounts.origin import chosen_origin
from console.accounts.permissions import role_required
from console.costs.asked import ALL, DIMENSIONS, VIEWS, Wanted
from console.costs.overview import (
    CHARGE_COLUMNS,
    CHARGE_ORDER,
    Overview,
    charge_values,
    known_months,
    overview,
)
from console.lib.csv_file import csv_response
from console.lib.cursor import each_page, page_of, query_of
from console.lib.pages import render_region

ROWS = 50
COLUMNS = (
    *("key", "name", "currency", "rows", "billed", "spot_rows", "spot_cost", "baseline", "gross"),
    *("gross_rate", "rows_without_baseline", "cost_without_baseline", "repaired_rows", "spot_share"),
)


@require_GET
@role_required(Role.VIEWER)
def cost_overview(request: HttpRequest) -> HttpResponseBase:
    """By one dimension; `?format=csv` gives the same table, exact."""
    wanted, months = _wanted(request)
    page = overview(wanted, months=months, now=timezone.now())
    if request.GET.get("format") == "csv":
        return csv_response(_lines(page), columns=COLUMNS, name=f"costs-by-{wanted.by}-{wanted.month}")
    context = {
        "page": page,
        "wanted": wanted,
        "dimensions": [(key, label, wanted.address(by=key)) for key, label in DIMENSIONS.items()],
        "views": VIEWS.items(),
        "all": ALL,
        "csv": f"{wanted.address()}&format=csv",
        "filters": [(name, value, wanted.address(**{name: ""})) for name, value in wanted.filters.items()],
    }
    return render_region(request, "costs/cost_overview.html", "savings", context)


@require_GET
@role_required(Role.VIEWER)
def charge_list(request: HttpRequest) -> HttpResponseBase:
    """Bill rows of one question; `?spot=1` those of spot machines alone; `?format=csv` all of them, exact."""
    wanted, _ = _wanted(request)
    charges = wanted.charges().select_related("billing_import")
    if request.GET.get("format") == "csv":
        chunks = each_page(charges, order=CHARGE_ORDER)
        lines = (charge_values(charge) for chunk in chunks for charge in chunk)
        return csv_response(lines, columns=CHARGE_COLUMNS, name=f"charges-{wanted.month}")
    page = page_of(request, queryset=charges, order=CHARGE_ORDER, size=ROWS)
    context = {
        "rows": page.items,
        "wanted": wanted,
        "next_url": f"?{query_of(request, cursor=page.next)}" if page.next else "",
        "first_url": f"?{query_of(request, cursor=None)}" if request.GET.get("cursor") else "",
        "shown": len(page.items),
        "csv": query_of(request, cursor=None, format="csv"),
        "back": wanted.address(**dict.fromkeys(wanted.filters, "")),
    }
    return render_region(request, "costs/charge_list.html", "charges", context)


def _wanted(request: HttpRequest) -> tuple[Wanted, list[str]]:
    origin = chosen_origin(request)
    view = "billing" if request.GET.get("view") == "billing" else "charge"
    months = known_months(origin=origin, view=view)
    return Wanted.of(request.GET, origin=origin, newest=months[0] if months else ALL), months


def _lines(page: Overview) -> Iterator[dict[str, object]]:
    for table in page.tables:
        for line in table.lines:
            yield {
                "key": line.key,
                "name": line.name,
                "currency": line.currency,
                "rows": line.rows,
                "billed": line.billed,
                "spot_rows": line.spot.rows,
                "spot_cost": line.spot.cost,
                "baseline": line.spot.baseline,
                "gross": line.spot.gross,
                "gross_rate": line.spot.gross_rate,
                "rows_without_baseline": line.spot.rows_without_baseline,
                "cost_without_baseline": line.spot.cost_without_baseline,
                "repaired_rows": line.repaired_rows,
                "spot_share": line.spot_share,
            }
