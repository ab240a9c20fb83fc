"""Uploading services, inventory and workloads as CSV: look at what would be taken, then take it."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from console.accounts.audit import Actor
from console.accounts.models import Role
from console.accounts.origin import chosen_origin
from console.accounts.permissions import role_required
from console.fleet.forms import UploadForm
from console.fleet.uploads import UPLOADS, read_upload, take_upload
from console.lib.csv_file import NotCsv


@require_http_methods(["GET", "POST"])
@role_required(Role.MANAGER)
def import_rows(request: HttpRequest, what: str) -> HttpResponse:
    upload = UPLOADS.get(what)
    if upload is None:
        raise Http404("Services, inventory and workloads can be imported.")
    origin, now = chosen_origin(request), timezone.now()
    form = UploadForm(request.POST or None, request.FILES or None) if request.FILES else UploadForm()
    context = {"upload": upload, "uploads": UPLOADS.values(), "form": form}
    content = request.POST.get("content", "").encode()
    if request.method == "POST" and not content:
        form = context["form"] = UploadForm(request.POST, request.FILES)
        content = form.cleaned_data["file"].read() if form.is_valid() else b""
    if not content:
        return render(request, "fleet/import_form.html", context, status=422 if form.errors else 200)
    try:
        read = read_upload(upload, content, origin=origin, now=now)
    except NotCsv as error:
        form.add_error("file", str(error)) if form.is_bound else messages.error(request, str(error))
        return render(request, "fleet/import_form.html", context, status=422)
    if request.POST.get("confirm") and read.batch.rows:
        stored = take_upload(read, origin=origin, actor=Actor.of(request), now=now)
        left_out = read.row_count - len(read.batch.rows)
        said = f"{stored:,} of {read.row_count:,} row{'' if read.row_count == 1 else 's'} changed something."
        if left_out:
            messages.warning(
                request,
                f"{said} {left_out:,} could not be taken and {'was' if left_out == 1 else 'were'} left out.",
            )
        else:
            messages.success(request, said)
        return redirect(upload.seen_at)
    return render(request, "fleet/import_preview.html", context | {"read": read})
