"""Rotations: people who take turns."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.db import models
from django.utils import timezone

from console.accounts.models import validate_time_zone
from console.fleet.models import Team
from console.lib.origin import is_known_origin, origin_field


class RotationQuerySet(models.QuerySet["Rotation"]):
    def of_origin(self, origin: str) -> RotationQuerySet:
        return self.filter(origin=origin)

    def in_use(self) -> RotationQuerySet:
        return self.filter(archived_at=None)


class Rotation(models.Model):
    """Who is on call when, in one time zone; belongs to a team, or to the platform where it has none."""

    origin = origin_field()
    slug = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=120)
    team = models.ForeignKey(Team, models.PROTECT, null=True, blank=True, related_name="rotations")
    time_zone = models.CharField(max_length=64, default="UTC", validators=[validate_time_zone])
    is_round_the_clock = models.BooleanField(default=True, db_default=True)
    """Somebody is meant to be on call at every hour; else only in the hours of its layers."""
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    archived_at = models.DateTimeField(null=True, blank=True)

    objects = RotationQuerySet.as_manager()

    class Meta:
        constraints = [is_known_origin("oncall", "rotation")]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)
