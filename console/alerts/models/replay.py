"""Replays: a draft laid over the past, how far the worker is, and what came out, episode by episode."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q

from console.accounts.models import User
from console.alerts.models.group import AlertGroup
from console.alerts.models.receipt import Decision
from console.alerts.models.rule import Rule, RuleVersion
from console.alerts.models.suppression import Suppression
from console.alerts.models.words import Severity
from console.fleet.models import Service
from console.lib.origin import is_known_origin, origin_field


class ReplayKind(models.TextChoices):
    RULE = "rule", "Rule"
    SUPPRESSION = "suppression", "Suppression"


class ReplayState(models.TextChoices):
    WAITING = "waiting", "Waiting"
    RUNNING = "replaying", "Replaying"
    DONE = "done", "Done"
    CANCELLED = "called_off", "Cancelled"
    FAILED = "failed", "Failed"


class ReplayQuerySet(models.QuerySet["Replay"]):
    def of_origin(self, origin: str) -> ReplayQuerySet:
        return self.filter(origin=origin)

    def unfinished(self) -> ReplayQuerySet:
        return self.filter(state__in=[ReplayState.WAITING, ReplayState.RUNNING])

    def claimable(self, *, now: datetime) -> ReplayQuerySet:
        """Waiting, or left behind by a worker that was not heard of since its lease ended."""
        left = Q(state=ReplayState.RUNNING, lease_until__lt=now)
        return self.filter(Q(state=ReplayState.WAITING) | left)


class Replay(models.Model):
    """One draft over one stretch of the past. The draft is kept whole: what was replayed can be read for ever."""

    origin = origin_field()
    kind = models.CharField(max_length=16, choices=ReplayKind)
    rule = models.ForeignKey(Rule, models.CASCADE, null=True, related_name="replays")
    compared_with = models.ForeignKey(RuleVersion, models.SET_NULL, null=True, related_name="replays")
    """The version in force as it was asked for. Null: the rule was never published, or it is a suppression."""
    started_from = models.CharField(max_length=32, blank=True)
    """The revision of the draft, as `rule_editing.revision_of` writes it: publishing asks whether it still stands."""
    draft: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)
    days = models.PositiveSmallIntegerField()
    since = models.DateTimeField()
    until = models.DateTimeField()
    """Also "as of": what came later is not looked at."""
    state = models.CharField(max_length=16, choices=ReplayState, default=ReplayState.WAITING)
    progress = models.PositiveSmallIntegerField(default=0)
    """Percent."""
    doing = models.CharField(max_length=120, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    """Counts the workers that took it up; a result is written by the last of them alone."""
    lease_until = models.DateTimeField(null=True)
    created_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="replays")
    created_by_label = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=500, blank=True)
    result: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)
    """Totals, people, and what was looked at; empty until it is done."""
    published_version = models.ForeignKey(RuleVersion, models.SET_NULL, null=True, related_name="+")
    published_suppression = models.ForeignKey(Suppression, models.SET_NULL, null=True, related_name="+")

    objects = ReplayQuerySet.as_manager()

    class Meta:
        constraints = [
            is_known_origin("alerts", "replay"),
            models.CheckConstraint(
                condition=Q(state__in=ReplayState.values), name="alerts_replay_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(kind="rule", rule__isnull=False) | Q(kind="suppression", rule=None),
                name="alerts_replay_names_its_rule",
            ),
            models.CheckConstraint(
                condition=~Q(state="replaying") | Q(lease_until__isnull=False),
                name="alerts_replay_running_has_lease",
            ),
            models.CheckConstraint(
                condition=Q(progress__lte=100), name="alerts_replay_progress_is_percentage"
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"],
                name="alerts_replay_unfinished",
                condition=Q(state__in=["waiting", "replaying"]),
            ),
            models.Index(fields=["origin", "-created_at", "-id"], name="alerts_replay_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.subject}, {self.days} days"

    @property
    def subject(self) -> str:
        return str(self.rule) if self.rule else str(self.draft.get("name", "Suppression"))

    @property
    def maker(self) -> str:
        return str(self.created_by) if self.created_by else self.created_by_label or "The console"

    @property
    def is_unfinished(self) -> bool:
        return self.state in (ReplayState.WAITING, ReplayState.RUNNING)

    @property
    def is_published(self) -> bool:
        return self.published_version_id is not None or self.published_suppression_id is not None


class Difference(models.TextChoices):
    """What the draft makes of one episode."""

    GONE = "gone", "Gone"
    HIDDEN = "hidden", "Hidden"
    QUIETER = "quieter", "Quieter"
    NEW = "new", "New"
    LOUDER = "louder", "Louder"
    EARLIER = "earlier", "Earlier"
    LATER = "delayed_by_draft", "Later"
    SAME = "same", "The same"


class ReplayEpisode(models.Model):
    """One group of a replay of which somebody is told, under the rules in force or under the draft."""

    replay = models.ForeignKey(Replay, models.CASCADE, db_index=False, related_name="episodes")
    key = models.CharField(max_length=200)
    title = models.CharField(max_length=200)
    impact = models.CharField(max_length=300, blank=True)
    service = models.ForeignKey(Service, models.SET_NULL, null=True, related_name="+")
    severity = models.CharField(max_length=16, choices=Severity)
    opened_at = models.DateTimeField()
    difference = models.CharField(max_length=16, choices=Difference)
    is_missed = models.BooleanField(default=False)
    """Nobody would be paged any more of something that was an error or critical, or that people found worth it."""
    now_decision = models.CharField(max_length=16, choices=Decision, blank=True)
    """The most that the rules in force do; empty: they tell nobody."""
    now_at = models.DateTimeField(null=True)
    now_pages = models.PositiveIntegerField(default=0)
    now_nights = models.PositiveIntegerField(default=0)
    now_reason = models.CharField(max_length=300, blank=True)
    now_people: models.JSONField[list[str], list[str]] = models.JSONField(default=list)
    draft_decision = models.CharField(max_length=16, choices=Decision, blank=True)
    draft_at = models.DateTimeField(null=True)
    draft_pages = models.PositiveIntegerField(default=0)
    draft_nights = models.PositiveIntegerField(default=0)
    draft_reason = models.CharField(max_length=300, blank=True)
    draft_people: models.JSONField[list[str], list[str]] = models.JSONField(default=list)
    minutes = models.IntegerField(null=True)
    """By how many minutes the draft tells later; negative: earlier. Null: one of them tells nobody."""
    group = models.ForeignKey(AlertGroup, models.SET_NULL, null=True, related_name="+")
    """What stands on record of it."""
    recorded = models.CharField(max_length=16, blank=True)
    """What was really done then; empty: nothing is on record."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(difference__in=Difference.values),
                name="alerts_replayepisode_difference_is_known",
            ),
            models.CheckConstraint(
                condition=Q(severity__in=Severity.values), name="alerts_replayepisode_severity_is_known"
            ),
            models.CheckConstraint(
                condition=Q(now_decision__in=["", *Decision.values])
                & Q(draft_decision__in=["", *Decision.values]),
                name="alerts_replayepisode_decisions_are_known",
            ),
        ]
        indexes = [models.Index(fields=["replay", "-opened_at", "-id"], name="alerts_replayepisode_newest")]

    def __str__(self) -> str:
        return f"{self.title}: {self.difference}"
