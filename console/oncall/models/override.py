"""Overrides: who is on call instead. Of two that overlap the newer one counts."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import F, Q

from console.accounts.models import User
from console.oncall.models.rotation import Rotation
from console.oncall.models.swap import SwapRequest


class OverrideKind(models.TextChoices):
    OVERRIDE = "override", "Override"
    TAKE_OVER = "take_over", "Take-over"
    SWAP = "swap", "Swap"


class OverrideQuerySet(models.QuerySet["Override"]):
    def standing(self) -> OverrideQuerySet:
        return self.filter(cancelled_at=None)

    def between(self, since: datetime, until: datetime) -> OverrideQuerySet:
        return self.filter(started_at__lt=until, ended_at__gt=since)


class Override(models.Model):
    """`person` is on call in [started_at, ended_at): for whoever it would be, or only where it would be `replaced`."""

    rotation = models.ForeignKey(Rotation, models.CASCADE, db_index=False, related_name="overrides")
    kind = models.CharField(max_length=12, choices=OverrideKind, default=OverrideKind.OVERRIDE)
    person = models.ForeignKey(User, models.PROTECT, related_name="overrides")
    replaced = models.ForeignKey(User, models.PROTECT, null=True, related_name="overrides_of_own_shifts")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    reason = models.CharField(max_length=200, blank=True)
    swap = models.ForeignKey(SwapRequest, models.CASCADE, null=True, related_name="overrides")
    source_key = models.CharField(max_length=64, blank=True)
    """Of an imported event: the same event again is the same override."""
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="overrides_made")
    created_by_label = models.CharField(max_length=200, blank=True)
    """The program that made it, where no person did."""
    cancelled_at = models.DateTimeField(null=True)

    objects = OverrideQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=OverrideKind.values), name="oncall_override_kind_is_known"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__gt=F("started_at")), name="oncall_override_lasts_a_while"
            ),
            models.CheckConstraint(
                condition=Q(replaced=None) | ~Q(person=F("replaced")),
                name="oncall_override_is_between_two_people",
            ),
            models.UniqueConstraint(
                fields=["rotation", "source_key"],
                condition=~Q(source_key=""),
                name="oncall_override_one_per_imported_event",
            ),
        ]
        indexes = [
            models.Index(
                fields=["rotation", "ended_at"],
                name="oncall_override_standing",
                condition=Q(cancelled_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} {self.started_at:%-d %b %H:%M}"

    @property
    def who(self) -> str:
        """Who made it."""
        return str(self.created_by) if self.created_by else self.created_by_label or "the console"
