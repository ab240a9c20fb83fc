"""Tickets for programs: reading them, and doing what a person can do."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from django.http import HttpRequest, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Field, Query, Router, Schema

from console.accounts.api_auth import TokenAuth, token_of
from console.accounts.audit import Actor
from console.accounts.models import Scope, User
from console.alerts.handling import By, NotPossible
from console.alerts.models import Severity, Ticket
from console.alerts.tickets import working
from console.alerts.tickets.queries import NEWEST_FIRST, Filters
from console.lib.asked import Moment
from console.lib.cursor import Listing, Paging, list_rows
from console.lib.problems import Problem

router = Router(tags=["tickets"])
READ, ACT = TokenAuth(Scope.READ), TokenAuth(Scope.ACT)


class TicketOut(Schema):
    """One ticket."""

    id: int
    origin: str
    title: str
    reason: str
    rule: str
    severity: str
    state: str
    group: int
    service: str | None
    team: str | None
    owner: str | None
    opened_at: datetime
    due_at: datetime
    finished_at: datetime | None
    link: str | None

    @classmethod
    def of(cls, ticket: Ticket) -> TicketOut:
        """From a row with owner, team and service selected along."""
        return cls(
            id=ticket.pk,
            origin=ticket.origin,
            title=ticket.title,
            reason=ticket.reason,
            rule=ticket.rule,
            severity=ticket.severity,
            state=ticket.state,
            group=ticket.group_id,
            service=ticket.service.slug if ticket.service else None,
            team=ticket.team.slug if ticket.team else None,
            owner=ticket.owner.email if ticket.owner else None,
            opened_at=ticket.opened_at,
            due_at=ticket.due_at,
            finished_at=ticket.finished_at,
            link=ticket.link or None,
        )


class TicketQuery(Schema):
    """The filters of the list of tickets."""

    status: Literal["all", "open", "overdue", "finished", "in_progress", "done", "wont_do"] = "all"
    owner: str = Field("", max_length=254, description="E-mail address; `nobody` for those without one.")
    severity: Severity | None = None
    team: str = Field("", max_length=64, description="Slug of a team.")
    q: str = Field("", max_length=100, description="In title or reason.")


class TicketActIn(Schema):
    """What to change; what is left out stays. `owner` empty: nobody."""

    state: Literal["open", "in_progress", "done", "wont_do"] | None = None
    owner: str | None = Field(None, max_length=254)
    due_at: Moment | None = None
    link: str | None = Field(None, max_length=500)
    note: str = Field("", max_length=4000)


@router.get("/tickets", response=Listing[TicketOut], auth=READ)
def ticket_list(
    request: HttpRequest, query: Query[TicketQuery], paging: Query[Paging]
) -> dict[str, Any] | StreamingHttpResponse:
    """Tickets, the newest first."""
    asked = query.model_dump(exclude_none=True)
    rows = Filters(**asked).narrow(
        Ticket.objects.of_origin(token_of(request).origin), me=None, now=timezone.now()
    )
    return list_rows(
        request,
        queryset=rows.select_related("owner", "team", "service"),
        order=NEWEST_FIRST,
        paging=paging,
        row=TicketOut,
        shape=lambda tickets: [TicketOut.of(ticket) for ticket in tickets],
    )


@router.get("/tickets/{int:pk}", response=TicketOut, auth=READ)
def ticket_get(request: HttpRequest, pk: int) -> TicketOut:
    """One ticket."""
    return TicketOut.of(_ticket(request, pk))


@router.patch("/tickets/{int:pk}", response=TicketOut, auth=ACT)
def ticket_change(request: HttpRequest, pk: int, given: TicketActIn) -> TicketOut:
    """Move, give, put off, link or note. Twice is harmless, but for a note."""
    _ticket(request, pk)
    by, now = By(user=None, actor=Actor.of(request)), timezone.now()
    try:
        if given.owner is not None:
            working.give(pk, _owner(given.owner), by=by, now=now)
        if given.due_at is not None:
            working.put_off(pk, given.due_at, by=by, now=now)
        if given.link is not None:
            working.link(pk, given.link, by=by, now=now)
        if given.state is not None:
            working.move(pk, given.state, by=by, now=now)
        if given.note:
            working.add_note(pk, given.note, by=by, now=now)
    except NotPossible as refusal:
        raise Problem(409, code="not_possible", detail=str(refusal)) from refusal
    return TicketOut.of(_ticket(request, pk))


def _owner(email: str) -> User | None:
    if not email:
        return None
    owner: User | None = User.objects.filter(email=email.lower(), is_active=True).first()
    if owner is None:
        raise Problem(422, code="invalid", detail="owner: There is no active person by that address.")
    return owner


def _ticket(request: HttpRequest, pk: int) -> Ticket:
    rows = Ticket.objects.of_origin(token_of(request).origin).select_related("owner", "team", "service")
    return get_object_or_404(rows, pk=pk)
