"""Layers: one order of people who take turns of one length. Where layers overlap, the higher one counts."""

from __future__ import annotations

from datetime import datetime

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, RangeOperators
from django.contrib.postgres.fields.ranges import DateTimeRangeField
from django.db import models
from django.db.models import F, Func, Q

from console.accounts.models import User
from console.oncall.models.rotation import Rotation


class TurnKind(models.TextChoices):
    HOURLY = "hourly", "Hours"
    DAILY = "daily", "Days"
    WEEKLY = "weekly", "Weeks"
    MONTHLY = "monthly", "Months"


class Weekday(models.IntegerChoices):
    MONDAY = 0, "Mon"
    TUESDAY = 1, "Tue"
    WEDNESDAY = 2, "Wed"
    THURSDAY = 3, "Thu"
    FRIDAY = 4, "Fri"
    SATURDAY = 5, "Sat"
    SUNDAY = 6, "Sun"


class StretchOfTime(Func):
    """`tstzrange(from, until)`: half-open, endless where `until` is null."""

    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


class LayerQuerySet(models.QuerySet["Layer"]):
    def in_force(self, *, at: datetime) -> LayerQuerySet:
        return self.filter(valid_from__lte=at).not_over(at=at)

    def not_over(self, *, at: datetime) -> LayerQuerySet:
        """In force at `at`, or to come."""
        return self.filter(Q(valid_until=None) | Q(valid_until__gt=at))


class Layer(models.Model):
    """One version of a layer: it holds from `valid_from` until it is changed, so that the past stays as it was."""

    rotation = models.ForeignKey(Rotation, models.CASCADE, related_name="layers")
    position = models.PositiveSmallIntegerField()
    """1 lies at the bottom."""
    name = models.CharField(max_length=60, blank=True)
    kind = models.CharField(max_length=8, choices=TurnKind)
    length = models.PositiveSmallIntegerField(default=1)
    """Of a turn, in units of `kind`."""
    time_zone = models.CharField(max_length=64)
    """The rotation's, when this version was written."""
    starts_on = models.DateField()
    """The first person's turn begins on this day at `handover_at`."""
    handover_at = models.TimeField()
    weekdays = ArrayField(models.PositiveSmallIntegerField(choices=Weekday), default=list, blank=True)
    """Only on these days; none named: on all of them."""
    hours_from = models.TimeField(null=True, blank=True)
    hours_until = models.TimeField(null=True, blank=True)
    """Only in these hours; where they end before they begin, on the next day."""
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField(null=True)
    created_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="layers_written")

    objects = LayerQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=TurnKind.values), name="oncall_layer_kind_is_known"),
            models.CheckConstraint(condition=Q(length__gte=1), name="oncall_layer_turns_last"),
            models.CheckConstraint(condition=Q(position__gte=1), name="oncall_layer_position_from_one"),
            models.CheckConstraint(
                condition=Q(weekdays__contained_by=Weekday.values), name="oncall_layer_weekdays_are_known"
            ),
            models.CheckConstraint(
                condition=Q(hours_from=None, hours_until=None)
                | Q(hours_from__isnull=False, hours_until__isnull=False) & ~Q(hours_from=F("hours_until")),
                name="oncall_layer_hours_begin_and_end",
            ),
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gt=F("valid_from")),
                name="oncall_layer_valid_for_a_while",
            ),
            ExclusionConstraint(
                name="oncall_layer_one_version_at_a_time",
                expressions=[
                    ("rotation", RangeOperators.EQUAL),
                    ("position", RangeOperators.EQUAL),
                    (StretchOfTime("valid_from", "valid_until"), RangeOperators.OVERLAPS),
                ],
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        return self.name or f"Layer {self.position}"


class LayerMember(models.Model):
    """A person's place in the order of a layer. Somebody may stand in it more than once."""

    layer = models.ForeignKey(Layer, models.CASCADE, db_index=False, related_name="members")
    person = models.ForeignKey(User, models.PROTECT, related_name="layer_places")
    position = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["layer", "position"], name="oncall_layermember_one_per_place")
        ]

    def __str__(self) -> str:
        return f"{self.position}. {self.person}"
