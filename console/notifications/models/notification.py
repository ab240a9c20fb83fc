"""The outbox: one row for each message to one address, with what became of it."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from console.accounts.models import User
from console.lib.origin import is_known_origin, origin_field
from console.notifications.models.channel import Channel
from console.notifications.models.contact import ContactMethod
from console.notifications.models.words import Importance, NotificationKind, NotificationState


class NotificationQuerySet(models.QuerySet["Notification"]):
    def due(self) -> NotificationQuerySet:
        """What waits to be sent, for the first time or again."""
        return self.filter(
            send_at__isnull=False, state__in=[NotificationState.QUEUED, NotificationState.UNKNOWN]
        )


class Notification(models.Model):
    """One message to one person by one method, or to one channel. `key` makes writing it twice harmless."""

    origin = origin_field()
    key = models.CharField(max_length=220, unique=True)
    """The message's key; where a person's rules make several rows of one message, the next ones end in `#2` …"""
    message_key = models.CharField(max_length=200)
    kind = models.CharField(max_length=16, choices=NotificationKind)
    importance = models.CharField(max_length=16, choices=Importance, default=Importance.DEFAULT)
    subject = models.CharField(max_length=100)
    """What it is about, as `group:123`: what is called off together, and who heard of it."""
    person = models.ForeignKey(User, models.PROTECT, null=True, related_name="notifications")
    method = models.ForeignKey(ContactMethod, models.PROTECT, null=True, related_name="notifications")
    channel = models.ForeignKey(Channel, models.PROTECT, null=True, related_name="notifications")
    route = models.CharField(max_length=40)
    """`channel:<id>` or `method:<id>`: one message at a time goes out by a route, so none overtakes another."""
    title = models.CharField(max_length=200)
    text = models.TextField(blank=True)
    path = models.CharField(max_length=300, blank=True)
    """Where in the console it is looked at."""
    reason = models.CharField(max_length=300, blank=True)
    """Why this person or channel, and why this way."""
    data = models.JSONField(default=dict)
    state = models.CharField(max_length=16, choices=NotificationState, default=NotificationState.QUEUED)
    note = models.CharField(max_length=300, blank=True)
    """What the state alone does not say: the provider's words, why it waits, why it was not sent."""
    created_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    """When it was first to be sent: what is sent much later says so."""
    send_at = models.DateTimeField(null=True)
    """When the hands look at it next: it is due, to be tried again, or its lease ends. Null: it is settled."""
    sent_at = models.DateTimeField(null=True)
    """When it last was on its way out."""
    settled_at = models.DateTimeField(null=True)
    called_off_at = models.DateTimeField(null=True)
    """Set while it is being sent: whatever comes of that, it is not tried again."""
    attempt_count = models.PositiveSmallIntegerField(default=0)
    lead = models.ForeignKey("self", models.SET_NULL, null=True, related_name="bundled")
    """The row in whose message this one's words went out."""

    objects = NotificationQuerySet.as_manager()

    class Meta:
        constraints = [
            is_known_origin("notifications", "notification"),
            models.CheckConstraint(
                condition=Q(state__in=NotificationState.values),
                name="notifications_notification_state_is_known",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=NotificationKind.values), name="notifications_notification_kind_is_known"
            ),
            models.CheckConstraint(
                condition=Q(importance__in=Importance.values),
                name="notifications_notification_importance_is_known",
            ),
            models.CheckConstraint(
                condition=Q(person=None) ^ Q(channel=None),
                name="notifications_notification_has_one_recipient",
            ),
            models.CheckConstraint(
                condition=Q(origin="live") | Q(state="not_sent", send_at=None, attempt_count=0),
                name="notifications_notification_only_live_leaves_the_house",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["queued", "sending"], send_at__isnull=False)
                | Q(state="unknown")
                | Q(state__in=["handed_over", "delivered", "failed", "called_off", "not_sent"], send_at=None),
                name="notifications_notification_waits_iff_time",
            ),
            models.UniqueConstraint(
                fields=["route"],
                condition=Q(state="sending", lead=None),
                name="notifications_notification_one_at_a_time",
            ),
        ]
        indexes = [
            models.Index(fields=["send_at"], name="notifications_due", condition=Q(send_at__isnull=False)),
            models.Index(
                fields=["route", "subject"],
                name="notifications_waiting",
                condition=Q(send_at__isnull=False),
            ),
            models.Index(fields=["subject", "id"], name="notifications_subject"),
            models.Index(fields=["settled_at"], name="notifications_failed", condition=Q(state="failed")),
            models.Index(F("route").asc(), F("sent_at").desc(), name="notifications_sent_by_route"),
            models.Index(F("created_at").desc(), F("id").desc(), name="notifications_newest"),
            models.Index(
                F("state").asc(), F("created_at").desc(), F("id").desc(), name="notifications_by_state"
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_confidential(self) -> bool:
        """Its words are for its recipient alone: they hold a code."""
        return bool(self.data.get("is_confidential"))

    @property
    def shown_title(self) -> str:
        return "A code" if self.is_confidential else self.title

    @property
    def shown_text(self) -> str:
        return "" if self.is_confidential else self.text


class AttemptOutcome(models.TextChoices):
    """`unfinished`: it is under way, or its worker died; `lost`: it may have arrived."""

    UNFINISHED = "unfinished", "Under way"
    HANDED_OVER = "handed_over", "Handed over"
    DELIVERED = "delivered", "Delivered"
    FAILED = "failed", "Failed"
    LOST = "lost", "Answer lost"


class Attempt(models.Model):
    """One try to send one notification, written before the provider is called, and its answer."""

    notification = models.ForeignKey(Notification, models.CASCADE, related_name="attempts")
    number = models.PositiveSmallIntegerField()
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=16, choices=AttemptOutcome, default=AttemptOutcome.UNFINISHED)
    answer = models.CharField(max_length=500, blank=True)
    """The provider's own words, or what kept us from hearing them."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["notification", "number"], name="notifications_attempt_one_per_number"
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=AttemptOutcome.values),
                name="notifications_attempt_outcome_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"try {self.number}: {self.outcome}"
