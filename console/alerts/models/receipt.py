"""Why somebody was told, or nobody was."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from console.alerts.models.group import AlertGroup
from console.lib.origin import is_known_origin, origin_field


class Decision(models.TextChoices):
    PAGE = "page", "Page"
    TICKET = "ticket", "Ticket"
    LOG = "log", "Log"
    SUPPRESS = "suppress", "Suppress"


class Receipt(models.Model):
    """Why somebody was told, or nobody was: one row for every decision, with its inputs."""

    origin = origin_field()
    group = models.ForeignKey(AlertGroup, models.CASCADE, related_name="receipts")
    trigger = models.CharField(max_length=64)
    """What was decided on: `change:<id>`, `due:<time>` …; unique with the rule, so twice is harmless."""
    rule = models.CharField(max_length=64)
    decision = models.CharField(max_length=16, choices=Decision)
    reason = models.CharField(max_length=300)
    inputs = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["group", "rule", "trigger"], name="alerts_receipt_one_per_trigger"
            ),
            is_known_origin("alerts", "receipt"),
            models.CheckConstraint(
                condition=Q(decision__in=Decision.values), name="alerts_receipt_decision_is_known"
            ),
        ]
        indexes = [models.Index(F("group").asc(), F("id").desc(), name="alerts_receipt_newest")]

    def __str__(self) -> str:
        return f"{self.decision}: {self.reason}"
