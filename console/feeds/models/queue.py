"""The slim queue between receiving and recording, and how its pipeline fares."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from console.feeds.models.feed import Feed
from console.lib.origin import is_known_origin, origin_field


class QueuedDelivery(models.Model):
    """Work for the record pipeline: what a stored delivery says, already read. Deleted when done."""

    delivery_pk = models.BigIntegerField()
    received_at = models.DateTimeField()
    feed = models.ForeignKey(Feed, models.CASCADE, related_name="queued")
    origin = origin_field()
    reading = models.BinaryField()
    """A `normalised.Reading` as JSON."""
    lane = models.SmallIntegerField(default=0, db_default=0)
    """The messages about one machine share a lane (`ingest/lanes.py`)."""
    due_at = models.DateTimeField(null=True)
    """Until then it rests after a failure. Null: it has not failed."""
    put_off_count = models.PositiveSmallIntegerField(default=0, db_default=0)

    class Meta:
        constraints = [is_known_origin("feeds", "queueddelivery")]

    def __str__(self) -> str:
        return f"queued delivery {self.delivery_pk}"


class PipelineAttempt(models.Model):
    """A batch of queued rows that a worker took up: written before the work, outside its transaction.

    Removed with the work's own commit, so one that is left says that a worker died or failed over these.
    No foreign key to the queue: the queue's rows are locked while this is written.
    """

    pipeline = models.CharField(max_length=32)
    queued_ids = ArrayField(models.BigIntegerField())
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["at"], name="feeds_pipelineattempt_at")]

    def __str__(self) -> str:
        return f"attempt of {self.pipeline} at {len(self.queued_ids)} rows"


class PipelineStop(models.Model):
    """A pipeline that met too many errors of its own at once and waits for a person or for its next try."""

    name = models.CharField(max_length=32, unique=True)
    reason = models.TextField()
    stopped_at = models.DateTimeField()
    retry_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} stopped: {self.reason}"
