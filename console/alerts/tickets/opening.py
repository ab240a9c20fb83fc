"""A ticket decision opens a ticket: one for each rule and group, with a day it is due.

The owner of the service has it; where there is none, its team's channels are told and somebody takes it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from console.alerts import outward
from console.alerts.models import (
    AlertEvent,
    AlertGroup,
    EventKind,
    Receipt,
    Severity,
    Ticket,
    TicketEvent,
    TicketEventKind,
)
from console.alerts.tickets.telling import tell
from console.notifications.models import Channel, ChannelKind

DUE_WITHIN = {
    Severity.CRITICAL: timedelta(days=1),
    Severity.ERROR: timedelta(days=3),
    Severity.WARNING: timedelta(days=7),
    Severity.INFO: timedelta(days=30),
}


def open_for(receipts: Sequence[Receipt], *, now: datetime) -> list[Ticket]:
    """Tickets for these receipts that were not there yet. A finished one stays finished."""
    if not receipts:
        return []
    wanted = {(receipt.group_id, receipt.rule): receipt for receipt in receipts}
    groups = AlertGroup.objects.filter(pk__in={pk for pk, _ in wanted}).select_related(
        "service__team", "service__owner"
    )
    by_id = {group.pk: group for group in groups}
    there = set(
        Ticket.objects.filter(group__in=by_id, rule__in={rule for _, rule in wanted}).values_list(
            "group_id", "rule"
        )
    )
    missing = sorted(wanted.keys() - there)
    rows = [_new(by_id[pk], wanted[pk, rule], now=now) for pk, rule in missing]
    Ticket.objects.bulk_create(rows, ignore_conflicts=True)
    opened = list(
        Ticket.objects.filter(group__in={pk for pk, _ in missing}, events=None)
        .select_related("service", "team", "owner", "group")
        .order_by("pk")
    )
    _say_opened(opened, now=now)
    return opened


def _new(group: AlertGroup, receipt: Receipt, *, now: datetime) -> Ticket:
    service = group.service
    owner = service.owner if service and service.owner and service.owner.is_active else None
    return Ticket(
        origin=group.origin,
        group=group,
        rule=receipt.rule,
        service=service,
        team=service.team if service else None,
        title=group.title,
        reason=receipt.reason,
        severity=group.severity,
        owner=owner,
        opened_at=now,
        due_at=now + DUE_WITHIN[Severity(group.severity)],
    )


def _say_opened(opened: Sequence[Ticket], *, now: datetime) -> None:
    """History of the ticket and of its group, a message to whoever has it, an event for programs outside."""
    if not opened:
        return
    TicketEvent.objects.bulk_create(
        TicketEvent(ticket=ticket, at=now, kind=TicketEventKind.OPENED, text=ticket.reason)
        for ticket in opened
    )
    AlertEvent.objects.bulk_create(
        AlertEvent(
            group=ticket.group,
            at=now,
            kind=EventKind.TICKET,
            text=f"Ticket #{ticket.pk} for {ticket.owner or ticket.team or 'nobody yet'}: {ticket.reason}",
            data={"ticket": ticket.pk},
        )
        for ticket in opened
    )
    channels: dict[int, list[Channel]] = defaultdict(list)
    teams = {ticket.team_id for ticket in opened if ticket.team_id and not ticket.owner_id}
    usable = Channel.objects.filter(team__in=teams, archived_at=None).exclude(kind=ChannelKind.NULL)
    for channel in usable.order_by("pk") if teams else ():
        channels[channel.team_id or 0].append(channel)
    for ticket in opened:
        tell(ticket, "opened", channels=channels.get(ticket.team_id or 0, ()), now=now)
    outward.tell_tickets(opened, stage="opened", now=now)
