"""What the roll-up keeps: sums by hour and day, sets by day, bunches, and which hours must be done again.

Everything here can be thrown away and computed anew; deleting a service takes its sums along.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from console.fleet.models import Machine, Pool, Service, Statefulness
from console.lib.origin import is_known_origin, origin_field

PLACE = ["service", "pool", "provider", "region"]
"""What a sum is kept by, beside its origin and time. Without a pool, provider and region still place it."""

COUNTS = (
    "spot_microseconds",
    "unknown_microseconds",
    "reclaim_count",
    "presumed_count",
    "unexplained_count",
    "complete_count",
    "partial_count",
    "failed_count",
    "no_report_count",
    "no_notice_count",
    "undecided_count",
    "inferred_count",
    "overdue_count",
    "noticed_count",
    "noticed_complete_count",
    "timed_count",
    "slow_count",
    "assumed_end_count",
    "bunch_excess",
)
"""The columns that are summed, in one order everywhere."""


def once_per_place(model: str, *time: str, also: list[str] | None = None) -> list[models.BaseConstraint]:
    return [
        models.UniqueConstraint(
            fields=["origin", *time, *PLACE, *(also or [])],
            name=f"interruptions_{model}_one_per_place",
            nulls_distinct=False,
        ),
        is_known_origin("interruptions", model),
    ]


def _count() -> models.BigIntegerField[int, int]:
    return models.BigIntegerField(default=0)


class PlacedSum(models.Model):
    """Constraints would only check what the roll-up just read from the rows themselves."""

    origin = origin_field()
    service = models.ForeignKey(Service, models.CASCADE, db_constraint=False, related_name="+")
    pool = models.ForeignKey(Pool, models.CASCADE, null=True, db_constraint=False, related_name="+")
    provider = models.CharField(max_length=16, blank=True)
    region = models.CharField(max_length=64, blank=True)

    class Meta:
        abstract = True


class _Counts(PlacedSum):
    """Sums of one place in one stretch of time. A reclaim counts where it started, with all it led to."""

    spot_microseconds = _count()
    unknown_microseconds = _count()
    reclaim_count = _count()
    presumed_count = _count()
    unexplained_count = _count()
    complete_count = _count()
    partial_count = _count()
    failed_count = _count()
    no_report_count = _count()
    no_notice_count = _count()
    undecided_count = _count()
    inferred_count = _count()
    overdue_count = _count()
    noticed_count = _count()
    noticed_complete_count = _count()
    timed_count = _count()
    slow_count = _count()
    assumed_end_count = _count()
    bunch_excess = _count()
    """Σ size² − size of the pool's bunches within the hour, whatever service, kept at the first service of each."""

    class Meta:
        abstract = True


class MeasureHour(_Counts):
    hour = models.DateTimeField()

    class Meta:
        constraints = once_per_place("measurehour", "hour")
        indexes = [
            models.Index(
                fields=["origin", "hour"],
                name="interruptions_hour_undecided",
                condition=models.Q(undecided_count__gt=0),
            )
        ]

    def __str__(self) -> str:
        return f"{self.reclaim_count} in the hour of {self.hour:%Y-%m-%d %H}"


class MeasureDay(_Counts):
    day = models.DateTimeField()

    class Meta:
        constraints = once_per_place("measureday", "day")

    def __str__(self) -> str:
        return f"{self.reclaim_count} on {self.day:%Y-%m-%d}"


class MachineDay(PlacedSum):
    """Which machines ran, and which were reclaimed, on one day: sets, so that weeks count each once."""

    day = models.DateTimeField()
    ran = ArrayField(models.BigIntegerField(), default=list)
    reclaimed = ArrayField(models.BigIntegerField(), default=list)
    unknown = ArrayField(models.BigIntegerField(), default=list)
    """Those that ran with a lifecycle nobody reported."""

    class Meta:
        constraints = once_per_place("machineday", "day")

    def __str__(self) -> str:
        return f"{len(self.ran)} on {self.day:%Y-%m-%d}"


class LatencyHour(PlacedSum):
    """The exact reschedule latencies of one hour, in whole milliseconds, and what is still pending."""

    hour = models.DateTimeField()
    workload_class = models.CharField(max_length=16, choices=Statefulness)
    milliseconds = ArrayField(models.BigIntegerField(), default=list)
    pending_since = ArrayField(models.DateTimeField(), default=list)

    class Meta:
        constraints = [
            *once_per_place("latencyhour", "hour", also=["workload_class"]),
            models.CheckConstraint(
                condition=models.Q(workload_class__in=Statefulness.values),
                name="interruptions_latencyhour_class_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{len(self.milliseconds)} moves in the hour of {self.hour:%Y-%m-%d %H}"


class BunchPair(models.Model):
    """Σ size² − size over the bunches that begin and end within one hour, split by pairs of services.

    A bunch is reclaims of one pool at most 180 s apart. The square of a bunch's size is a sum over pairs of its
    services, so the excess of any set of services is the sum of the rows whose services both lie in the set.
    """

    origin = origin_field()
    hour = models.DateTimeField()
    pool = models.ForeignKey(Pool, models.CASCADE, null=True, db_constraint=False, related_name="+")
    provider = models.CharField(max_length=16, blank=True)
    region = models.CharField(max_length=64, blank=True)
    service = models.ForeignKey(Service, models.CASCADE, db_constraint=False, related_name="+")
    other_service = models.ForeignKey(Service, models.CASCADE, db_constraint=False, related_name="+")
    excess = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["origin", "hour", "pool", "provider", "region", "service", "other_service"],
                name="interruptions_bunchpair_one_per_pair",
                nulls_distinct=False,
            ),
            is_known_origin("interruptions", "bunchpair"),
        ]

    def __str__(self) -> str:
        return f"{self.excess} in the hour of {self.hour:%Y-%m-%d %H}"


class BunchPiece(PlacedSum):
    """The part, within one hour, of a bunch that crosses the hour's edge; segment 0 continues the hour before."""

    hour = models.DateTimeField()
    segment = models.PositiveIntegerField()
    count = models.PositiveIntegerField()

    class Meta:
        constraints = once_per_place("bunchpiece", "hour", also=["segment"])

    def __str__(self) -> str:
        return f"{self.count} in the hour of {self.hour:%Y-%m-%d %H}"


class ReportingService(models.Model):
    """A service from which a hook report came at least once. The others are grey: not instrumented."""

    service = models.OneToOneField(
        Service, models.CASCADE, db_constraint=False, related_name="+", primary_key=True
    )

    def __str__(self) -> str:
        return f"service {self.service_id}"


class AssumedEnd(models.Model):
    """An interval without an end whose machine fell silent: taken to have ended 90 s after its last heartbeat."""

    machine = models.OneToOneField(
        Machine, models.CASCADE, db_constraint=False, related_name="+", primary_key=True
    )
    origin = origin_field()
    ended_at = models.DateTimeField()

    class Meta:
        constraints = [is_known_origin("interruptions", "assumedend")]
        indexes = [models.Index(fields=["origin"], name="interruptions_assumedend_of")]

    def __str__(self) -> str:
        return f"machine {self.machine_id} at {self.ended_at:%Y-%m-%d %H:%M}"


class DirtyHours(models.Model):
    """Hours whose rows changed after they were rolled up. Appended by many, deleted when done again."""

    origin = origin_field()
    since = models.DateTimeField()
    until = models.DateTimeField()

    class Meta:
        constraints = [is_known_origin("interruptions", "dirtyhours")]
        indexes = [models.Index(fields=["origin"], name="interruptions_dirtyhours_of")]

    def __str__(self) -> str:
        return f"{self.since:%Y-%m-%d %H} to {self.until:%Y-%m-%d %H}"


class RollupState(models.Model):
    """How far the sums of one origin reach. Its row lock lets one roll-up work at a time."""

    origin = models.CharField(max_length=8, primary_key=True)
    rolled_up_at = models.DateTimeField(null=True)
    swept_at = models.DateTimeField(null=True)
    """When the last 48 hours were last done again as a whole."""

    class Meta:
        constraints = [is_known_origin("interruptions", "rollupstate")]

    def __str__(self) -> str:
        return self.origin


class RateTarget(models.Model):
    """Another target for M1 where a class of machines cannot meet the usual one. The longest prefix wins."""

    label = models.CharField(max_length=80)
    provider = models.CharField(max_length=16, blank=True)
    type_prefix = models.CharField(max_length=64, blank=True)
    target = models.FloatField()
    red = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "type_prefix"], name="interruptions_ratetarget_one_per_class"
            ),
            models.CheckConstraint(
                condition=models.Q(target__gt=0, red__gte=models.F("target")),
                name="interruptions_ratetarget_red_is_beyond_target",
            ),
        ]

    def __str__(self) -> str:
        return self.label
