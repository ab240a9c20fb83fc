"""`/settings/deliveries/`: every message that went out, was to go out, or stayed in the house; and each try."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET

from console.accounts.models import Role, User
from console.accounts.origin import chosen_origin, foreign_origin
from console.accounts.permissions import role_required, signed_in
from console.lib.cursor import page_of, query_of
from console.lib.pages import once, render_region
from console.notifications import queries
from console.notifications.models import Channel, NotificationKind, NotificationState
from console.notifications.retrying import MOST_ATTEMPTS

SIZE = 60


@require_GET
@role_required(Role.RESPONDER)
def delivery_list(request: HttpRequest) -> HttpResponse:
    """The outbox, the newest first."""
    filters = queries.Filters.of(request.GET)
    rows = filters.narrow(queries.notifications().filter(origin=chosen_origin(request)))
    page = page_of(request, queryset=rows, order=queries.ORDER, size=SIZE)
    now = timezone.now()
    context = {
        "filters": filters,
        "rows": page.items,
        "next": query_of(request, cursor=page.next) if page.next else "",
        "newest": query_of(request, cursor=None) if request.GET.get("cursor") else "",
        "states": NotificationState.choices,
        "kinds": NotificationKind.choices,
        "people": once(lambda: User.objects.exclude(notifications=None).distinct().order_by("name", "pk")),
        "channels": once(lambda: Channel.objects.order_by("name", "pk")),
        "figures": once(lambda: queries.outbox_figures(now=now)),
        "may_manage": signed_in(request).may(Role.ADMIN),
    }
    return render_region(request, "notifications/delivery_list.html", "outbox delivery-table", context)


@require_GET
@role_required(Role.RESPONDER)
def delivery_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One message: its words, why it went this way, and what the provider said to each try."""
    row = get_object_or_404(queries.notification_in_full(queries.notifications()), pk=pk)
    context = {
        "row": row,
        "foreign_origin": foreign_origin(request, row.origin),
        "attempts": list(row.attempts.all()),
        "bundled": list(row.bundled.all()),
        "most": MOST_ATTEMPTS,
    }
    return render_region(request, "notifications/delivery_detail.html", "delivery", context)
