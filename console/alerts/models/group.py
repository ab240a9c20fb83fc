"""Alert groups and their members."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import models
from django.db.models import Count, Exists, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from console.accounts.models import User
from console.alerts.models.words import EscalationState, GroupKind, GroupStatus, Resolution, Severity
from console.fleet.models import Pool, Service, Team
from console.interruptions.models import Episode, Interruption
from console.lib.origin import is_known_origin, origin_field
from console.runbooks.models import Execution


class AlertGroupQuerySet(models.QuerySet["AlertGroup"]):
    def of_origin(self, origin: str) -> AlertGroupQuerySet:
        return self.filter(origin=origin)

    def open(self) -> AlertGroupQuerySet:
        return self.exclude(status=GroupStatus.RESOLVED)

    def about(self, services: Iterable[int]) -> AlertGroupQuerySet:
        """The groups of these services, and the waves that such a group stands under."""
        ids = list(services)
        children = AlertGroup.objects.filter(service__in=ids).exclude(parent=None)
        return self.filter(Q(service__in=ids) | Q(pk__in=children.values("parent")))

    def of_kind(self, kind: GroupKind) -> AlertGroupQuerySet:
        if kind == GroupKind.FINDING:
            return self.exclude(key__startswith="service:").exclude(key__startswith="wave:")
        return self.filter(key__startswith=f"{kind.value}:")

    def nested(self) -> AlertGroupQuerySet:
        """Without the groups that stand under a wave which is here itself."""
        waves = self.filter(key__startswith="wave:").order_by()
        return self.exclude(parent__in=waves.values("pk"))

    def speaking(self, *, now: datetime) -> AlertGroupQuerySet:
        """Neither silenced nor suppressed."""
        may_speak = Q(silenced_until=None) | Q(silenced_until__lte=now)
        return self.filter(may_speak, Q(suppressed_until=None) | Q(suppressed_until__lte=now))

    def with_paged(self) -> AlertGroupQuerySet:
        """Each with `is_paged`: somebody was, or was to be, paged for it; and `is_unanswered`: in vain."""
        mine = AlertGroup.objects.filter(pk=OuterRef("pk"))
        return self.annotate(
            is_paged=Exists(mine.filter(escalations__is_paging=True)),
            is_unanswered=Exists(mine.filter(escalations__state=EscalationState.EXHAUSTED)),
        )

    def with_child_count(self) -> AlertGroupQuerySet:
        """Each with `child_count`: the groups that stand under it."""
        children = AlertGroup.objects.filter(parent=OuterRef("pk")).order_by().values("parent")
        counted = children.annotate(count=Count("pk")).values("count")
        return self.annotate(child_count=Coalesce(Subquery(counted), 0))

    def due(self, *, now: datetime) -> AlertGroupQuerySet:
        return self.filter(due_at__lte=now)


class AlertGroup(models.Model):
    """What one person handles. At most one is open for a key (`metrics.md` section 3, Groups)."""

    origin = origin_field()
    key = models.CharField(max_length=200)
    service = models.ForeignKey(Service, models.PROTECT, null=True, related_name="alert_groups")
    team = models.ForeignKey(Team, models.SET_NULL, null=True, related_name="alert_groups")
    """Whose it is: the service's team, or the platform's. Null: nobody is named."""
    rule = models.ForeignKey("alerts.Rule", models.SET_NULL, null=True, related_name="groups")
    """Of a finding: the rule that opened it."""
    condition = models.CharField(max_length=32, blank=True, db_default="")
    """Of a finding: the row of its rule's table that holds."""
    parent = models.ForeignKey("self", models.SET_NULL, null=True, related_name="children")
    kept_apart_from = models.ForeignKey("self", models.SET_NULL, null=True, related_name="+", db_index=False)
    """The wave that a person took it out from under: it is not put back there."""
    merged_into = models.ForeignKey("self", models.SET_NULL, null=True, related_name="merged", db_index=False)
    """The group that a person put its machines into. While that is open, what else comes for this key joins it."""
    pool = models.ForeignKey(Pool, models.PROTECT, null=True, related_name="waves")
    """The one pool that a wave is about; null: its whole zone, or no wave."""
    execution = models.OneToOneField(Execution, models.PROTECT, null=True, related_name="alert_group")
    title = models.CharField(max_length=200)
    impact = models.CharField(max_length=300, blank=True)
    severity = models.CharField(max_length=16, choices=Severity, default=Severity.WARNING)
    status = models.CharField(max_length=16, choices=GroupStatus, default=GroupStatus.TRIGGERED)
    triggered_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="groups_acknowledged")
    acknowledged_by_label = models.CharField(max_length=200, blank=True, db_default="")
    """The program that did it, where no person did."""
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="groups_resolved")
    resolution = models.CharField(max_length=16, choices=Resolution, blank=True)
    cooldown_until = models.DateTimeField(null=True)
    """It was re-opened soon after it closed: until then nobody is told once more, unless it gets worse."""
    flapping_until = models.DateTimeField(null=True)
    """It opens again and again, and somebody was told: until then nobody is told once more, unless it gets worse."""
    flapping_severity = models.CharField(max_length=16, blank=True, db_default="")
    """How bad it was when somebody was told."""
    flapping_decision = models.CharField(max_length=16, blank=True, db_default="")
    """What they were told by: a page, or a ticket."""
    opening_count = models.PositiveSmallIntegerField(default=0, db_default=0)
    """Of a flapping one: how often its key opened within an hour."""
    silenced_until = models.DateTimeField(null=True)
    silenced_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="groups_silenced")
    below_need_since = models.DateTimeField(null=True)
    """Since when the service has fewer replicas than it needs, or a wave a service that has."""
    cascaded_at = models.DateTimeField(null=True)
    """When so many machines of the service were taken at once that chance does not explain it."""
    suppressed_until = models.DateTimeField(null=True)
    suppressed_by = models.ForeignKey(
        "alerts.Suppression", models.SET_NULL, null=True, related_name="groups_suppressed"
    )
    """The planned quiet that hides it now; what it keeps back goes out when that ends."""
    member_count = models.PositiveIntegerField(default=0)
    running_out_count = models.PositiveIntegerField(default=0)
    earliest_deadline_at = models.DateTimeField(null=True)
    last_news_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    """When time alone may close this group or end its silence."""
    put_off_count = models.PositiveSmallIntegerField(default=0, db_default=0)
    """How often that look failed for a reason that may pass; each time it waits longer."""
    version = models.PositiveIntegerField(default=1)

    objects = AlertGroupQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["origin", "key"],
                condition=~Q(status="resolved"),
                name="alerts_alertgroup_one_open_per_key",
            ),
            is_known_origin("alerts", "alertgroup"),
            models.CheckConstraint(
                condition=Q(status__in=GroupStatus.values), name="alerts_alertgroup_status_is_known"
            ),
            models.CheckConstraint(
                condition=Q(severity__in=Severity.values), name="alerts_alertgroup_severity_is_known"
            ),
            models.CheckConstraint(
                condition=Q(status="resolved", resolved_at__isnull=False)
                | (~Q(status="resolved") & Q(resolved_at=None, resolution="")),
                name="alerts_alertgroup_resolved_iff_time",
            ),
            models.CheckConstraint(
                condition=~Q(status="acknowledged") | Q(acknowledged_at__isnull=False),
                name="alerts_alertgroup_acknowledged_has_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["origin", "-triggered_at", "-id"],
                name="alerts_alertgroup_open",
                condition=~Q(status="resolved"),
            ),
            models.Index(fields=["origin", "-triggered_at", "-id"], name="alerts_alertgroup_newest"),
            models.Index(fields=["due_at"], name="alerts_alertgroup_due", condition=Q(due_at__isnull=False)),
            models.Index(fields=["service", "-triggered_at"], name="alerts_alertgroup_service"),
            models.Index(
                fields=["rule", "-triggered_at"],
                name="alerts_alertgroup_rule",
                condition=Q(rule__isnull=False),
            ),
            models.Index(
                fields=["origin", "severity", "-triggered_at", "-id"], name="alerts_alertgroup_severity"
            ),
            models.Index(
                fields=["origin", "-triggered_at", "-id"],
                name="alerts_alertgroup_wave",
                condition=Q(key__startswith="wave:"),
            ),
            models.Index(
                fields=["origin", "-triggered_at", "-id"],
                name="alerts_alertgroup_finding",
                condition=~Q(key__startswith="service:") & ~Q(key__startswith="wave:"),
            ),
            models.Index(fields=["origin", "key", "-id"], name="alerts_alertgroup_of_key"),
            models.Index(
                fields=["merged_into"],
                name="alerts_alertgroup_merged",
                condition=Q(merged_into__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def holder(self) -> str:
        """Who acknowledged it; empty where nobody has."""
        if self.acknowledged_at is None:
            return ""
        return (
            str(self.acknowledged_by) if self.acknowledged_by else self.acknowledged_by_label or "a program"
        )

    @property
    def is_open(self) -> bool:
        return self.status != GroupStatus.RESOLVED

    @property
    def kind(self) -> GroupKind:
        if self.is_wave:
            return GroupKind.WAVE
        return GroupKind.FINDING if self.is_finding else GroupKind.SERVICE

    @property
    def is_wave(self) -> bool:
        """It is about a pool or zone, and a parent of the services' groups that its machines are in."""
        return self.key.startswith("wave:")

    @property
    def is_finding(self) -> bool:
        """It is a rule's, or the console's own, and has no members; whoever opened it closes it."""
        return not self.key.startswith(("service:", "wave:"))

    def is_silenced(self, *, now: datetime) -> bool:
        return self.silenced_until is not None and self.silenced_until > now

    def is_flapping(self, *, now: datetime) -> bool:
        return self.flapping_until is not None and self.flapping_until > now

    def is_suppressed(self, *, now: datetime) -> bool:
        return self.suppressed_until is not None and self.suppressed_until > now


class GroupMember(models.Model):
    """An interruption in a group, and why it is there."""

    group = models.ForeignKey(AlertGroup, models.CASCADE, db_index=False, related_name="members")
    interruption = models.ForeignKey(Interruption, models.CASCADE, db_index=False, related_name="memberships")
    joined_at = models.DateTimeField()
    reason = models.CharField(max_length=200)
    placed_by = models.ForeignKey(
        "alerts.Regrouping", models.SET_NULL, null=True, db_index=False, related_name="placed"
    )
    """The act of a person that put it here: it stays, whatever it is attributed to, while the group is open."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["group", "interruption"], name="alerts_groupmember_once")
        ]
        indexes = [
            models.Index(fields=["interruption"], name="alerts_groupmember_of"),
            models.Index(
                fields=["placed_by"], name="alerts_groupmember_placed", condition=Q(placed_by__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.interruption} in {self.group}"


class GroupEpisode(models.Model):
    """An episode that a group covers."""

    group = models.ForeignKey(AlertGroup, models.CASCADE, related_name="episodes_covered")
    episode = models.ForeignKey(Episode, models.CASCADE, related_name="groups_covering")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["group", "episode"], name="alerts_groupepisode_once")]

    def __str__(self) -> str:
        return f"{self.episode} in {self.group}"
