"""What is said about a ticket, and to whom: its owner, else its team's channels."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.urls import reverse

from console.alerts.models import Ticket
from console.notifications.models import Channel, NotificationKind
from console.notifications.outbox import Message, put


def tell(ticket: Ticket, what: str, *, channels: Sequence[Channel] = (), now: datetime) -> None:
    """`what` makes the key: `opened`, `owner-3` … Nobody is told where nobody has it and no channel is there."""
    if ticket.owner_id is not None:
        reason = "You own the service" if what == "opened" else "It was given to you"
        message = _message(ticket, f"{what}:person-{ticket.owner_id}", reason, person_id=ticket.owner_id)
        put([message], now=now)
        return
    reason = f"Nobody has it yet; it is {ticket.team}'s" if ticket.team else "Nobody has it yet"
    put(
        [_message(ticket, f"{what}:channel-{one.pk}", reason, channel_id=one.pk) for one in channels],
        now=now,
    )


def _message(
    ticket: Ticket,
    key: str,
    reason: str,
    *,
    person_id: int | None = None,
    channel_id: int | None = None,
) -> Message:
    return Message(
        key=f"ticket:{ticket.pk}:{key}",
        origin=ticket.origin,
        kind=NotificationKind.TICKET,
        subject=f"ticket:{ticket.pk}",
        title=f"Ticket: {ticket.title}",
        text=f"{ticket.reason}\nDue {ticket.due_at:%-d %b %Y %H:%M} UTC.",
        path=reverse("alerts:ticket_detail", args=[ticket.pk]),
        reason=reason,
        person_id=person_id,
        channel_id=channel_id,
        data={
            "ticket_id": ticket.pk,
            "group_id": ticket.group_id,
            "severity": ticket.severity,
            "status": ticket.state,
            "service": ticket.service.slug if ticket.service else None,
        },
    )
