"""Secret addresses from which calendar programs fetch shifts."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from console.accounts.models import User
from console.oncall.models.rotation import Rotation


class CalendarLink(models.Model):
    """One person's address of one rotation's calendar, or (without a rotation) of their own shifts.

    The address is signed, so it can be shown again; `nonce` makes a new one differ from one that was revoked.
    """

    person = models.ForeignKey(User, models.PROTECT, related_name="calendar_links")
    rotation = models.ForeignKey(Rotation, models.CASCADE, null=True, related_name="calendar_links")
    nonce = models.CharField(max_length=32, unique=True)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "rotation"],
                condition=Q(revoked_at=None),
                nulls_distinct=False,
                name="oncall_calendarlink_one_in_use",
            ),
        ]

    def __str__(self) -> str:
        return f"Calendar of {self.rotation or self.person}"
