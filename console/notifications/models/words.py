"""What a message is, how much it matters, and what became of it."""

from __future__ import annotations

from django.db import models


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


HEARD = (
    NotificationState.SENDING,
    NotificationState.HANDED_OVER,
    NotificationState.DELIVERED,
    NotificationState.UNKNOWN,
)
"""In these states the recipient heard it, or may have."""
