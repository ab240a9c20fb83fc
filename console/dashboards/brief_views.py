"""The shift brief."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from console.accounts.models import Role
from console.accounts.origin import chosen_origin
from console.accounts.permissions import role_required, signed_in
from console.dashboards.shift_brief import CHOICES, brief_of
from console.lib.pages import render_region


@require_GET
@role_required(Role.VIEWER)
def shift_brief(request: HttpRequest) -> HttpResponse:
    """What happened since your last shift?"""
    now, origin = timezone.now(), chosen_origin(request)
    asked, is_all = request.GET.get("since", ""), request.GET.get("scope") == "all"
    brief = brief_of(signed_in(request), origin=origin, asked=asked, is_all=is_all, now=now)
    context = {
        "brief": brief,
        "asked": asked if asked in CHOICES else "",
        "is_all": is_all,
        "choices": CHOICES.items(),
    }
    return render_region(request, "dashboards/shift_brief.html", "brief", context)
