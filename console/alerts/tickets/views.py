"""`/tickets/`: the list, one ticket, and what can be done with it, also with many at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_GET, require_POST

from console.accounts.audit import Actor
from console.accounts.models import Role, User
from console.accounts.origin import chosen_origin, foreign_origin
from console.accounts.permissions import role_required, signed_in
from console.alerts.handling import By, NotPossible
from console.alerts.models import Severity, Ticket, TicketState
from console.alerts.tickets import queries, working
from console.lib.cursor import query_of
from console.lib.pages import once, render_region

MOST_AT_ONCE = 200
DUE_AT_HOUR = 17
"""A day that is chosen ends at five in the chooser's own zone."""


@require_GET
@role_required(Role.VIEWER)
def ticket_list(request: HttpRequest) -> HttpResponse:
    """Which work is still to be done, the soonest due first."""
    now, origin, me = timezone.now(), chosen_origin(request), signed_in(request)
    filters = queries.Filters.of(request.GET)
    cursor = request.GET.get("cursor", "")
    page = queries.page_of_tickets(origin=origin, filters=filters, me=me, cursor=cursor, now=now)
    context = {
        "filters": filters,
        "tickets": page.items,
        "overdue": {ticket.pk for ticket in page.items if ticket.is_overdue(now=now)},
        "counts": once(lambda: queries.counts(origin=origin, me=me, now=now)),
        "tabs": queries.TABS,
        "severities": Severity.choices,
        "people": once(queries.owners),
        "next": query_of(request, cursor=page.next) if page.next else "",
        "newest": query_of(request, cursor=None) if cursor else "",
        "may_act": me.may(Role.RESPONDER),
    }
    return render_region(request, "alerts/ticket_list.html", "ticket-table", context)


@require_GET
@role_required(Role.VIEWER)
def ticket_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One ticket: why, whose, until when, and what was done."""
    now = timezone.now()
    related = ("owner", "team", "service", "group__service")
    ticket = get_object_or_404(Ticket.objects.select_related(*related), pk=pk)
    context = {
        "ticket": ticket,
        "is_overdue": ticket.is_overdue(now=now),
        "events": queries.events_of(ticket),
        "states": TicketState.choices,
        "people": once(queries.owners),
        "foreign_origin": foreign_origin(request, ticket.origin),
        "may_act": signed_in(request).may(Role.RESPONDER),
    }
    return render_region(request, "alerts/ticket_detail.html", "ticket", context)


@require_POST
@role_required(Role.RESPONDER)
def ticket_action(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """move, give, due, link or note."""
    get_object_or_404(Ticket, pk=pk)
    act = ACTS.get(verb)
    if act is None:
        raise Http404
    try:
        act(pk, request, timezone.now())
    except NotPossible as refusal:
        messages.warning(request, str(refusal))
    return HttpResponseRedirect(reverse("alerts:ticket_detail", args=[pk]))


@require_POST
@role_required(Role.RESPONDER)
def bulk(request: HttpRequest) -> HttpResponse:
    """One act on the tickets that are ticked; each is judged by itself."""
    act = ACTS.get(request.POST.get("verb", ""))
    ids = [int(pk) for pk in request.POST.getlist("ticket") if pk.isdigit() and len(pk) < 19]
    back = HttpResponseRedirect(f"{reverse('alerts:ticket_list')}?{request.POST.get('back', '')}")
    if act is None or not ids:
        messages.warning(request, "Tick some tickets first.")
        return back
    failures: list[str] = []
    now = timezone.now()
    found = list(Ticket.objects.filter(pk__in=ids[:MOST_AT_ONCE]).order_by("pk").values_list("pk", flat=True))
    for pk in found:
        try:
            act(pk, request, now)
        except NotPossible as refusal:
            failures.append(str(refusal))
    text = f"{len(found) - len(failures)} of {len(ids)} changed."
    messages.add_message(
        request,
        messages.WARNING if failures else messages.SUCCESS,
        f"{text} {len(failures)} not: {failures[0]}" if failures else text,
    )
    return back


def _by(request: HttpRequest) -> By:
    return By(user=signed_in(request), actor=Actor.of(request))


def _move(pk: int, request: HttpRequest, now: datetime) -> None:
    working.move(pk, request.POST.get("state", ""), by=_by(request), now=now)


def _give(pk: int, request: HttpRequest, now: datetime) -> None:
    chosen = request.POST.get("owner", "")
    if chosen == "me":
        owner: User | None = signed_in(request)
    elif not chosen:
        owner = None
    else:
        owner = User.objects.filter(pk=int(chosen)).first() if chosen.isdigit() and len(chosen) < 19 else None
        if owner is None:
            raise NotPossible("There is no such person. Choose another.")
    working.give(pk, owner, by=_by(request), now=now)


def _put_off(pk: int, request: HttpRequest, now: datetime) -> None:
    """To five in the afternoon of a day, where whoever chose it lives."""
    try:
        day = parse_date(request.POST.get("due", ""))
    except ValueError:
        day = None
    if day is None:
        raise NotPossible("Choose a day.")
    due_at = datetime(day.year, day.month, day.day, DUE_AT_HOUR, tzinfo=signed_in(request).zone)
    working.put_off(pk, due_at, by=_by(request), now=now)


def _link(pk: int, request: HttpRequest, now: datetime) -> None:
    working.link(pk, request.POST.get("link", "").strip()[:500], by=_by(request), now=now)


def _note(pk: int, request: HttpRequest, now: datetime) -> None:
    working.add_note(pk, request.POST.get("text", ""), by=_by(request), now=now)


ACTS: dict[str, Callable[[int, HttpRequest, datetime], None]] = {
    "move": _move,
    "give": _give,
    "due": _put_off,
    "link": _link,
    "note": _note,
}
