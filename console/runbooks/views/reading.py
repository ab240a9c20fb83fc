"""`/runbooks/`: which runbooks there are, what one says, what changed between versions."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from console.accounts.models import Role
from console.accounts.origin import chosen_origin
from console.accounts.permissions import role_required, signed_in
from console.lib.pages import render_region
from console.runbooks.differences import compare
from console.runbooks.forms import NameForm
from console.runbooks.models import Runbook
from console.runbooks.queries import attachable_services, runbook_page, runbook_rows
from console.runbooks.variables import EXAMPLES, VARIABLES


@require_GET
@role_required(Role.VIEWER)
def runbook_list(request: HttpRequest) -> HttpResponse:
    """In use, then archived."""
    rows = runbook_rows(origin=chosen_origin(request))
    context = {
        "rows": [row for row in rows if row.runbook.archived_at is None],
        "archived": [row for row in rows if row.runbook.archived_at is not None],
        "may_manage": signed_in(request).may(Role.MANAGER),
    }
    return render_region(request, "runbooks/runbook_list.html", "runbooks", context)


@require_GET
@role_required(Role.VIEWER)
def runbook_detail(request: HttpRequest, slug: str) -> HttpResponse:
    """The newest published version, or the one that `?version=` names."""
    runbook = get_object_or_404(Runbook, slug=slug)
    asked = request.GET.get("version", "")
    origin = chosen_origin(request)
    page = runbook_page(runbook, number=int(asked) if asked.isdecimal() else None, origin=origin)
    may_manage = signed_in(request).may(Role.MANAGER)
    context = {
        "page": page,
        "runbook": runbook,
        "may_manage": may_manage,
        "services": attachable_services(runbook, origin=origin) if may_manage and page.newest else [],
        "name_form": NameForm(initial={"name": runbook.name, "summary": runbook.summary}),
        "variables": VARIABLES,
        "examples": EXAMPLES,
    }
    return render_region(request, "runbooks/runbook_detail.html", "runbook", context)


@require_GET
@role_required(Role.VIEWER)
def runbook_compare(request: HttpRequest, slug: str) -> HttpResponse:
    """Two versions, `?old=1&new=2`; the newest and the one before unless said otherwise. 0 is an empty one."""
    runbook = get_object_or_404(Runbook, slug=slug)
    versions = list(runbook.versions.select_related("published_by", "saved_by").order_by("-number"))
    by_number = {version.number: version for version in versions}
    new_number = _asked(request, "new", versions[0].number if versions else 0)
    old_number = _asked(request, "old", max(0, new_number - 1))
    if new_number not in by_number or (old_number and old_number not in by_number):
        raise Http404("There is no such version.")
    old, new = by_number.get(old_number), by_number[new_number]
    differences = compare(old.steps if old else [], new.steps)
    context = {
        "runbook": runbook,
        "versions": versions,
        "old": old,
        "new": new,
        "differences": differences,
        "is_same": all(difference.is_same for difference in differences),
    }
    return render_region(request, "runbooks/runbook_compare.html", "differences", context)


def _asked(request: HttpRequest, name: str, otherwise: int) -> int:
    asked = request.GET.get(name, "")
    return int(asked) if asked.isdecimal() and len(asked) < 7 else otherwise
