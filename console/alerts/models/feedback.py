"""Whether a page was worth being woken for, in one click."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from console.accounts.models import User
from console.alerts.models.group import AlertGroup


class Verdict(models.TextChoices):
    GOOD = "good", "Good"
    NOT_ACTIONABLE = "not_actionable", "Not actionable"
    NOISE = "noise", "Noise"


class Feedback(models.Model):
    """One person's word on one paged group; the last one counts."""

    group = models.ForeignKey(AlertGroup, models.CASCADE, db_index=False, related_name="feedback")
    person = models.ForeignKey(User, models.PROTECT, related_name="feedback")
    verdict = models.CharField(max_length=16, choices=Verdict)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["group", "person"], name="alerts_feedback_one_per_person"),
            models.CheckConstraint(
                condition=Q(verdict__in=Verdict.values), name="alerts_feedback_verdict_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.verdict} by {self.person}"
