"""Why somebody was told, or nobody was."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from console.alerts.models.group import AlertGroup
from console.alerts.models.rule import RuleVersion
from console.alerts.models.words import Severity
from console.lib.origin import is_known_origin, origin_field


class Decision(models.TextChoices):
    PAGE = "page", "Page"
    TICKET = "ticket", "Ticket"
    LOG = "log", "Log"
    SUPPRESS = "suppress", "Suppress"


class Receipt(models.Model):
    """Why somebody was told, or nobody was: one row for every decision, with all that it looked at."""

    origin = origin_field()
    group = models.ForeignKey(AlertGroup, models.CASCADE, related_name="receipts")
    trigger = models.CharField(max_length=64)
    """What was decided on: `change:<id>`, `minute:<time>`, `due:<time>` …; twice for the same leaves one row."""
    rule = models.CharField(max_length=64)
    """The rule's slug, for reading."""
    rule_version = models.ForeignKey(RuleVersion, models.PROTECT, null=True, related_name="receipts")
    """Null: decided before there were rules, or by no rule."""
    decision = models.CharField(max_length=16, choices=Decision)
    severity = models.CharField(
        max_length=16, choices=Severity, default=Severity.INFO, db_default=Severity.INFO
    )
    """The group's, as it was decided on."""
    reason = models.CharField(max_length=300)
    inputs = models.JSONField(default=dict)
    windows = models.JSONField(default=dict, db_default={})
    """`long` and `short`, where the rule looks at windows: since, until, value."""
    suppressions = models.JSONField(default=list, db_default=[])
    """Each that was consulted, and whether it hid this."""
    roster = models.JSONField(default=dict, db_default={})
    """Whose it is, and who was on call for them at that second."""
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["group", "rule_version", "trigger"],
                nulls_distinct=False,
                name="alerts_receipt_one_per_trigger",
            ),
            is_known_origin("alerts", "receipt"),
            models.CheckConstraint(
                condition=Q(decision__in=Decision.values), name="alerts_receipt_decision_is_known"
            ),
            models.CheckConstraint(
                condition=Q(severity__in=Severity.values), name="alerts_receipt_severity_is_known"
            ),
        ]
        indexes = [
            models.Index(F("group").asc(), F("id").desc(), name="alerts_receipt_newest"),
            models.Index(
                F("group").asc(),
                F("id").desc(),
                name="alerts_receipt_told",
                condition=Q(decision__in=["page", "ticket"]),
            ),
            models.Index(
                F("rule_version").asc(),
                F("at").desc(),
                name="alerts_receipt_of_rule",
                condition=Q(decision__in=["page", "ticket", "suppress"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.decision}: {self.reason}"
