"""What people do with tickets: take, give, finish, put off, note. Each leaves a line of history and an audit entry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import transaction

from console.accounts.audit import record
from console.accounts.models import User
from console.alerts import outward
from console.alerts.handling import By, NotPossible
from console.alerts.models import Ticket, TicketEvent, TicketEventKind, TicketState
from console.alerts.models.ticket import FINISHED
from console.alerts.tickets.telling import tell
from console.lib.live import announce
from console.notifications.models import NotificationKind
from console.notifications.outbox import call_off

FURTHEST = timedelta(days=366)
_IS_URL = URLValidator(schemes=["https", "http"])


@dataclass(frozen=True, slots=True)
class Change:
    """A line of history; null text: nothing changed."""

    kind: TicketEventKind
    text: str


def move(ticket_id: int, state: str, *, by: By, now: datetime) -> Ticket:
    """To another state; a finished one may be opened again. Whoever begins on it without an owner has it."""
    if state not in TicketState.values:
        raise NotPossible("Say open, in progress, done or won't do.")

    def change(ticket: Ticket) -> Change | None:
        if ticket.state == state:
            return None
        before = ticket.get_state_display()
        ticket.state = state
        ticket.finished_at = now if state in FINISHED else None
        if state == TicketState.IN_PROGRESS and ticket.owner is None:
            ticket.owner = by.user
        return Change(TicketEventKind.STATE, f"{before} → {ticket.get_state_display()}")

    return _act(ticket_id, "ticket.move", change, by=by, now=now)


def give(ticket_id: int, owner: User | None, *, by: By, now: datetime) -> Ticket:
    """To somebody, who is told unless they took it themselves; to nobody with null."""
    if owner is not None and not owner.is_active:
        raise NotPossible(f"{owner} has left. Choose another.")

    def change(ticket: Ticket) -> Change | None:
        if ticket.owner == owner:
            return None
        ticket.owner = owner
        return Change(TicketEventKind.OWNER, f"{owner} has it" if owner else "Nobody has it")

    ticket = _act(ticket_id, "ticket.give", change, by=by, now=now)
    if owner is not None and owner != by.user:
        tell(ticket, f"owner-{ticket.version}", now=now)
    return ticket


def put_off(ticket_id: int, due_at: datetime, *, by: By, now: datetime) -> Ticket:
    """Due at another time."""
    if not now - FURTHEST < due_at < now + FURTHEST:
        raise NotPossible("A ticket is due within a year.")

    def change(ticket: Ticket) -> Change | None:
        if ticket.due_at == due_at:
            return None
        ticket.due_at = due_at
        return Change(TicketEventKind.DUE, f"Due {due_at:%-d %b %Y %H:%M} UTC")

    return _act(ticket_id, "ticket.put_off", change, by=by, now=now)


def link(ticket_id: int, url: str, *, by: By, now: datetime) -> Ticket:
    """Where its twin in another tracker is; empty: nowhere."""
    if url:
        try:
            _IS_URL(url)
        except ValidationError as error:
            raise NotPossible("A link begins with https:// or http://.") from error

    def change(ticket: Ticket) -> Change | None:
        if ticket.link == url:
            return None
        ticket.link = url
        return Change(TicketEventKind.LINK, url or "No link any more")

    return _act(ticket_id, "ticket.link", change, by=by, now=now)


def add_note(ticket_id: int, text: str, *, by: By, now: datetime) -> Ticket:
    """A line of history. It can be added to, never changed."""
    if not text.strip():
        raise NotPossible("A note needs some text.")
    return _act(
        ticket_id, "ticket.note", lambda _: Change(TicketEventKind.NOTE, text.strip()[:4000]), by=by, now=now
    )


@transaction.atomic
def _act(
    ticket_id: int, action: str, change: Callable[[Ticket], Change | None], *, by: By, now: datetime
) -> Ticket:
    rows = Ticket.objects.select_for_update(of=("self",)).select_related("owner", "team", "service", "group")
    ticket = rows.get(pk=ticket_id)
    before = _picture(ticket)
    done = change(ticket)
    if done is None:
        return ticket
    ticket.version += 1
    ticket.save()
    TicketEvent.objects.create(
        ticket=ticket, at=now, kind=done.kind, by=by.user, by_label=by.label, text=done.text
    )
    record(by.actor, action=action, subject=ticket, before=before, after=_picture(ticket), now=now)
    if not ticket.is_open:
        call_off([f"ticket:{ticket.pk}"], kinds=[NotificationKind.TICKET], reason="It is finished", now=now)
    if done.kind != TicketEventKind.NOTE:
        outward.tell_tickets([ticket], stage="changed", now=now)
    announce("tickets", ids=[ticket.pk])
    return ticket


def _picture(ticket: Ticket) -> dict[str, object]:
    return {
        "state": ticket.state,
        "owner": ticket.owner.email if ticket.owner else None,
        "due_at": ticket.due_at.isoformat(),
        "link": ticket.link,
    }
