"""The look-up behind the palette."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from console.accounts.models import Role
from console.accounts.origin import chosen_origin
from console.accounts.permissions import role_required, signed_in
from console.dashboards.palette import find


@require_GET
@role_required(Role.VIEWER)
def palette(request: HttpRequest) -> JsonResponse:
    """What `q` finds, as the lines that the palette shows."""
    may_act = signed_in(request).may(Role.RESPONDER)
    q = request.GET.get("q", "").replace("\0", "")
    found = find(q, origin=chosen_origin(request), may_act=may_act, now=timezone.now())
    response = JsonResponse([one.as_json for one in found], safe=False)
    response["Cache-Control"] = "no-store"
    return response
