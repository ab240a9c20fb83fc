"""A group's history."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from console.accounts.models import User
from console.alerts.models.group import AlertGroup


class EventKind(models.TextChoices):
    """What can happen to a group."""

    TRIGGERED = "triggered", "Triggered"
    JOINED = "joined", "Machines joined"
    LEFT = "left", "Machines left"
    ACKNOWLEDGED = "acknowledged", "Acknowledged"
    UNACKNOWLEDGED = "unacknowledged", "Acknowledgement taken back"
    SILENCED = "silenced", "Silenced"
    UNSILENCED = "unsilenced", "Silence lifted"
    SUPPRESSED = "suppressed", "Suppressed"
    RELEASED = "released", "No longer suppressed"
    RESOLVED = "resolved", "Resolved"
    REOPENED = "reopened", "Re-opened"
    NOTE = "note", "Note"
    SEVERITY = "severity", "Severity changed"
    CHECKLIST = "checklist", "Checklist"
    TOLD = "told", "Told"
    ESCALATED = "escalated", "Escalated"
    REMINDED = "reminded", "Reminded"
    EXPIRED = "expired", "Acknowledgement ended"
    UNANSWERED = "unanswered", "Nobody answered"
    CALLED_OFF = "called_off", "Called off"
    TICKET = "ticket", "Ticket"
    REGROUPED = "regrouped", "Regrouped by hand"


class AlertEvent(models.Model):
    """One line of a group's history: what happened, when, and who did it (null: the console)."""

    group = models.ForeignKey(AlertGroup, models.CASCADE, related_name="events")
    at = models.DateTimeField()
    kind = models.CharField(max_length=16, choices=EventKind)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="alert_events")
    by_label = models.CharField(max_length=200, blank=True, db_default="")
    """The program that did it, where no person did."""
    text = models.TextField(blank=True)
    data = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=EventKind.values), name="alerts_alertevent_kind_is_known"
            )
        ]
        indexes = [models.Index(fields=["group", "-id"], name="alerts_alertevent_newest")]

    def __str__(self) -> str:
        return f"{self.kind} at {self.at:%H:%M:%S}"

    @property
    def who(self) -> str:
        return str(self.by) if self.by else self.by_label or "the console"
