"""What feeds delivered, exactly as received, and what makes a delivery one of a kind."""

from __future__ import annotations

from django.db import models

from console.feeds.models.feed import Feed
from console.lib.origin import origin_field


class DeliveryResult(models.TextChoices):
    ACCEPTED = "accepted", "Accepted"
    IGNORED = "ignored", "Ignored"
    UNRECOGNISED = "unrecognised", "Unrecognised"


class Delivery(models.Model):
    """One item exactly as received. Partitioned by receive day; kept for 90 days.

    `id` is unique across partitions (one sequence); others refer to a row by id and receive time.
    """

    id = models.BigAutoField(primary_key=True)
    received_at = models.DateTimeField()
    feed = models.ForeignKey(Feed, models.DO_NOTHING, db_constraint=False, related_name="deliveries")
    origin = origin_field()
    delivery_id = models.CharField(max_length=512)
    result = models.CharField(max_length=16, choices=DeliveryResult)
    note = models.CharField(max_length=200, blank=True)
    headers = models.JSONField(default=dict)
    body = models.BinaryField()
    occurred_at = models.DateTimeField(null=True)
    """When the latest of what it tells happened; null where it tells nothing, or comes from an archive."""

    class Meta:
        db_table = "feeds_delivery"

    def __str__(self) -> str:
        return f"delivery {self.pk}"


class HeartbeatDelivery(models.Model):
    """A sign of life exactly as received. Partitioned by receive day; kept for a week."""

    id = models.BigAutoField(primary_key=True)
    received_at = models.DateTimeField()
    feed = models.ForeignKey(
        Feed, models.DO_NOTHING, db_constraint=False, related_name="heartbeat_deliveries"
    )
    origin = origin_field()
    delivery_id = models.CharField(max_length=512)
    headers = models.JSONField(default=dict)
    body = models.BinaryField()

    class Meta:
        db_table = "feeds_heartbeatdelivery"

    def __str__(self) -> str:
        return f"heartbeat {self.pk}"


class DeliveryKey(models.Model):
    """What makes a delivery one of a kind. Unpartitioned and slim; pruned 30 days after receipt."""

    feed = models.ForeignKey(Feed, models.CASCADE, related_name="delivery_keys")
    delivery_id = models.CharField(max_length=512)
    received_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["feed", "delivery_id"], name="feeds_deliverykey_one_per_delivery")
        ]
        indexes = [models.Index(fields=["received_at"], name="feeds_deliverykey_received")]

    def __str__(self) -> str:
        return self.delivery_id
