"""Hosts inside the own network that an administrator allows the console to call."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from console.accounts.models import User


class AllowedHost(models.Model):
    """A name or address that may be called although it is private, or speaks plain http."""

    host = models.CharField(max_length=253, unique=True)
    """As it stands in the URL, lowercase, without a port."""
    reason = models.CharField(max_length=200, blank=True)
    created_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="hosts_allowed")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.host
