"""`/costs/imports/`: giving bills to the console, and what became of each."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from console.accounts.audit import Actor
from console.accounts.models import Role
from console.accounts.origin import chosen_origin, foreign_origin
from console.accounts.permissions import role_required, signed_in
from console.costs.checking import DEFECTS
from console.costs.confirming import confirm
from console.costs.forms import ImportForm
from console.costs.giving import Asked
from console.costs.models import BillingImport, Mode
from console.costs.queries import import_page, import_rows
from console.costs.uploading import upload
from console.lib.csv_file import csv_response
from console.lib.pages import render_region


@require_http_methods(["GET", "POST"])
@role_required(Role.VIEWER)
def import_list(request: HttpRequest) -> HttpResponse:
    """The newest imports; a manager gives files here."""
    user, origin = signed_in(request), chosen_origin(request)
    may_import = user.may(Role.MANAGER)
    form = ImportForm()
    if request.method == "POST":
        if not may_import:
            raise PermissionDenied("This needs the role manager.")
        form = ImportForm(request.POST, request.FILES)
        if form.is_valid():
            asked = Asked(
                origin,
                Mode(form.cleaned_data["mode"]),
                form.cleaned_data["provider"],
                form.cleaned_data["currency"],
            )
            files = form.cleaned_data["bills"]
            upload(files, asked, var=settings.CONSOLE_VAR, by=Actor.of(request), now=timezone.now())
            said = "The file waits" if len(files) == 1 else f"{len(files)} files wait"
            messages.success(request, f"{said} to be read.")
            return redirect("costs:import_list")
    rows = import_rows(origin=origin)
    is_busy = any(row.is_under_way for row in rows)
    context = {"rows": rows, "form": form, "may_import": may_import, "is_busy": is_busy}
    return render_region(
        request, "costs/import_list.html", "imports", context, status=422 if form.errors else 200
    )


@require_GET
@role_required(Role.VIEWER)
def import_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """What one file held, what was odd about it, and what was not taken."""
    row = get_object_or_404(BillingImport.objects.select_related("created_by"), pk=pk)
    context = {
        "page": import_page(row),
        "may_import": signed_in(request).may(Role.MANAGER),
        "foreign_origin": foreign_origin(request, row.origin),
    }
    return render_region(request, "costs/import_detail.html", "import", context)


@require_POST
@role_required(Role.MANAGER)
def import_confirm(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(BillingImport, pk=pk)
    if confirm(row, by=Actor.of(request), now=timezone.now()):
        messages.success(request, "Confirmed: the month will be restated.")
    else:
        messages.warning(request, "Somebody decided about this file before.")
    return redirect("costs:import_detail", row.pk)


@require_GET
@role_required(Role.VIEWER)
def import_problems(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Rejected rows and defects as CSV."""
    row = get_object_or_404(BillingImport, pk=pk)
    columns = ("line", "kind", "reason", "raw")
    return csv_response(_problems(row), columns=columns, name=f"import-{row.pk}-problems")


def _problems(row: BillingImport) -> Iterator[dict[str, object]]:
    for rejected in row.rejected_rows.order_by("line").iterator(chunk_size=2000):
        yield {"line": rejected.line, "kind": "rejected", "reason": rejected.reason, "raw": rejected.raw}
    for defect in row.defects.order_by("line", "reason").iterator(chunk_size=2000):
        yield {
            "line": defect.line,
            "kind": "defect",
            "reason": DEFECTS.get(defect.reason, defect.reason),
            "raw": defect.raw,
        }
