"""Swap requests: one person asks another to take a shift, for one of theirs or for nothing."""

from __future__ import annotations

from datetime import datetime

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Q

from console.accounts.models import User
from console.oncall.models.layer import StretchOfTime
from console.oncall.models.rotation import Rotation


class SwapState(models.TextChoices):
    OPEN = "open", "Waits for an answer"
    ACCEPTED = "accepted", "Accepted"
    DECLINED = "declined", "Declined"
    WITHDRAWN = "withdrawn", "Withdrawn"


class SwapRequestQuerySet(models.QuerySet["SwapRequest"]):
    def waiting(self, *, now: datetime) -> SwapRequestQuerySet:
        """Still to be answered: once its shift began there is nothing left to swap."""
        return self.filter(state=SwapState.OPEN, started_at__gt=now)


class SwapRequest(models.Model):
    """`asked` is to take the shift of `asker`; with a return, `asker` takes that of `asked`."""

    rotation = models.ForeignKey(Rotation, models.CASCADE, related_name="swaps")
    asker = models.ForeignKey(User, models.PROTECT, related_name="swaps_asked_for")
    asked = models.ForeignKey(User, models.PROTECT, related_name="swaps_offered")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    return_started_at = models.DateTimeField(null=True)
    return_ended_at = models.DateTimeField(null=True)
    message = models.CharField(max_length=300, blank=True)
    state = models.CharField(max_length=12, choices=SwapState, default=SwapState.OPEN)
    created_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)

    objects = SwapRequestQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=SwapState.values), name="oncall_swaprequest_state_is_known"
            ),
            models.CheckConstraint(
                condition=~Q(asker=F("asked")), name="oncall_swaprequest_is_between_two_people"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__gt=F("started_at")), name="oncall_swaprequest_lasts_a_while"
            ),
            models.CheckConstraint(
                condition=Q(return_started_at=None, return_ended_at=None)
                | Q(return_ended_at__gt=F("return_started_at")),
                name="oncall_swaprequest_return_lasts_a_while",
            ),
            models.CheckConstraint(
                condition=Q(state="open", decided_at=None) | ~Q(state="open") & Q(decided_at__isnull=False),
                name="oncall_swaprequest_decided_iff_time",
            ),
            ExclusionConstraint(
                name="oncall_swaprequest_one_open_per_shift",
                expressions=[
                    ("rotation", RangeOperators.EQUAL),
                    ("asker", RangeOperators.EQUAL),
                    (StretchOfTime("started_at", "ended_at"), RangeOperators.OVERLAPS),
                ],
                condition=Q(state="open"),
            ),
        ]
        indexes = [
            models.Index(fields=["asked"], name="oncall_swaprequest_asked", condition=Q(state="open")),
        ]

    def __str__(self) -> str:
        return f"{self.asker} asks {self.asked}"
