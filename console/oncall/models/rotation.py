"""Rotations: people who take turns."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from console.accounts.models import validate_time_zone
from console.fleet.models import Team
from console.lib.origin import is_known_origin, origin_field


class Rotation(models.Model):
    """Who is on call when, in one time zone; belongs to a team, or to the platform where it has none."""

    origin = origin_field()
    slug = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=120)
    team = models.ForeignKey(Team, models.PROTECT, null=True, blank=True, related_name="rotations")
    time_zone = models.CharField(max_length=64, default="UTC", validators=[validate_time_zone])
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [is_known_origin("oncall", "rotation")]

    def __str__(self) -> str:
        return self.name
