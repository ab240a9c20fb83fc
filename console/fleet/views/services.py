"""Services: which there are, one of them, and changing them."""

from __future__ import annotations

from typing import Any

import msgspec
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from console.accounts.audit import Actor
from console.accounts.models import Role
from console.accounts.origin import chosen_origin
from console.accounts.permissions import role_required
from console.fleet.forms import ServiceFilterForm, ServiceForm
from console.fleet.models import Service
from console.fleet.queries import ServiceFilter, service_lines
from console.fleet.service_changes import ServiceRow, archive_service, picture, save_services
from console.fleet.service_page import may_manage, service_page
from console.lib.cursor import page_of, query_of
from console.lib.pages import render_region

ROWS = 100
ORDER = ["slug", "pk"]


@require_GET
@role_required(Role.VIEWER)
def service_list(request: HttpRequest) -> HttpResponseBase:
    origin = chosen_origin(request)
    asked = {
        name: request.GET.get(name, "").replace("\0", "") for name in ("q", "team", "kind", "criticality")
    }
    wanted = ServiceFilter(**asked, is_archived=request.GET.get("archived") == "yes")
    found = wanted.of(origin).select_related("team", "owner")
    page = page_of(request, queryset=found, order=ORDER, size=ROWS)
    context = {
        "lines": service_lines(page.items),
        "filters": ServiceFilterForm(request.GET, origin=origin),
        "wanted": wanted,
        "is_filtered": wanted != ServiceFilter(),
        "next_url": "?" + query_of(request, cursor=page.next) if page.next else "",
        "first_url": "?" + query_of(request, cursor=None) if request.GET.get("cursor") else "",
        "may_manage": may_manage(request),
        "has_any": bool(page.items) or Service.objects.filter(origin=origin).exists(),
    }
    return render_region(request, "fleet/service_list.html", "service-table", context)


@require_GET
@role_required(Role.VIEWER)
def service_detail(request: HttpRequest, slug: str) -> HttpResponseBase:
    context = service_page(request, _service(request, slug), now=timezone.now())
    return render_region(request, "fleet/service_detail.html", "service-state service-machines", context)


@require_http_methods(["GET", "POST"])
@role_required(Role.MANAGER)
def service_create(request: HttpRequest) -> HttpResponse:
    origin = chosen_origin(request)
    form = ServiceForm(request.POST or None, origin=origin)
    if request.method == "POST" and form.is_valid():
        _save(request, form, slug=form.cleaned_data.pop("slug"), origin=origin)
        messages.success(request, f"{form.cleaned_data['name']} is made.")
        return redirect("fleet:service_list")
    context = {"form": form, "title": "New service"}
    return render(request, "fleet/service_form.html", context, status=_status(form))


@require_http_methods(["GET", "POST"])
@role_required(Role.MANAGER)
def service_edit(request: HttpRequest, slug: str) -> HttpResponse:
    service = _service(request, slug)
    initial = picture(service)
    form = ServiceForm(request.POST or None, origin=service.origin, service=service, initial=initial)
    if request.method == "POST" and form.is_valid():
        _save(request, form, slug=slug, origin=service.origin)
        messages.success(request, f"{form.cleaned_data['name']} is saved.")
        return redirect("fleet:service_detail", slug=slug)
    context = {"form": form, "service": service, "title": f"Change {service.name}"}
    return render(request, "fleet/service_form.html", context, status=_status(form))


@require_POST
@role_required(Role.MANAGER)
def service_archive(request: HttpRequest, slug: str) -> HttpResponse:
    service = _service(request, slug)
    is_archived = request.POST.get("archived") == "yes"
    archive_service(service, is_archived=is_archived, actor=Actor.of(request), now=timezone.now())
    messages.success(request, f"{service.name} is {'archived' if is_archived else 'back in use'}.")
    return redirect("fleet:service_detail", slug=slug)


def _service(request: HttpRequest, slug: str) -> Service:
    found = Service.objects.select_related("team", "owner")
    service = found.filter(origin=chosen_origin(request), slug=slug).first()
    if service is None:
        raise Http404(f"There is no service {slug} in this data origin.")
    return service


def _save(request: HttpRequest, form: ServiceForm, *, slug: str, origin: str) -> None:
    values: dict[str, Any] = {name: value for name, value in form.cleaned_data.items() if name != "slug"}
    values |= {name: values[name] or None for name in ("team", "owner")}
    row = msgspec.convert({"slug": slug, **values}, ServiceRow)
    save_services([row], origin=origin, actor=Actor.of(request), now=timezone.now())


def _status(form: ServiceForm) -> int:
    return 422 if form.errors else 200
