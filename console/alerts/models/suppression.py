"""Planned quiet: who asked for it and why, what it covers, when it is in force, and what it hid."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import F, Q

from console.accounts.models import User, validate_time_zone
from console.alerts.models.receipt import Decision
from console.fleet.models import Service, Team
from console.lib.origin import is_known_origin, origin_field

if TYPE_CHECKING:
    from console.alerts.models.group import AlertGroup


class SuppressionKind(models.TextChoices):
    """`capacity_change` mutes what a planned change of size brings about, and nothing else (`metrics.md` 3)."""

    MAINTENANCE = "maintenance", "Maintenance"
    CAPACITY_CHANGE = "capacity_change", "Capacity change"


class ScopeKind(models.TextChoices):
    SERVICE = "service", "Service"
    TEAM = "team", "Team"
    POOL = "pool", "Pool"
    LABEL = "label", "Label"


class SuppressionQuerySet(models.QuerySet["Suppression"]):
    def of_origin(self, origin: str) -> SuppressionQuerySet:
        return self.filter(origin=origin)

    def due(self, *, now: datetime) -> SuppressionQuerySet:
        """Whose occurrences of the weeks ahead have to be written."""
        return self.filter(expand_at__lte=now)

    def in_state(self, state: str, *, now: datetime) -> SuppressionQuerySet:
        """`in_force`, `live` (in force or still to come), `past`, or all."""
        windows = SuppressionOccurrence.objects.filter(released_at=None, ends_at__gt=now)
        if state == "in_force":
            return self.filter(pk__in=windows.filter(starts_at__lte=now).values("suppression"))
        is_live = Q(pk__in=windows.values("suppression")) | Q(expand_at__isnull=False)
        if state == "live":
            return self.filter(is_live)
        return self.exclude(is_live) if state == "past" else self


class Suppression(models.Model):
    """One maintenance window or planned capacity change, once (`ends_at`) or repeating (`rrule`)."""

    LONGEST_CAPACITY_CHANGE = timedelta(hours=24)

    origin = origin_field()
    kind = models.CharField(max_length=16, choices=SuppressionKind)
    name = models.CharField(max_length=120)
    reason = models.CharField(max_length=500)
    author = models.ForeignKey(User, models.PROTECT, null=True, related_name="suppressions")
    author_label = models.CharField(max_length=200, blank=True, default="")
    """The program that made it, where no person did."""
    team = models.ForeignKey(Team, models.PROTECT, null=True, blank=True, related_name="suppressions")
    starts_at = models.DateTimeField()
    """The first start. Where it repeats, its wall clock in `time_zone` is what repeats."""
    ends_at = models.DateTimeField(null=True)
    """When a single window ends as it was planned; null: it repeats."""
    rrule = models.CharField(max_length=300, blank=True, default="")
    duration = models.DurationField()
    """How long each window lasts, in real time, whatever the clocks do."""
    time_zone = models.CharField(max_length=64, default="UTC", validators=[validate_time_zone])
    share = models.PositiveSmallIntegerField(default=50)
    """Percent of a service's running spot machines. What takes more is never hidden unless it is signed."""
    needs_signature = models.BooleanField(default=False)
    """It shall hide critical burns and large waves too; until a second person signs it does not."""
    signed_at = models.DateTimeField(null=True)
    signed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="suppressions_signed")
    cancelled_at = models.DateTimeField(null=True)
    cancelled_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="suppressions_cancelled")
    cancelled_by_label = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField()
    expanded_until = models.DateTimeField()
    """Every occurrence that starts before this is written."""
    expand_at = models.DateTimeField(null=True)
    """When the next ones have to be written; null: there are no more."""

    objects = SuppressionQuerySet.as_manager()

    class Meta:
        constraints = [
            is_known_origin("alerts", "suppression"),
            models.CheckConstraint(
                condition=Q(kind__in=SuppressionKind.values), name="alerts_suppression_kind_is_known"
            ),
            models.CheckConstraint(
                condition=Q(rrule="", ends_at__gt=F("starts_at")) | (~Q(rrule="") & Q(ends_at=None)),
                name="alerts_suppression_ends_or_repeats",
            ),
            models.CheckConstraint(
                condition=Q(duration__gt=timedelta(0)), name="alerts_suppression_lasts_some_time"
            ),
            models.CheckConstraint(
                condition=Q(kind="maintenance") | Q(duration__lte=timedelta(hours=24)),
                name="alerts_suppression_capacity_change_within_a_day",
            ),
            models.CheckConstraint(
                condition=Q(share__gte=1, share__lte=100), name="alerts_suppression_share_is_a_percentage"
            ),
            models.CheckConstraint(
                condition=Q(signed_at=None, signed_by=None)
                | (Q(signed_at__isnull=False, signed_by__isnull=False, needs_signature=True)),
                name="alerts_suppression_signed_has_person",
            ),
            models.CheckConstraint(
                condition=Q(signed_by=None) | Q(author=None) | ~Q(signed_by=F("author")),
                name="alerts_suppression_signed_by_another",
            ),
            models.CheckConstraint(
                condition=Q(author__isnull=False) | ~Q(author_label=""), name="alerts_suppression_has_author"
            ),
        ]
        indexes = [
            models.Index(fields=["origin", "-created_at", "-id"], name="alerts_suppression_newest"),
            models.Index(
                fields=["expand_at"], name="alerts_suppression_due", condition=Q(expand_at__isnull=False)
            ),
            models.Index(
                fields=["origin", "-id"],
                name="alerts_suppression_repeating",
                condition=~Q(rrule="") & Q(cancelled_at=None),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def maker(self) -> str:
        return str(self.author) if self.author else self.author_label

    @property
    def is_signed(self) -> bool:
        """A second person agreed that it hides what is never hidden otherwise."""
        return self.signed_at is not None

    @property
    def is_repeating(self) -> bool:
        return bool(self.rrule)


class SuppressionScope(models.Model):
    """One thing that a suppression covers; a machine is covered when any of its scopes fits.

    Of a pool each part may be left open: `aws/eu-west-1` is every pool of that region.
    """

    suppression = models.ForeignKey(Suppression, models.CASCADE, related_name="scopes")
    kind = models.CharField(max_length=8, choices=ScopeKind)
    service = models.ForeignKey(Service, models.PROTECT, null=True, related_name="suppression_scopes")
    team = models.ForeignKey(Team, models.PROTECT, null=True, related_name="suppression_scopes")
    provider = models.CharField(max_length=16, blank=True, default="")
    region = models.CharField(max_length=64, blank=True, default="")
    zone = models.CharField(max_length=64, blank=True, default="")
    instance_type = models.CharField(max_length=64, blank=True, default="")
    label_key = models.CharField(max_length=128, blank=True, default="")
    label_value = models.CharField(max_length=256, blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=ScopeKind.values), name="alerts_suppressionscope_kind_is_known"
            ),
            models.CheckConstraint(
                condition=Q(kind="service", service__isnull=False, team=None, label_key="")
                | Q(kind="team", team__isnull=False, service=None, label_key="")
                | (
                    Q(kind="pool", service=None, team=None, label_key="")
                    & ~Q(provider="", region="", zone="", instance_type="")
                )
                | (Q(kind="label", service=None, team=None) & ~Q(label_key="")),
                name="alerts_suppressionscope_names_its_thing",
            ),
        ]

    def __str__(self) -> str:
        return self.text

    @property
    def text(self) -> str:
        """As people and programs write it: `service:checkout`, `pool:aws/eu-west-1/*/m7i.large`, `label:env=prod`."""
        if self.kind == ScopeKind.SERVICE and self.service is not None:
            return f"service:{self.service.slug}"
        if self.kind == ScopeKind.TEAM and self.team is not None:
            return f"team:{self.team.slug}"
        if self.kind == ScopeKind.LABEL:
            return f"label:{self.label_key}={self.label_value}"
        parts = [self.provider, self.region, self.zone, self.instance_type]
        while not parts[-1]:
            parts.pop()
        return "pool:" + "/".join(part or "*" for part in parts)


class OccurrenceQuerySet(models.QuerySet["SuppressionOccurrence"]):
    def of_origin(self, origin: str) -> OccurrenceQuerySet:
        return self.filter(origin=origin)

    def in_force(self, *, now: datetime) -> OccurrenceQuerySet:
        """Half-open: from its start on, no more at its end; and never again once it was let go."""
        return self.filter(released_at=None, starts_at__lte=now, ends_at__gt=now)

    def ahead(self, *, now: datetime) -> OccurrenceQuerySet:
        return self.filter(released_at=None, starts_at__gt=now)

    def due(self, *, now: datetime) -> OccurrenceQuerySet:
        return self.filter(due_at__lte=now)


class SuppressionOccurrence(models.Model):
    """One stretch of time [start, end) in which a suppression is in force. Kept when it is over."""

    origin = origin_field()
    suppression = models.ForeignKey(Suppression, models.CASCADE, related_name="occurrences")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    begun_at = models.DateTimeField(null=True)
    """When the groups that were open as it started were looked at."""
    released_at = models.DateTimeField(null=True)
    """Since when it hides nothing any more, whatever a clock says; what it hid is decided on again after that."""
    due_at = models.DateTimeField(null=True)
    """Its start, then its end, then at once; null: nothing is left to do."""

    objects = OccurrenceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["suppression", "starts_at"], name="alerts_suppressionoccurrence_one_per_start"
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gte=F("starts_at")), name="alerts_suppressionoccurrence_ends_after_start"
            ),
            is_known_origin("alerts", "suppressionoccurrence"),
        ]
        indexes = [
            models.Index(
                fields=["origin", "starts_at"],
                name="alerts_suppressionocc_live",
                condition=Q(released_at=None),
            ),
            models.Index(
                fields=["due_at"], name="alerts_suppressionocc_due", condition=Q(due_at__isnull=False)
            ),
            models.Index(fields=["origin", "-ends_at", "-id"], name="alerts_suppressionocc_past"),
        ]

    def __str__(self) -> str:
        return f"{self.suppression} from {self.starts_at:%Y-%m-%d %H:%M}"

    def is_in_force(self, *, now: datetime) -> bool:
        return self.released_at is None and self.starts_at <= now < self.ends_at


class SuppressionHit(models.Model):
    """The ledger: one decision that a suppression hid, and what it would have been."""

    occurrence = models.ForeignKey(SuppressionOccurrence, models.CASCADE, related_name="hits", db_index=False)
    group: models.ForeignKey[AlertGroup, AlertGroup] = models.ForeignKey(
        "alerts.AlertGroup", models.CASCADE, related_name="suppression_hits", db_index=False
    )
    trigger = models.CharField(max_length=64)
    decision = models.CharField(max_length=16, choices=Decision)
    """What was decided before the suppression was looked at."""
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["occurrence", "group", "trigger"], name="alerts_suppressionhit_once"
            ),
            models.CheckConstraint(
                condition=Q(decision__in=Decision.values), name="alerts_suppressionhit_decision_is_known"
            ),
        ]
        indexes = [
            models.Index(F("occurrence").asc(), F("id").desc(), name="alerts_suppressionhit_newest"),
            models.Index(fields=["group"], name="alerts_suppressionhit_group"),
        ]

    def __str__(self) -> str:
        return f"{self.decision} of {self.group} hidden"
