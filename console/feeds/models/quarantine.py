"""The quarantine: what could not be taken, and wishes to read it again."""

from __future__ import annotations

from django.db import models

from console.feeds.models.feed import Feed
from console.lib.origin import is_known_origin, origin_field


class QuarantineState(models.TextChoices):
    HELD = "held", "Held"
    REPLAYED = "replayed", "Replayed"
    DISCARDED = "discarded", "Discarded"


class QuarantinedItemQuerySet(models.QuerySet["QuarantinedItem"]):
    def held(self) -> QuarantinedItemQuerySet:
        return self.filter(state=QuarantineState.HELD)


class QuarantinedItem(models.Model):
    """An item that an authenticated sender sent and that could not be taken, kept byte for byte."""

    origin = origin_field()
    feed = models.ForeignKey(Feed, models.CASCADE, related_name="quarantined")
    received_at = models.DateTimeField()
    last_at = models.DateTimeField()
    seen_count = models.PositiveIntegerField(default=1)
    code = models.CharField(max_length=32)
    detail = models.CharField(max_length=500)
    body_hash = models.CharField(max_length=64)
    headers = models.JSONField(default=dict)
    body = models.BinaryField()
    state = models.CharField(max_length=16, choices=QuarantineState, default=QuarantineState.HELD)
    decided_at = models.DateTimeField(null=True)
    delivery_pk = models.BigIntegerField(null=True)
    """The stored delivery, where recording it failed (`processing_error`)."""

    objects = QuarantinedItemQuerySet.as_manager()

    class Meta:
        constraints = [
            is_known_origin("feeds", "quarantineditem"),
            models.UniqueConstraint(
                fields=["feed", "code", "body_hash"],
                condition=models.Q(state="held"),
                name="feeds_quarantineditem_held_once",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=QuarantineState.values),
                name="feeds_quarantineditem_state_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(state="held", decided_at=None)
                | (~models.Q(state="held") & models.Q(decided_at__isnull=False)),
                name="feeds_quarantineditem_held_iff_undecided",
            ),
        ]
        indexes = [
            models.Index(fields=["origin", "state", "-id"], name="feeds_quarantineditem_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"


class QuarantineReplay(models.Model):
    """Somebody's wish to read again all that a filter of the quarantine holds; worked off in the background.

    `last_pk` is how far it came, so that a killed worker's successor goes on from there.
    """

    origin = origin_field()
    feed = models.ForeignKey(Feed, models.CASCADE, null=True, blank=True, related_name="replays")
    code = models.CharField(max_length=32, blank=True)
    q = models.CharField(max_length=200, blank=True)
    up_to_pk = models.BigIntegerField()
    last_pk = models.BigIntegerField(default=0)
    wanted_count = models.PositiveIntegerField()
    replayed_count = models.PositiveIntegerField(default=0)
    refused_count = models.PositiveIntegerField(default=0)
    asked_by = models.CharField(max_length=200)
    asked_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [is_known_origin("feeds", "quarantinereplay")]
        indexes = [
            models.Index(
                fields=["id"], condition=models.Q(finished_at=None), name="feeds_quarantinereplay_open"
            )
        ]

    def __str__(self) -> str:
        return f"replay of {self.wanted_count} items"

    @property
    def done_count(self) -> int:
        return self.replayed_count + self.refused_count
