"""Escalation policies: who is told first, who next, how long each has, and where a policy is used."""

from __future__ import annotations

from functools import reduce
from operator import or_

from django.db import models
from django.db.models import Q
from django.utils import timezone

from console.accounts.models import User
from console.fleet.models import Service, Team
from console.lib.origin import is_known_origin, origin_field
from console.notifications.models import Channel
from console.oncall.models.rotation import Rotation


class EscalationPolicyQuerySet(models.QuerySet["EscalationPolicy"]):
    def in_use(self) -> EscalationPolicyQuerySet:
        return self.filter(archived_at=None)


class EscalationPolicy(models.Model):
    """Levels, told one after the other until somebody answers. Each change makes a new version.

    An escalation under way keeps the version that it began with (`policies.Frozen`).
    """

    origin = origin_field()
    slug = models.SlugField(max_length=64)
    name = models.CharField(max_length=120)
    team = models.ForeignKey(Team, models.PROTECT, null=True, blank=True, related_name="escalation_policies")
    """Whose it is; null: the platform's."""
    repeats = models.PositiveSmallIntegerField(default=1)
    """How often all levels are told again when nobody answered."""
    acknowledged_minutes = models.PositiveSmallIntegerField(default=30)
    """How long an acknowledgement lasts before its holder is reminded."""
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    archived_at = models.DateTimeField(null=True, blank=True)

    objects = EscalationPolicyQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["origin", "slug"], name="oncall_escalationpolicy_one_per_slug"),
            is_known_origin("oncall", "escalationpolicy"),
            models.CheckConstraint(
                condition=Q(acknowledged_minutes__gte=5, acknowledged_minutes__lte=1440, repeats__lte=9),
                name="oncall_escalationpolicy_within_bounds",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class EscalationLevel(models.Model):
    """Those who are told together, and how long they have before the next level is told."""

    policy = models.ForeignKey(EscalationPolicy, models.CASCADE, related_name="levels")
    position = models.PositiveSmallIntegerField()
    """From 1."""
    wait_minutes = models.PositiveSmallIntegerField(default=5)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["policy", "position"], name="oncall_escalationlevel_one_per_position"
            ),
            models.CheckConstraint(
                condition=Q(position__gte=1, wait_minutes__gte=1, wait_minutes__lte=1440),
                name="oncall_escalationlevel_within_bounds",
            ),
        ]

    def __str__(self) -> str:
        return f"Level {self.position} of {self.policy}"


class TargetKind(models.TextChoices):
    """What can be named on a level."""

    ROTATION = "rotation", "Rotation"
    PERSON = "person", "Person"
    TEAM = "team", "Team"
    CHANNEL = "channel", "Channel"


def _names_one() -> Q:
    """The kind says which of the four columns is filled; the others are empty."""
    each = [
        Q(kind=kind, **{f"{other}__isnull": other != kind for other in TargetKind.values})
        for kind in TargetKind.values
    ]
    return reduce(or_, each)


class LevelTarget(models.Model):
    """One name on a level. A rotation and a team mean whoever is on call when the level is told."""

    level = models.ForeignKey(EscalationLevel, models.CASCADE, related_name="targets")
    kind = models.CharField(max_length=16, choices=TargetKind)
    rotation = models.ForeignKey(Rotation, models.PROTECT, null=True, related_name="escalation_targets")
    person = models.ForeignKey(User, models.PROTECT, null=True, related_name="escalation_targets")
    team = models.ForeignKey(Team, models.PROTECT, null=True, related_name="escalation_targets")
    channel = models.ForeignKey(Channel, models.PROTECT, null=True, related_name="escalation_targets")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=TargetKind.values), name="oncall_leveltarget_kind_is_known"
            ),
            models.CheckConstraint(
                condition=_names_one(), name="oncall_leveltarget_names_what_its_kind_says"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.named}"

    @property
    def named(self) -> Rotation | User | Team | Channel:
        named: Rotation | User | Team | Channel = getattr(self, self.kind)
        return named


class PolicyUse(models.Model):
    """Where a policy holds: for a service, for what a team owns, or for everything else."""

    origin = origin_field()
    policy = models.ForeignKey(EscalationPolicy, models.PROTECT, related_name="uses")
    service = models.OneToOneField(Service, models.CASCADE, null=True, related_name="escalation_use")
    team = models.OneToOneField(Team, models.CASCADE, null=True, related_name="escalation_use")

    class Meta:
        constraints = [
            is_known_origin("oncall", "policyuse"),
            models.CheckConstraint(
                condition=Q(service=None) | Q(team=None), name="oncall_policyuse_is_for_one_thing"
            ),
            models.UniqueConstraint(
                fields=["origin"],
                condition=Q(service=None, team=None),
                name="oncall_policyuse_one_default_per_origin",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.policy} for {self.whom}"

    @property
    def whom(self) -> str:
        """`Checkout`, `what Payments owns` or `everything else`."""
        if self.service is not None:
            return self.service.name
        return f"what {self.team.name} owns" if self.team is not None else "everything else"
