"""Instances: what runs and what ran."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_GET

from console.accounts.models import Role
from console.accounts.origin import chosen_origin
from console.accounts.permissions import role_required
from console.fleet.api.instances import InstanceOut, shape
from console.fleet.forms import InstanceFilterForm
from console.fleet.queries import INSTANCE_ORDER, InstanceFilter, instance_lines, known_places
from console.lib.csv_file import csv_response
from console.lib.cursor import each_page, page_of, query_of
from console.lib.pages import render_region

ROWS = 50
FILTERS = ("q", "service", "provider", "region", "zone", "instance_type", "lifecycle", "running")


@require_GET
@role_required(Role.VIEWER)
def instance_list(request: HttpRequest) -> HttpResponseBase:
    origin = chosen_origin(request)
    given: dict[str, Any] = {name: request.GET.get(name, "").replace("\0", "") for name in FILTERS}
    wanted = InstanceFilter(**given)
    found = wanted.of(origin)
    if request.GET.get("format") == "csv":
        pages = each_page(found, order=INSTANCE_ORDER)
        lines = (line.model_dump() for page in pages for line in shape(page))
        return csv_response(lines, columns=list(InstanceOut.model_fields), name="instances")
    page = page_of(request, queryset=found, order=INSTANCE_ORDER, size=ROWS)
    context = {
        "lines": instance_lines(page.items),
        "filters": InstanceFilterForm(request.GET, known=known_places(origin)),
        "wanted": wanted,
        "is_filtered": wanted != InstanceFilter(),
        "next_url": "?" + query_of(request, cursor=page.next) if page.next else "",
        "first_url": "?" + query_of(request, cursor=None) if request.GET.get("cursor") else "",
        "csv_url": "?" + query_of(request, cursor=None, format="csv"),
    }
    return render_region(request, "fleet/instance_list.html", "instance-table", context)
