"""What the roll-up keeps of jobs, streams and replicas: the inputs of M4, M6 and M8."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from console.interruptions.models.rollup import PlacedSum, once_per_place


class Signal(models.TextChoices):
    """The streams whose gaps are measured. Others are kept, and measured elsewhere or not at all."""

    TELEMETRY = "telemetry", "Telemetry"
    AUDIT = "audit", "Audit"


def _milliseconds() -> ArrayField[list[int], list[int]]:
    return ArrayField(models.BigIntegerField(), default=list)


def _count() -> models.IntegerField[int, int]:
    return models.IntegerField(default=0)


class JobHour(PlacedSum):
    """What the attempts at one job come to in one hour: whole milliseconds. Without a job: what nobody reported."""

    hour = models.DateTimeField()
    job = models.CharField(max_length=256, blank=True)
    attempt_count = _count()
    useful = models.BigIntegerField(default=0)
    lost = models.BigIntegerField(default=0)
    restart = models.BigIntegerField(default=0)
    assumed_count = _count()
    assumed_lost = models.BigIntegerField(default=0)
    """The part of `lost` that no report states: from the last checkpoint known to the end."""
    task_count = _count()
    """Attempts that report no seconds at all: only that there was another."""
    retried_count = _count()
    unreported_count = _count()
    """Reclaims of batch services of whose work nothing is known."""

    class Meta:
        constraints = once_per_place("jobhour", "hour", also=["job"])

    def __str__(self) -> str:
        return f"{self.job} in the hour of {self.hour:%Y-%m-%d %H}"


class StreamHour(PlacedSum):
    """How long the streams of one signal were silent around the ends of one hour's reclaims, a value a reclaim."""

    hour = models.DateTimeField()
    signal = models.CharField(max_length=16, choices=Signal)
    milliseconds = _milliseconds()
    silent_since = ArrayField(models.DateTimeField(), default=list)
    """Last sample of those that have not been heard again."""
    skewed_count = _count()
    """Of the values, those below zero that were taken as zero."""
    streamless_count = _count()
    """Reclaims that no stream of this signal was known for."""
    node_count = _count()
    """Machines that sent this signal themselves."""
    cut_count = _count()
    """Of these, those whose own stream ends more than 60 s before they went."""

    class Meta:
        constraints = [
            *once_per_place("streamhour", "hour", also=["signal"]),
            models.CheckConstraint(
                condition=models.Q(signal__in=Signal.values), name="interruptions_streamhour_signal_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.signal} in the hour of {self.hour:%Y-%m-%d %H}"


class RecoveryHour(PlacedSum):
    """How long replicas lost in one hour took to be ready again, whole and in three parts that add up."""

    hour = models.DateTimeField()
    milliseconds = _milliseconds()
    detect = _milliseconds()
    attach = _milliseconds()
    catch_up = _milliseconds()
    pending_since = ArrayField(models.DateTimeField(), default=list)

    class Meta:
        constraints = once_per_place("recoveryhour", "hour")

    def __str__(self) -> str:
        return f"{len(self.milliseconds)} replicas in the hour of {self.hour:%Y-%m-%d %H}"
