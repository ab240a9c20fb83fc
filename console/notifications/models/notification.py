"""The outbox: one row for each message to one address, with what became of it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from console.accounts.models import User
from console.lib.origin import is_known_origin, origin_field
from console.notifications.models.channel import Channel


class NotificationKind(models.TextChoices):
    PAGE = "page", "Page"
    TICKET = "ticket", "Ticket"
    REMINDER = "reminder", "Reminder"
    HEALED = "healed", "Healed"
    UPDATE = "update", "Update"
    REPORT = "report", "Report"
    TRIAL = "trial", "Test"


class Importance(models.TextChoices):
    DEFAULT = "default", "Default"
    IMPORTANT = "important", "Important"


class NotificationState(models.TextChoices):
    """`unknown`: it was handed over and the answer was lost; it is sent again and says so."""

    QUEUED = "queued", "Queued"
    SENDING = "sending", "Being sent"
    HANDED_OVER = "handed_over", "Handed over"
    DELIVERED = "delivered", "Delivered"
    FAILED = "failed", "Failed"
    UNKNOWN = "unknown", "Unknown"
    CALLED_OFF = "called_off", "Called off"
    NOT_SENT = "not_sent", "Not sent"


class Notification(models.Model):
    """One message to one person or channel. `key` makes writing it twice harmless."""

    origin = origin_field()
    key = models.CharField(max_length=200, unique=True)
    kind = models.CharField(max_length=16, choices=NotificationKind)
    importance = models.CharField(max_length=16, choices=Importance, default=Importance.DEFAULT)
    subject = models.CharField(max_length=100)
    """What it is about, as `group:123`: what is called off together, and who heard of it."""
    person = models.ForeignKey(User, models.PROTECT, null=True, related_name="notifications")
    channel = models.ForeignKey(Channel, models.PROTECT, null=True, related_name="notifications")
    title = models.CharField(max_length=200)
    text = models.TextField(blank=True)
    path = models.CharField(max_length=300, blank=True)
    """Where in the console it is looked at."""
    reason = models.CharField(max_length=300, blank=True)
    """Why this person or channel."""
    data = models.JSONField(default=dict)
    state = models.CharField(max_length=16, choices=NotificationState, default=NotificationState.QUEUED)
    note = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    send_at = models.DateTimeField(null=True)
    """When it is due; null: nothing is left to do."""
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            is_known_origin("notifications", "notification"),
            models.CheckConstraint(
                condition=Q(state__in=NotificationState.values),
                name="notifications_notification_state_is_known",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=NotificationKind.values), name="notifications_notification_kind_is_known"
            ),
            models.CheckConstraint(
                condition=Q(importance__in=Importance.values),
                name="notifications_notification_importance_is_known",
            ),
            models.CheckConstraint(
                condition=Q(person=None) ^ Q(channel=None),
                name="notifications_notification_has_one_recipient",
            ),
        ]
        indexes = [
            models.Index(fields=["send_at"], name="notifications_due", condition=Q(send_at__isnull=False)),
            models.Index(fields=["subject", "id"], name="notifications_subject"),
        ]

    def __str__(self) -> str:
        return self.title
