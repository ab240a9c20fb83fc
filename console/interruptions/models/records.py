"""What nodes and services report around an interruption: hooks, moves, work, volumes, streams, logs."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q

from console.feeds.models import Feed
from console.fleet.models import Machine, Service, Statefulness
from console.interruptions.models.interruption import Interruption
from console.lib.origin import is_known_origin, origin_field


class HookOutcome(models.TextChoices):
    COMPLETE = "complete", "Complete"
    PARTIAL = "partial", "Partial"
    FAILED = "failed", "Failed"


def _between(start: datetime | None, end: datetime | None) -> timedelta | None:
    """How long it took; None where either end was not reported."""
    return None if start is None or end is None else end - start


class _NodeRecord(models.Model):
    """What a node reported about itself: tied to the machine, and to the interruption it fell into."""

    origin = origin_field()
    feed = models.ForeignKey(Feed, models.CASCADE, null=True, related_name="%(class)s_records")
    report_id = models.CharField(max_length=512)
    machine = models.ForeignKey(Machine, models.CASCADE, related_name="%(class)s_records")
    interruption = models.ForeignKey(
        Interruption, models.SET_NULL, null=True, related_name="%(class)s_records"
    )
    at = models.DateTimeField()
    """When it happened, for the order and to find its interruption."""
    received_at = models.DateTimeField()

    class Meta:
        abstract = True


class Hook(_NodeRecord):
    """One run of a service's shutdown hook."""

    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=16, choices=HookOutcome)
    is_inferred = models.BooleanField(default=False)
    message = models.CharField(max_length=1000, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["feed", "report_id"], name="interruptions_hook_once"),
            is_known_origin("interruptions", "hook"),
            models.CheckConstraint(
                condition=Q(outcome__in=HookOutcome.values),
                name="interruptions_hook_outcome_is_known",
            ),
        ]
        indexes = [
            models.Index(fields=["interruption"], name="interruptions_hook_of"),
            models.Index(fields=["at"], name="interruptions_hook_stray", condition=Q(interruption=None)),
            models.Index(fields=["origin", "-at", "-id"], name="interruptions_hook_newest"),
        ]

    def __str__(self) -> str:
        return f"hook {self.outcome}"

    @property
    def took(self) -> timedelta | None:
        return _between(self.started_at, self.finished_at)


class Move(_NodeRecord):
    """One workload leaving the machine and running again elsewhere."""

    workload = models.CharField(max_length=256)
    workload_class = models.CharField(max_length=16, choices=Statefulness)
    evicted_at = models.DateTimeField()
    running_at = models.DateTimeField(null=True)
    to_node = models.CharField(max_length=256, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["origin", "machine", "workload", "evicted_at"],
                name="interruptions_move_once",
            ),
            is_known_origin("interruptions", "move"),
            models.CheckConstraint(
                condition=Q(workload_class__in=Statefulness.values),
                name="interruptions_move_class_is_known",
            ),
        ]
        indexes = [
            models.Index(fields=["interruption"], name="interruptions_move_of"),
            models.Index(fields=["at"], name="interruptions_move_stray", condition=Q(interruption=None)),
            models.Index(fields=["origin", "-evicted_at"], name="interruptions_move_newest"),
            models.Index(
                fields=["origin", "evicted_at"],
                name="interruptions_move_pending",
                condition=Q(running_at=None),
            ),
        ]

    def __str__(self) -> str:
        return self.workload

    @property
    def took(self) -> timedelta | None:
        return _between(self.evicted_at, self.running_at)


class Work(_NodeRecord):
    """One attempt at a job: seconds that count, seconds lost, seconds to get going again."""

    job = models.CharField(max_length=256)
    attempt = models.PositiveIntegerField()
    useful_seconds = models.FloatField()
    lost_seconds = models.FloatField()
    restart_seconds = models.FloatField(default=0)
    last_checkpoint_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["origin", "machine", "job", "attempt"], name="interruptions_work_once"
            ),
            is_known_origin("interruptions", "work"),
        ]
        indexes = [
            models.Index(fields=["interruption"], name="interruptions_work_of"),
            models.Index(fields=["at"], name="interruptions_work_stray", condition=Q(interruption=None)),
        ]

    def __str__(self) -> str:
        return f"{self.job} #{self.attempt}"


class Volume(_NodeRecord):
    """A volume let go by one machine and attached to the next."""

    volume = models.CharField(max_length=256)
    detached_at = models.DateTimeField(null=True)
    attached_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["feed", "report_id"], name="interruptions_volume_once"),
            is_known_origin("interruptions", "volume"),
        ]
        indexes = [
            models.Index(fields=["interruption"], name="interruptions_volume_of"),
            models.Index(fields=["at"], name="interruptions_volume_stray", condition=Q(interruption=None)),
            models.Index(fields=["origin", "-at", "-id"], name="interruptions_volume_newest"),
        ]

    def __str__(self) -> str:
        return self.volume

    @property
    def took(self) -> timedelta | None:
        return _between(self.detached_at, self.attached_at)


class Replica(_NodeRecord):
    """A replica of stateful data: last write before, ready again after."""

    name = models.CharField(max_length=256)
    last_write_at = models.DateTimeField()
    ready_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["origin", "machine", "name", "last_write_at"],
                name="interruptions_replica_once",
            ),
            is_known_origin("interruptions", "replica"),
        ]
        indexes = [
            models.Index(fields=["interruption"], name="interruptions_replica_of"),
            models.Index(fields=["at"], name="interruptions_replica_stray", condition=Q(interruption=None)),
            models.Index(fields=["origin", "-at", "-id"], name="interruptions_replica_newest"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def took(self) -> timedelta | None:
        return _between(self.last_write_at, self.ready_at)


class Sample(models.Model):
    """One point of a stream of a service. Partitioned by the day of `at`; kept for 90 days."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    origin = origin_field()
    service = models.ForeignKey(Service, models.DO_NOTHING, db_constraint=False, related_name="samples")
    machine = models.ForeignKey(
        Machine, models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="samples"
    )
    """The machine that sent it itself; null where a program pushed it for the service."""
    signal = models.CharField(max_length=64)
    replica = models.CharField(max_length=256, blank=True)
    value = models.FloatField(null=True)

    class Meta:
        db_table = "interruptions_sample"

    def __str__(self) -> str:
        return f"{self.signal} of {self.service_id}"


class LogLine(models.Model):
    """One line of a hook's or agent's log. Partitioned by receive day; kept for 30 days."""

    id = models.BigAutoField(primary_key=True)
    received_at = models.DateTimeField()
    origin = origin_field()
    machine = models.ForeignKey(Machine, models.DO_NOTHING, db_constraint=False, related_name="log_lines")
    at = models.DateTimeField()
    level = models.CharField(max_length=16)
    message = models.TextField()
    report_id = models.CharField(max_length=512)

    class Meta:
        db_table = "interruptions_logline"

    def __str__(self) -> str:
        return self.message[:80]
