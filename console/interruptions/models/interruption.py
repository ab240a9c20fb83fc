"""Interruptions, their keys, and the episodes they form."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q

from console.feeds.normalised import Cause
from console.fleet.models import Machine, Pool, Service
from console.interruptions.models.words import HINT_STATES, OPEN_STATES, KnownBy, State, choices_of
from console.lib.origin import is_known_origin, origin_field


class Episode(models.Model):
    """A run of interruptions of one service with gaps of at most five minutes."""

    origin = origin_field()
    service = models.ForeignKey(Service, models.PROTECT, related_name="episodes")
    started_at = models.DateTimeField()
    last_started_at = models.DateTimeField()
    """When its latest member started: one within five minutes of this joins it."""
    ended_at = models.DateTimeField()
    interruption_count = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["origin", "service", "started_at"],
                name="interruptions_episode_one_per_start",
                deferrable=models.Deferrable.DEFERRED,
            ),
            is_known_origin("interruptions", "episode"),
        ]
        indexes = [
            models.Index(fields=["service", "-last_started_at"], name="interruptions_episode_latest"),
        ]

    def __str__(self) -> str:
        return f"{self.interruption_count} of {self.service} from {self.started_at:%H:%M}"


class InterruptionQuerySet(models.QuerySet["Interruption"]):
    def of_origin(self, origin: str) -> InterruptionQuerySet:
        return self.filter(origin=origin)

    def running_out(self) -> InterruptionQuerySet:
        """Reclaims whose machine still runs; hints left out."""
        return self.filter(state__in=[s for s in OPEN_STATES if s != State.AT_RISK])

    def counted(self) -> InterruptionQuerySet:
        """What M1 counts: spot reclaims that were neither hints nor withdrawn (`metrics.md` 1)."""
        return self.filter(cause=Cause.SPOT.value).exclude(state__in=[*HINT_STATES, State.CANCELLED])


class Interruption(models.Model):
    """One reclaim of one machine, however many feeds witnessed it. A function of its observations."""

    origin = origin_field()
    key = models.CharField(max_length=512)
    ordinal = models.PositiveIntegerField(default=1)
    machine = models.ForeignKey(Machine, models.PROTECT, db_index=False, related_name="interruptions")
    service = models.ForeignKey(Service, models.PROTECT, db_index=False, related_name="interruptions")
    pool = models.ForeignKey(Pool, models.PROTECT, null=True, db_index=False, related_name="interruptions")
    episode = models.ForeignKey(Episode, models.SET_NULL, null=True, related_name="interruptions")
    provider = models.CharField(max_length=16, blank=True)
    region = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=16, choices=State)
    cause = models.CharField(max_length=24, choices=choices_of(Cause), default="unknown")
    action = models.CharField(max_length=16, blank=True)
    known_by = models.CharField(max_length=16, choices=KnownBy, default=KnownBy.NOTICE)
    native_id = models.CharField(max_length=256, blank=True)
    opened_by = models.CharField(max_length=1100)
    """The opening observation as `feed:event id:machine`: while it is a member, the key stays."""
    started_at = models.DateTimeField()
    deadline_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    at_risk_at = models.DateTimeField(null=True)
    notice_at = models.DateTimeField(null=True)
    cordoned_at = models.DateTimeField(null=True)
    drain_started_at = models.DateTimeField(null=True)
    shutdown_started_at = models.DateTimeField(null=True)
    shutdown_completed_at = models.DateTimeField(null=True)
    terminated_at = models.DateTimeField(null=True)
    evicted_at = models.DateTimeField(null=True)
    scheduled_at = models.DateTimeField(null=True)
    running_at = models.DateTimeField(null=True)
    replacement_launched_at = models.DateTimeField(null=True)

    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, db_index=False, related_name="merged_interruptions"
    )
    """Where this turned out to be another: a tombstone that keeps its key, and counts nowhere."""
    has_drain_error = models.BooleanField(default=False)
    is_low_confidence = models.BooleanField(default=False)
    witness_count = models.PositiveSmallIntegerField(default=1)
    observation_count = models.PositiveIntegerField(default=1)
    first_received_at = models.DateTimeField()
    last_received_at = models.DateTimeField()
    is_late = models.BooleanField(default=False)
    """It was over, or past its deadline, 15 minutes before it was first heard of."""
    due_at = models.DateTimeField(null=True)
    """When time alone may change its state."""
    version = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField()

    objects = InterruptionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["origin", "key"], name="interruptions_interruption_one_per_key"),
            is_known_origin("interruptions", "interruption"),
            models.CheckConstraint(
                condition=Q(state__in=State.values), name="interruptions_interruption_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(known_by__in=KnownBy.values), name="interruptions_interruption_known_by_is_known"
            ),
            models.CheckConstraint(
                condition=Q(cause__in=[c.value for c in Cause]),
                name="interruptions_interruption_cause_is_known",
            ),
            models.CheckConstraint(
                condition=Q(merged_into=None) | Q(state="no_action"),
                name="interruptions_interruption_tombstone_is_a_hint",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["ended", "presumed"]) | Q(ended_at__isnull=False),
                name="interruptions_interruption_ended_has_time",
            ),
        ]
        indexes = [
            models.Index(fields=["origin", "-started_at", "-id"], name="interruptions_newest"),
            models.Index(
                fields=["origin", "deadline_at", "id"],
                name="interruptions_running_out",
                condition=Q(state__in=["noticed", "cordoned", "draining", "shutting_down", "shut_down"]),
            ),
            models.Index(fields=["due_at"], name="interruptions_due", condition=Q(due_at__isnull=False)),
            models.Index(fields=["machine", "started_at"], name="interruptions_machine"),
            models.Index(fields=["service", "-started_at"], name="interruptions_service"),
            models.Index(fields=["pool", "-started_at"], name="interruptions_pool"),
            models.Index(
                fields=["origin", "cause", "-started_at", "-id"],
                name="interruptions_rare_cause",
                condition=~Q(cause="spot"),
            ),
            models.Index(
                fields=["origin", "state", "-started_at", "-id"],
                name="interruptions_rare_state",
                condition=Q(state__in=["presumed", "cancelled", "at_risk", "no_action"]),
            ),
            models.Index(
                fields=["origin", "at_risk_at"],
                name="interruptions_hints",
                condition=Q(at_risk_at__isnull=False),
            ),
            models.Index(fields=["native_id"], name="interruptions_native", condition=~Q(native_id="")),
            models.Index(
                fields=["merged_into"], name="interruptions_merged", condition=Q(merged_into__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES

    @property
    def is_hint(self) -> bool:
        return self.state in HINT_STATES

    def notice_window(self) -> timedelta | None:
        """From notice to deadline: what the provider promised."""
        if self.notice_at is None or self.deadline_at is None:
            return None
        return self.deadline_at - self.notice_at

    def healed_by(self, *, now: datetime) -> bool:
        """The machine has ended or was withdrawn. Moves are looked at by whoever asks."""
        return not self.is_open and (self.ended_at is None or self.ended_at <= now)


class InterruptionAlias(models.Model):
    """A key that an interruption had, or could have been found by: links made with it still work."""

    origin = origin_field()
    key = models.CharField(max_length=512)
    interruption = models.ForeignKey(Interruption, models.CASCADE, related_name="aliases")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["origin", "key"], name="interruptions_interruptionalias_one_per_key"
            ),
            is_known_origin("interruptions", "interruptionalias"),
        ]

    def __str__(self) -> str:
        return self.key


class InterruptionChange(models.Model):
    """Work for the alert pipeline: an interruption is new or has changed. Deleted when done."""

    interruption = models.ForeignKey(Interruption, models.CASCADE, db_index=False, related_name="changes")
    at = models.DateTimeField()
    is_new = models.BooleanField(default=False)
    is_replay = models.BooleanField(default=False)
    due_at = models.DateTimeField(null=True)
    """Until then it rests after a failure. Null: it has not failed."""
    put_off_count = models.PositiveSmallIntegerField(default=0, db_default=0)

    def __str__(self) -> str:
        return f"change {self.pk}"
