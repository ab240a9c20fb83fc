"""`/audit/`: who changed what."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_GET

from console.accounts.api import AuditEntryOut
from console.accounts.models import Role
from console.accounts.permissions import role_required
from console.accounts.queries import AUDIT_ORDER, AuditFilter, differences, known_actions
from console.lib.csv_file import csv_response
from console.lib.cursor import cut_page, each_page, query_of
from console.lib.pages import render_region
from console.lib.problems import Problem

ROWS = 50


@require_GET
@role_required(Role.MANAGER)
def audit_list(request: HttpRequest) -> HttpResponseBase:
    wanted = AuditFilter.of(request.GET, zone=timezone.get_current_timezone())
    if request.GET.get("format") == "csv":
        return _csv(wanted)
    try:
        page = cut_page(wanted.entries(), order=AUDIT_ORDER, cursor=request.GET.get("cursor", ""), size=ROWS)
    except Problem:  # a link from long ago: the list itself is still there
        page = cut_page(wanted.entries(), order=AUDIT_ORDER, size=ROWS)
    context = {
        "rows": [(entry, differences(entry)) for entry in page.items],
        "next": query_of(request, cursor=page.next) if page.next else "",
        "newest": query_of(request, cursor=None) if request.GET.get("cursor") else "",
        "is_later_page": bool(request.GET.get("cursor")),
        "csv": query_of(request, cursor=None, format="csv"),
        "wanted": wanted,
        "since": request.GET.get("since", ""),
        "until": request.GET.get("until", ""),
        "actions": known_actions(),
    }
    return render_region(request, "accounts/audit_list.html", "audit-table", context)


def _csv(wanted: AuditFilter) -> HttpResponseBase:
    chunks = each_page(wanted.entries(), order=AUDIT_ORDER)
    lines = (AuditEntryOut.from_orm(entry).model_dump() for chunk in chunks for entry in chunk)
    return csv_response(lines, columns=list(AuditEntryOut.model_fields), name="audit")
