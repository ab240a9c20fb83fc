"""Programs outside that hear of what happens: where they are, what they want to hear, and what became of it."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from console.accounts.models import User
from console.lib.origin import Origin, is_known_origin, origin_field


class SubscriberQuerySet(models.QuerySet["Subscriber"]):
    def in_use(self) -> SubscriberQuerySet:
        return self.filter(archived_at=None)


class Subscriber(models.Model):
    """One webhook that gets CloudEvents, signed. Only live data leaves, or a drill's where it is asked for."""

    name = models.CharField(max_length=120, unique=True)
    origin = origin_field()
    """Whose events it hears."""
    url = models.CharField(max_length=500)
    sealed_secret = models.TextField(editable=False)
    event_types = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    """The beginnings of the types it hears, as `spot.interruption.`; empty: all."""
    services = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    """Slugs of the services it hears of; empty: all."""
    may_be_private = models.BooleanField(default=False)
    """An administrator allows this host although it is private or speaks plain http."""
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="subscribers_made")
    paused_at = models.DateTimeField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    failing_since = models.DateTimeField(null=True)
    last_delivered_at = models.DateTimeField(null=True)

    objects = SubscriberQuerySet.as_manager()

    class Meta:
        constraints = [
            is_known_origin("notifications", "subscriber"),
            models.CheckConstraint(
                condition=Q(origin__in=[Origin.LIVE.value, Origin.DRILL.value]),
                name="notifications_subscriber_hears_no_sample_or_test",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def wants(self, *, type: str, service: str) -> bool:
        """Whether it hears of such an event."""
        is_type = not self.event_types or any(type.startswith(begin) for begin in self.event_types)
        return is_type and (not self.services or service in self.services)


class OutwardEvent(models.Model):
    """One thing that happened, worded once for every subscriber. `key` is its id as a CloudEvent."""

    origin = origin_field()
    key = models.CharField(max_length=600, unique=True)
    type = models.CharField(max_length=64)
    subject = models.CharField(max_length=512)
    service = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField()
    """When it happened."""
    written_at = models.DateTimeField()
    body = models.JSONField()
    """The whole CloudEvent."""

    class Meta:
        constraints = [is_known_origin("notifications", "outwardevent")]
        indexes = [models.Index(fields=["written_at"], name="notifications_outward_written")]

    def __str__(self) -> str:
        return self.key


class EventDeliveryState(models.TextChoices):
    QUEUED = "queued", "Queued"
    DELIVERED = "delivered", "Delivered"
    FAILED = "failed", "Given up"


class EventDelivery(models.Model):
    """One event on its way to one subscriber, at least once."""

    event = models.ForeignKey(OutwardEvent, models.CASCADE, db_index=False, related_name="deliveries")
    subscriber = models.ForeignKey(Subscriber, models.CASCADE, db_index=False, related_name="deliveries")
    subject = models.CharField(max_length=512)
    """The event's: deliveries about one subject go out in turn."""
    state = models.CharField(max_length=16, choices=EventDeliveryState, default=EventDeliveryState.QUEUED)
    send_at = models.DateTimeField(null=True)
    """When it is due; null: nothing is left to do."""
    attempts = models.PositiveSmallIntegerField(default=0)
    note = models.CharField(max_length=300, blank=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["event", "subscriber"], name="notifications_eventdelivery_one_per_subscriber"
            ),
            models.CheckConstraint(
                condition=Q(state__in=EventDeliveryState.values),
                name="notifications_eventdelivery_state_is_known",
            ),
        ]
        indexes = [
            models.Index(
                fields=["send_at"], name="notifications_delivery_due", condition=Q(send_at__isnull=False)
            ),
            models.Index(fields=["subscriber", "-id"], name="notifications_delivery_newest"),
            models.Index(
                fields=["subscriber", "subject", "id"],
                name="notifications_delivery_turn",
                condition=Q(state="queued"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.subscriber}: {self.state}"
