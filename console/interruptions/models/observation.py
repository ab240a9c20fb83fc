"""What was said about a machine."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from console.feeds.models import Feed
from console.feeds.normalised import Cause, Kind, Outcome
from console.fleet.models import Machine
from console.interruptions.models.interruption import Interruption
from console.interruptions.models.words import choices_of
from console.lib.origin import origin_field


class Observation(models.Model):
    """One statement about one machine. Partitioned by receive month; kept for 25 months."""

    id = models.BigAutoField(primary_key=True)
    received_at = models.DateTimeField()
    origin = origin_field()
    feed = models.ForeignKey(Feed, models.DO_NOTHING, db_constraint=False, related_name="observations")
    delivery_pk = models.BigIntegerField()
    machine = models.ForeignKey(
        Machine, models.DO_NOTHING, null=True, db_constraint=False, related_name="observations"
    )
    interruption = models.ForeignKey(
        Interruption, models.DO_NOTHING, null=True, db_constraint=False, related_name="observations"
    )
    event_id = models.CharField(max_length=512)
    machine_named = models.CharField(max_length=512)
    source = models.CharField(max_length=32)
    kind = models.CharField(max_length=32, choices=choices_of(Kind))
    occurred_at = models.DateTimeField()
    deadline_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=16, choices=choices_of(Outcome))
    cause = models.CharField(max_length=24, choices=choices_of(Cause), blank=True)
    action = models.CharField(max_length=16, blank=True)
    machine_state = models.CharField(max_length=32, blank=True)
    native_id = models.CharField(max_length=256, blank=True)
    group = models.CharField(max_length=256, blank=True)
    boot_id = models.CharField(max_length=128, blank=True)
    node_uid = models.CharField(max_length=128, blank=True)
    may_open = models.BooleanField(default=False)
    is_precise_deadline = models.BooleanField(default=False)
    is_restart = models.BooleanField(default=False)
    is_observed = models.BooleanField(default=False)
    is_future = models.BooleanField(default=False)
    is_low_confidence = models.BooleanField(default=False)
    is_replay = models.BooleanField(default=False)
    listed = ArrayField(models.CharField(max_length=256), null=True)
    """Native ids that the machine's own metadata listed. Null: the statement is no such list."""
    incarnation = models.BigIntegerField(null=True)
    labels = models.JSONField(default=dict)
    message = models.CharField(max_length=500, blank=True)

    class Meta:
        db_table = "interruptions_observation"

    def __str__(self) -> str:
        return f"{self.kind} by {self.source}"


class ObservationKey(models.Model):
    """What makes an observation one of a kind. Unpartitioned and slim; pruned 30 days after receipt.

    Written with every observation and, as there, its feed is not looked up each time.
    """

    feed = models.ForeignKey(
        Feed, models.CASCADE, db_constraint=False, db_index=False, related_name="observation_keys"
    )
    event_id = models.CharField(max_length=512)
    machine_named = models.CharField(max_length=512)
    received_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["feed", "event_id", "machine_named"],
                nulls_distinct=False,
                name="interruptions_observationkey_one_per_statement",
            )
        ]
        indexes = [models.Index(fields=["received_at"], name="interruptions_obskey_received")]

    def __str__(self) -> str:
        return self.event_id
