"""Links that act without signing in: signed, for one purpose and person, used once."""

from __future__ import annotations

from datetime import datetime

from django.db import models

from console.accounts.models import User
from console.notifications.models.notification import Notification


class LinkQuerySet(models.QuerySet["Link"]):
    def usable(self, *, now: datetime) -> LinkQuerySet:
        return self.filter(used_at=None, expires_at__gt=now)


class Link(models.Model):
    """One issued link. The token itself is only in the message; here is its hash."""

    token_hash = models.CharField(max_length=64, unique=True)
    purpose = models.CharField(max_length=32)
    subject = models.CharField(max_length=100)
    person = models.ForeignKey(User, models.CASCADE, null=True, related_name="acting_links")
    """In whose name it acts; null: whoever holds the place that `label` names."""
    label = models.CharField(max_length=200, blank=True)
    notification = models.ForeignKey(Notification, models.CASCADE, null=True, related_name="links")
    """The message it stands in: whoever uses it has read that."""
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    objects = LinkQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="notifications_link_expires")]

    def __str__(self) -> str:
        return f"{self.purpose} {self.subject}"
