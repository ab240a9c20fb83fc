"""Machines that are to be looked up at their provider, and how that goes, account by account."""

from __future__ import annotations

from django.db import models

from console.fleet.models import Machine
from console.lib.origin import is_known_origin, origin_field


class LookupPlace(models.Model):
    """One account in one region: its calls are spaced out, and it rests after a failure."""

    origin = origin_field()
    account = models.CharField(max_length=128)
    region = models.CharField(max_length=64)
    paid_until = models.DateTimeField()
    """Every call moves this on by the pace of calls; far enough ahead of now, and the next has to wait."""
    asked_at = models.DateTimeField(null=True)
    """When it last answered."""
    failure_count = models.PositiveSmallIntegerField(default=0, db_default=0)
    failing_since = models.DateTimeField(null=True)
    reason = models.CharField(max_length=300, blank=True, db_default="")
    retry_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            is_known_origin("feeds", "lookupplace"),
            models.UniqueConstraint(
                fields=["origin", "account", "region"], name="feeds_lookupplace_one_per_account_and_region"
            ),
            models.CheckConstraint(
                condition=models.Q(failing_since=None, reason="")
                | (models.Q(failing_since__isnull=False) & ~models.Q(reason="")),
                name="feeds_lookupplace_fails_for_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account} in {self.region}"


class LookupAnswer(models.TextChoices):
    FOUND = "found", "Found"
    UNKNOWN = "unknown", "Not known there"


class MachineLookup(models.Model):
    """A machine of which its type, zone or tags were not known: to be asked for, or answered already.

    Answered rows stay for a week, so that nobody asks again and again for what the provider does not know.
    """

    origin = origin_field()
    machine = models.OneToOneField(Machine, models.CASCADE, related_name="lookup")
    account = models.CharField(max_length=128)
    region = models.CharField(max_length=64)
    due_at = models.DateTimeField(null=True)
    """When to ask (again); null once there is nothing more to ask."""
    try_count = models.PositiveSmallIntegerField(default=0, db_default=0)
    answer = models.CharField(max_length=8, choices=LookupAnswer, blank=True, db_default="")
    answered_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            is_known_origin("feeds", "machinelookup"),
            models.CheckConstraint(
                condition=models.Q(answer="", answered_at=None)
                | models.Q(answer__in=LookupAnswer.values, answered_at__isnull=False),
                name="feeds_machinelookup_answer_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(due_at__isnull=False) | models.Q(answered_at__isnull=False),
                name="feeds_machinelookup_due_until_answered",
            ),
        ]
        indexes = [
            models.Index(fields=["origin", "account", "region", "due_at"], name="feeds_machinelookup_due"),
            models.Index(fields=["answered_at"], name="feeds_machinelookup_answered"),
        ]

    def __str__(self) -> str:
        return f"look-up of {self.machine}"
