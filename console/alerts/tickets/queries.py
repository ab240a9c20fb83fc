"""What the pages of tickets show, and how a list of them is narrowed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q
from django.http import QueryDict

from console.accounts.models import User
from console.alerts.models import Severity, Ticket, TicketEvent, TicketState
from console.alerts.models.ticket import FINISHED, TicketQuerySet
from console.lib.cursor import Page, cut_page
from console.lib.origin import Origin

ME, NOBODY = "me", "nobody"
OPEN_FIRST = ("due_at", "pk")
NEWEST_FIRST = ("-opened_at", "-pk")
MOST_EVENTS = 200
TABS = (("open", "Open"), ("overdue", "Overdue"), ("finished", "Finished"), ("all", "All"))


@dataclass(frozen=True, slots=True)
class Filters:
    """What the URL of the list asks for. `owner`: an address, `me` or `nobody`."""

    status: str = "open"
    owner: str = ""
    severity: str = ""
    team: str = ""
    q: str = ""

    @classmethod
    def of(cls, query: QueryDict) -> Filters:
        asked = {name: query.get(name, "").strip()[:254] for name in ("owner", "severity", "team", "q")}
        status = query.get("status", "open")
        known = {value for value, _ in TABS} | set(TicketState.values)
        return cls(status=status if status in known else "open", **asked)

    @property
    def is_set(self) -> bool:
        return bool(self.owner or self.severity or self.team or self.q)

    @property
    def order(self) -> tuple[str, ...]:
        """What is still to be done by the day it is due; the past by when it was opened."""
        return OPEN_FIRST if self.status in ("open", "overdue", "in_progress") else NEWEST_FIRST

    def narrow(self, rows: TicketQuerySet, *, me: User | None, now: datetime) -> TicketQuerySet:
        if self.status == "open":
            rows = rows.open()
        elif self.status == "overdue":
            rows = rows.overdue(now=now)
        elif self.status == "finished":
            rows = rows.filter(state__in=FINISHED)
        elif self.status in TicketState.values:
            rows = rows.filter(state=self.status)
        if self.severity in Severity.values:
            rows = rows.filter(severity=self.severity)
        if self.team:
            rows = rows.filter(team__slug=self.team)
        if self.q:
            rows = rows.filter(Q(title__icontains=self.q) | Q(reason__icontains=self.q))
        return self._of_owner(rows, me)

    def _of_owner(self, rows: TicketQuerySet, me: User | None) -> TicketQuerySet:
        if self.owner == NOBODY:
            return rows.filter(owner=None)
        if self.owner == ME:
            return rows.filter(owner=me) if me else rows.none()
        return rows.filter(owner__email=self.owner) if self.owner else rows


@dataclass(frozen=True, slots=True)
class Counts:
    """What waits, in numbers."""

    open: int
    overdue: int
    mine: int
    nobodys: int


def page_of_tickets(
    *, origin: Origin, filters: Filters, me: User, cursor: str, now: datetime, size: int = 50
) -> Page[Ticket]:
    rows = filters.narrow(Ticket.objects.of_origin(origin), me=me, now=now)
    related = ("owner", "team", "service", "group")
    return cut_page(rows.select_related(*related), order=filters.order, cursor=cursor, size=size)


def counts(*, origin: Origin, me: User, now: datetime) -> Counts:
    rows = Ticket.objects.of_origin(origin).open()
    found = rows.aggregate(
        open=Count("pk"),
        overdue=Count("pk", filter=Q(due_at__lt=now)),
        mine=Count("pk", filter=Q(owner=me)),
        nobodys=Count("pk", filter=Q(owner=None)),
    )
    return Counts(**found)


def owners() -> Sequence[User]:
    """Who can be given a ticket."""
    return list(User.objects.filter(is_active=True).order_by("name", "email")[:1_000])


def events_of(ticket: Ticket) -> list[TicketEvent]:
    return list(ticket.events.select_related("by").order_by("-pk")[:MOST_EVENTS])
