"""Rules: what is looked for, in whose machines, from which limits on, and who is told of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from console.accounts.models import User
from console.alerts.models.group import AlertGroup
from console.alerts.models.words import Severity
from console.fleet.models import Service, Team
from console.lib.origin import is_known_origin, origin_field
from console.runbooks.models import Runbook


class Rule(models.Model):
    """One thing that is watched for. What decides is always one of its published versions."""

    slug = models.SlugField(max_length=64, unique=True)
    """It begins the keys of the groups it opens, `<slug>:<scope>`, so it never changes."""
    name = models.CharField(max_length=120)
    detector = models.CharField(max_length=64)
    """The name of a file of `alerts/detectors/`."""
    team = models.ForeignKey(Team, models.PROTECT, null=True, blank=True, related_name="rules")
    """Who answers for the rule itself; nobody named: the platform team."""
    runbook = models.ForeignKey(Runbook, models.SET_NULL, null=True, blank=True, related_name="rules")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    evaluated_at = models.DateTimeField(null=True)
    """When it was last looked at by the minute; null for rules that follow changes."""
    failed_at = models.DateTimeField(null=True)
    """When it last raised; null once it went through again."""

    def __str__(self) -> str:
        return self.name


class RuleVersionQuerySet(models.QuerySet["RuleVersion"]):
    def published(self) -> RuleVersionQuerySet:
        return self.exclude(published_at=None)

    def drafts(self) -> RuleVersionQuerySet:
        return self.filter(published_at=None)


class RuleVersion(models.Model):
    """One wording of a rule. Publishing freezes it for ever (database trigger): receipts name it.

    `revision` counts the times a draft was saved: whoever saves says which one they started from.
    """

    rule = models.ForeignKey(Rule, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    revision = models.PositiveIntegerField(default=1)
    is_enabled = models.BooleanField(default=True)
    scope: models.JSONField[dict[str, str], dict[str, str]] = models.JSONField(default=dict, blank=True)
    """Any of `service`, `team` (slugs), `pool` (`provider/region/zone/type`), `label` (`name=value`). Empty: all."""
    thresholds: models.JSONField[dict[str, float], dict[str, float]] = models.JSONField(default=dict)
    """By name, as the detector lists them."""
    table: models.JSONField[dict[str, dict[str, str]], dict[str, dict[str, str]]] = models.JSONField(
        default=dict
    )
    """Condition, then class of service, to page, ticket or log."""
    severity = models.CharField(max_length=16, choices=Severity, default=Severity.WARNING)
    evaluations = models.PositiveSmallIntegerField(default=2)
    """How often in a row it must hold, a minute apart, before it fires."""
    resolve_after = models.DurationField(default=timedelta(minutes=15))
    """How long it must not hold before it is over."""
    cooldown = models.DurationField(default=timedelta(minutes=30))
    group_by = models.CharField(max_length=16, default="service")
    change_note = models.CharField(max_length=300, blank=True)
    created_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="rule_versions_written")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    saved_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="rule_versions_saved")
    saved_at = models.DateTimeField(default=timezone.now, editable=False)
    published_at = models.DateTimeField(null=True)
    published_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="rule_versions_published")

    objects = RuleVersionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rule", "number"], name="alerts_ruleversion_one_per_number"),
            models.UniqueConstraint(
                fields=["rule"], condition=Q(published_at=None), name="alerts_ruleversion_one_draft"
            ),
            models.CheckConstraint(
                condition=Q(published_at__isnull=False) | Q(published_by=None),
                name="alerts_ruleversion_draft_has_no_publisher",
            ),
            models.CheckConstraint(
                condition=Q(number__gte=1) & Q(evaluations__gte=1),
                name="alerts_ruleversion_numbers_begin_at_one",
            ),
            models.CheckConstraint(
                condition=Q(severity__in=Severity.values), name="alerts_ruleversion_severity_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule.slug} v{self.number}"

    @property
    def is_published(self) -> bool:
        return self.published_at is not None

    def wording(self) -> dict[str, Any]:
        """What makes two versions differ: what is compared, shown and written into the audit trail."""
        return {
            "enabled": self.is_enabled,
            "scope": self.scope,
            "thresholds": self.thresholds,
            "table": self.table,
            "severity": str(self.severity),
            "evaluations": self.evaluations,
            "resolve_after_s": int(self.resolve_after.total_seconds()),
            "cooldown_s": int(self.cooldown.total_seconds()),
            "group_by": self.group_by,
        }


class Standing(models.TextChoices):
    """Where a rule stands with one scope."""

    PENDING = "pending", "Holds, not long enough yet"
    FIRING = "firing", "Firing"
    COOLING = "cooling", "Over, cooling down"


class RuleState(models.Model):
    """What a sampled rule remembers of one scope between two minutes. No row: it does not hold."""

    rule = models.ForeignKey(Rule, models.CASCADE, db_index=False, related_name="states")
    version = models.ForeignKey(RuleVersion, models.CASCADE, related_name="states")
    origin = origin_field()
    scope = models.CharField(max_length=128)
    service = models.ForeignKey(Service, models.CASCADE, null=True, related_name="rule_states")
    group = models.ForeignKey(AlertGroup, models.SET_NULL, null=True, related_name="rule_states")
    standing = models.CharField(max_length=16, choices=Standing)
    severity = models.CharField(max_length=16, choices=Severity)
    true_count = models.PositiveIntegerField(default=0)
    true_since = models.DateTimeField()
    fired_at = models.DateTimeField(null=True)
    clear_since = models.DateTimeField(null=True)
    """Since when it has not held, while it fires."""
    over_at = models.DateTimeField(null=True)
    """When it was over: it cools down from then on."""
    evaluated_at = models.DateTimeField()
    value = models.FloatField(null=True)
    limit = models.FloatField(null=True)
    text = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "origin", "scope"], name="alerts_rulestate_one_per_scope"
            ),
            is_known_origin("alerts", "rulestate"),
            models.CheckConstraint(
                condition=Q(standing__in=Standing.values), name="alerts_rulestate_standing_is_known"
            ),
            models.CheckConstraint(
                condition=Q(severity__in=Severity.values), name="alerts_rulestate_severity_is_known"
            ),
            models.CheckConstraint(
                condition=~Q(standing="cooling") | Q(over_at__isnull=False),
                name="alerts_rulestate_cooling_has_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule_id}:{self.scope} {self.standing}"


class Evaluation(models.Model):
    """The minute that was last looked at. One row: whoever moves it on evaluates that minute."""

    name = models.CharField(max_length=16, primary_key=True, default="minute")
    minute = models.DateTimeField()
    took_ms = models.PositiveIntegerField(default=0)
    subjects = models.PositiveIntegerField(default=0)
    """How many judgements were made."""

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(name="minute"), name="alerts_evaluation_is_one")]

    def __str__(self) -> str:
        return f"{self.minute:%Y-%m-%d %H:%M}"
