"""`/settings/subscribers/`: who hears outside, and what became of the last deliveries."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from console.accounts.audit import Actor
from console.accounts.models import Role
from console.accounts.permissions import role_required, signed_in
from console.lib.pages import render_region
from console.notifications.models import EventDelivery, Subscriber
from console.notifications.subscribers import changes
from console.notifications.subscribers.changes import CannotSubscribe
from console.notifications.subscribers.forms import SubscriberForm

MOST_DELIVERIES = 50


@never_cache
@sensitive_variables("secret")
@require_http_methods(["GET", "POST"])
@role_required(Role.MANAGER)
def subscriber_list(request: HttpRequest) -> HttpResponse:
    """The list; for administrators the form for a new one and, this once, its secret."""
    form = SubscriberForm(request.POST or None, initial={"origin": "live"})
    context: dict[str, object] = {}
    is_admin = signed_in(request).may(Role.ADMIN)
    if request.method == "POST" and is_admin and form.is_valid():
        try:
            row, secret = changes.create(
                form.wanted, by=Actor.of(request), made_by=signed_in(request), now=timezone.now()
            )
        except CannotSubscribe as refusal:
            form.add_error("name", str(refusal))
        else:
            context |= {"made": row, "secret": secret}
            form = SubscriberForm(initial={"origin": "live"})
    waiting = Count("deliveries", filter=Q(deliveries__state="queued"))
    rows = Subscriber.objects.annotate(waiting=waiting).order_by("name", "pk")
    context |= {
        "form": form,
        "subscribers": [row for row in rows if row.archived_at is None],
        "ended": [row for row in rows if row.archived_at is not None],
        "may_manage": is_admin,
    }
    status = 422 if form.errors else 200
    return render_region(request, "notifications/subscriber_list.html", "subscribers", context, status=status)


@require_http_methods(["GET", "POST"])
@role_required(Role.MANAGER)
def subscriber_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One of them with its last deliveries; an administrator changes it here."""
    row = get_object_or_404(Subscriber, pk=pk)
    is_admin = signed_in(request).may(Role.ADMIN)
    form = SubscriberForm.of(row, request.POST or None)
    if request.method == "POST" and is_admin and form.is_valid():
        try:
            changes.change(pk, form.wanted, by=Actor.of(request), now=timezone.now())
        except CannotSubscribe as refusal:
            form.add_error("name", str(refusal))
        else:
            messages.success(request, f"{form.wanted.name} is saved.")
            return redirect("subscribers:subscriber_detail", pk=pk)
    return _detail(request, row, form)


@never_cache
@sensitive_variables("secret")
@require_POST
@role_required(Role.ADMIN)
def subscriber_secret(request: HttpRequest, pk: int) -> HttpResponse:
    """Another secret, shown this once."""
    row = get_object_or_404(Subscriber, pk=pk)
    secret = changes.new_secret_for(pk, by=Actor.of(request), now=timezone.now())
    return _detail(request, row, SubscriberForm.of(row), secret=secret)


@require_POST
@role_required(Role.ADMIN)
def subscriber_act(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """pause, resume, again or end."""
    row = get_object_or_404(Subscriber, pk=pk)
    by, now = Actor.of(request), timezone.now()
    match verb:
        case "pause" | "resume":
            changes.pause(pk, is_paused=verb == "pause", by=by, now=now)
            said = "Its deliveries wait." if verb == "pause" else "Its deliveries go on."
        case "again":
            count = changes.try_again(pk, by=by, now=now)
            said = f"{count} event{'' if count == 1 else 's'} will be sent again."
        case "end":
            changes.end(pk, by=by, now=now)
            said = f"{row} hears nothing any more."
        case _:
            raise Http404
    messages.success(request, said)
    if verb == "end":
        return redirect("subscribers:subscriber_list")
    return redirect("subscribers:subscriber_detail", pk=pk)


def _detail(request: HttpRequest, row: Subscriber, form: SubscriberForm, *, secret: str = "") -> HttpResponse:
    deliveries = EventDelivery.objects.filter(subscriber=row).select_related("event").order_by("-pk")
    context = {
        "subscriber": row,
        "form": form,
        "secret": secret,
        "deliveries": deliveries[:MOST_DELIVERIES],
        "may_manage": signed_in(request).may(Role.ADMIN) and row.archived_at is None,
    }
    status = 422 if form.errors else 200
    return render_region(
        request, "notifications/subscriber_detail.html", "deliveries", context, status=status
    )
