"""Tickets: work that can wait until morning, with an owner and a day it is due."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q

from console.accounts.models import User
from console.alerts.models.group import AlertGroup
from console.alerts.models.words import Severity
from console.fleet.models import Service, Team
from console.lib.origin import is_known_origin, origin_field


class TicketState(models.TextChoices):
    OPEN = "open", "Open"
    IN_PROGRESS = "in_progress", "In progress"
    DONE = "done", "Done"
    WONT_DO = "wont_do", "Won't do"


FINISHED = (TicketState.DONE, TicketState.WONT_DO)


class TicketQuerySet(models.QuerySet["Ticket"]):
    def of_origin(self, origin: str) -> TicketQuerySet:
        return self.filter(origin=origin)

    def open(self) -> TicketQuerySet:
        """Somebody still has to do something."""
        return self.exclude(state__in=FINISHED)

    def overdue(self, *, now: datetime) -> TicketQuerySet:
        return self.open().filter(due_at__lt=now)


class Ticket(models.Model):
    """A work item of one rule about one group. A rule that fires again for the group finds the same one."""

    origin = origin_field()
    group = models.ForeignKey(AlertGroup, models.PROTECT, db_index=False, related_name="tickets")
    rule = models.CharField(max_length=64)
    service = models.ForeignKey(Service, models.PROTECT, null=True, related_name="tickets")
    team = models.ForeignKey(Team, models.PROTECT, null=True, related_name="tickets")
    title = models.CharField(max_length=200)
    reason = models.CharField(max_length=300)
    severity = models.CharField(max_length=16, choices=Severity)
    state = models.CharField(max_length=16, choices=TicketState, default=TicketState.OPEN)
    owner = models.ForeignKey(User, models.PROTECT, null=True, related_name="tickets")
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    link = models.URLField(max_length=500, blank=True)
    """Its twin in another tracker."""
    version = models.PositiveIntegerField(default=1)

    objects = TicketQuerySet.as_manager()

    class Meta:
        constraints = [
            is_known_origin("alerts", "ticket"),
            models.UniqueConstraint(fields=["group", "rule"], name="alerts_ticket_one_per_rule_and_group"),
            models.CheckConstraint(
                condition=Q(state__in=TicketState.values), name="alerts_ticket_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(severity__in=Severity.values), name="alerts_ticket_severity_is_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["done", "wont_do"], finished_at__isnull=False)
                | (~Q(state__in=["done", "wont_do"]) & Q(finished_at=None)),
                name="alerts_ticket_finished_iff_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["origin", "due_at", "id"],
                name="alerts_ticket_open",
                condition=~Q(state__in=["done", "wont_do"]),
            ),
            models.Index(fields=["origin", "-opened_at", "-id"], name="alerts_ticket_newest"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_open(self) -> bool:
        return self.state not in FINISHED

    def is_overdue(self, *, now: datetime) -> bool:
        return self.is_open and self.due_at < now


class TicketEventKind(models.TextChoices):
    OPENED = "opened", "Opened"
    STATE = "state", "State"
    OWNER = "owner", "Owner"
    DUE = "due", "Due"
    LINK = "link", "Link"
    NOTE = "note", "Note"


class TicketEvent(models.Model):
    """One line of a ticket's history."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, db_index=False, related_name="events")
    at = models.DateTimeField()
    kind = models.CharField(max_length=16, choices=TicketEventKind)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="ticket_events")
    by_label = models.CharField(max_length=200, blank=True)
    text = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=TicketEventKind.values), name="alerts_ticketevent_kind_is_known"
            )
        ]
        indexes = [models.Index(fields=["ticket", "-id"], name="alerts_ticketevent_newest")]

    def __str__(self) -> str:
        return f"{self.kind} at {self.at:%H:%M:%S}"

    @property
    def who(self) -> str:
        return str(self.by) if self.by else self.by_label or "the console"
