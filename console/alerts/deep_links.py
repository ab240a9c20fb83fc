"""Addresses of what stands within a group's page: a machine of it, a receipt.

They lead to the page with `?at=<element>`, which survives a sign-in as a fragment does not; `places.js` opens what is
folded round it and puts the focus there, and without script the fragment does.
"""

from __future__ import annotations

import re

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_GET

from console.accounts.models import Role
from console.accounts.permissions import role_required
from console.alerts.models import GroupMember, Receipt

PLACE = re.compile(r"(interruption|receipt)-(\d{1,18})")


def asked_for(request: HttpRequest) -> tuple[str, int]:
    """`("receipt", 12)` for `?at=receipt-12`, so that the page lists it however old; else nothing."""
    match = PLACE.fullmatch(request.GET.get("at", ""))
    return (match[1], int(match[2])) if match else ("", 0)


@require_GET
@role_required(Role.VIEWER)
def member_link(request: HttpRequest, pk: int, member: int) -> HttpResponse:
    """A machine where it stands in its group."""
    if not GroupMember.objects.filter(group=pk, interruption=member).exists():
        raise Http404("That machine is not in this group any more. Look for it among the reclaims.")
    return _to(pk, f"interruption-{member}")


@require_GET
@role_required(Role.VIEWER)
def receipt_link(request: HttpRequest, pk: int, receipt: int) -> HttpResponse:
    """A receipt where it stands among its group's."""
    if not Receipt.objects.filter(group=pk, pk=receipt).exists():
        raise Http404("This group has no such receipt.")
    return _to(pk, f"receipt-{receipt}")


def _to(pk: int, place: str) -> HttpResponse:
    return HttpResponseRedirect(f"{reverse('alerts:group_detail', args=[pk])}?at={place}#{place}")
