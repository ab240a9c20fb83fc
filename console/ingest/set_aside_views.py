"""Beside the quarantine: what alerting set aside, and trying it again."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from console.accounts.audit import Actor
from console.accounts.models import Role
from console.accounts.origin import chosen_origin
from console.accounts.permissions import role_required
from console.alerts.setting_aside import MOST_AT_ONCE, Again, try_again
from console.ingest.bells import ALERT


@require_POST
@role_required(Role.RESPONDER)
def set_aside_again(request: HttpRequest) -> HttpResponse:
    """Queue the chosen items once more; or, with `all`, everything of the origin shown."""
    chosen = [int(pk) for pk in request.POST.getlist("item")[:MOST_AT_ONCE] if pk.isdigit() and len(pk) < 19]
    origin = chosen_origin(request)
    wanted = Again(origin, only=None if request.POST.get("all") else chosen)
    count = try_again(wanted, by=Actor.of(request), now=timezone.now())
    if count:
        ALERT.ring()
        messages.success(request, f"{count:,} tried again. What fails again comes back here.")
    else:
        messages.info(request, "Nothing of this is set aside any more.")
    return redirect(reverse("ingest:quarantine_list") + (f"?origin={origin}" if origin != "live" else ""))
