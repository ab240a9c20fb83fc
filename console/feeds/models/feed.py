"""Feeds, the secrets that open them, what they did hour by hour, and what was found out about them."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from django.db import models
from django.utils import timezone

from console.accounts.models import hash_secret
from console.fleet.models import Team
from console.lib.lengths import write_length
from console.lib.origin import is_known_origin, origin_field

CANARY = "console-canary"
"""The feed, of origin test, that takes the console's messages to itself."""

MOST_PER_SECOND = 1_000
"""Messages a second that a feed may send where its settings do not say: a storm of 10,000 machines sends fewer."""


class FeedKind(models.TextChoices):
    """What speaks on a feed. `reading.PARSERS` says which of these can be read today."""

    AWS_EVENTBRIDGE = "aws-eventbridge", "AWS EventBridge"
    AWS_SNS = "aws-sns", "AWS SNS"
    AWS_SQS = "aws-sqs", "AWS SQS (polled or relayed)"
    AWS_IMDS = "aws-imds", "AWS instance metadata"
    NTH_WEBHOOK = "nth-webhook", "AWS node termination handler"
    GCP_PUBSUB = "gcp-pubsub", "GCP Pub/Sub push"
    GCP_PUBSUB_PULL = "gcp-pubsub-pull", "GCP Pub/Sub (pulled or relayed)"
    GCP_METADATA = "gcp-metadata", "GCP metadata server"
    GCP_OPERATIONS = "gcp-operations", "GCP operations"
    AZURE_EVENTGRID = "azure-eventgrid", "Azure Event Grid"
    AZURE_SCHEDULED_EVENTS = "azure-scheduled-events", "Azure Scheduled Events"
    KUBERNETES = "kubernetes", "Kubernetes event exporter"
    KUBERNETES_WATCH = "kubernetes-watch", "Kubernetes watch"
    ALERTMANAGER = "alertmanager", "Prometheus Alertmanager"
    CLOUDEVENTS = "cloudevents", "CloudEvents"
    NODE_REPORT = "node-report", "Node report"


class FeedQuerySet(models.QuerySet["Feed"]):
    def of_origin(self, origin: str) -> FeedQuerySet:
        return self.filter(origin=origin)


class Feed(models.Model):
    """A configured source of messages. Its origin is that of every row stored from it."""

    origin = origin_field()
    slug = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=32, choices=FeedKind)
    team = models.ForeignKey(Team, models.SET_NULL, null=True, blank=True, related_name="feeds_owned")
    account = models.CharField(max_length=128, blank=True)
    region = models.CharField(max_length=64, blank=True)
    cluster = models.CharField(max_length=128, blank=True)
    settings = models.JSONField(default=dict, db_default={}, blank=True)
    """What it knows of its sender: the fields of `feed_settings.SenderSettings` that are set."""
    sealed = models.JSONField(default=dict, db_default={}, blank=True)
    """Secrets the console shows to its sender, encrypted: `feed_settings.sealed_secrets`. Never shown again."""
    expects_within = models.DurationField(null=True, blank=True)
    """A feed without a message for this long is silent. Null: it may be quiet for ever."""
    most_per_second = models.PositiveIntegerField(null=True, blank=True)
    """Messages a second that it may send for long; null: `MOST_PER_SECOND`. Reclaims are taken beyond it."""
    test_of = models.OneToOneField("self", models.CASCADE, null=True, blank=True, related_name="test_feed")
    """The feed whose test messages this one takes; its own origin is `test`, so they stay out of everything."""
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    paused_at = models.DateTimeField(null=True, blank=True)
    resumed_at = models.DateTimeField(null=True, blank=True)
    """After a pause what a feed owes is counted from here."""
    silent_since = models.DateTimeField(null=True, blank=True)
    """Since when it owes a message, as `watching.py` found out and told."""
    delayed_since = models.DateTimeField(null=True, blank=True)
    """Since when its messages come late, found out there too."""
    last_seen_at = models.DateTimeField(null=True)
    last_accepted_at = models.DateTimeField(null=True)

    objects = FeedQuerySet.as_manager()

    class Meta:
        constraints = [
            is_known_origin("feeds", "feed"),
            models.CheckConstraint(
                condition=models.Q(kind__in=FeedKind.values), name="feeds_feed_kind_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(test_of=None) | models.Q(origin="test"),
                name="feeds_feed_test_feed_is_of_origin_test",
            ),
            models.CheckConstraint(
                condition=models.Q(most_per_second=None) | models.Q(most_per_second__gte=1),
                name="feeds_feed_may_send_something",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def limit(self) -> int:
        """Messages a second that it may send for long."""
        return self.most_per_second or MOST_PER_SECOND

    @property
    def expects_within_text(self) -> str:
        """As it is typed: `15m`, `1h 30m`."""
        return write_length(self.expects_within) if self.expects_within else ""

    def is_silent(self, *, now: datetime) -> bool:
        """Whether this feed owes a message. A feed that may be quiet is never silent."""
        if self.expects_within is None or self.paused_at is not None:
            return False
        heard_at = self.last_seen_at or self.created_at
        return now - max(heard_at, self.resumed_at or heard_at) > self.expects_within


class FeedEventKind(models.TextChoices):
    """What the console finds out about a feed by itself; what people do to it stands in the audit trail."""

    SILENT = "silent", "Silent"
    HEARD = "heard", "Heard again"
    EXCUSED = "excused", "Owes nothing any more"
    DELAYED = "delayed", "Delayed"
    IN_TIME = "in_time", "In time again"


class FeedEvent(models.Model):
    """One line of a feed's history: it became silent or late, or was heard again."""

    feed = models.ForeignKey(Feed, models.CASCADE, related_name="events")
    at = models.DateTimeField()
    kind = models.CharField(max_length=16, choices=FeedEventKind)
    text = models.CharField(max_length=300)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=FeedEventKind.values), name="feeds_feedevent_kind_is_known"
            )
        ]
        indexes = [models.Index(fields=["feed", "-at", "-id"], name="feeds_feedevent_newest")]

    def __str__(self) -> str:
        return f"{self.feed}: {self.text}"


class FeedTokenQuerySet(models.QuerySet["FeedToken"]):
    def usable(self, *, now: datetime) -> FeedTokenQuerySet:
        return self.filter(models.Q(expires_at=None) | models.Q(expires_at__gt=now))


class FeedToken(models.Model):
    """A secret that may post to one feed and do nothing else. Two may overlap while one is replaced."""

    PREFIX = "sfeed_"

    feed = models.ForeignKey(Feed, models.CASCADE, related_name="tokens")
    prefix = models.CharField(max_length=14, editable=False)
    secret_hash = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)

    objects = FeedTokenQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.prefix}… of {self.feed}"

    def is_usable(self, *, now: datetime) -> bool:
        return self.expires_at is None or self.expires_at > now

    @classmethod
    def issue(cls, feed: Feed, *, secret: str | None = None, **fields: Any) -> tuple[FeedToken, str]:
        """Make a token. Returns it with its secret, which can never be read again."""
        secret = secret or cls.PREFIX + secrets.token_urlsafe(32)
        prefix = secret[: min(12, len(secret) // 2)]
        token = cls.objects.create(feed=feed, prefix=prefix, secret_hash=hash_secret(secret), **fields)
        return token, secret


class FeedHour(models.Model):
    """What a feed did in one hour: counts by result, and the worst delay. Written by receiving."""

    feed = models.ForeignKey(Feed, models.CASCADE, related_name="hours")
    hour = models.DateTimeField()
    accepted = models.PositiveIntegerField(default=0)
    duplicates = models.PositiveIntegerField(default=0)
    ignored = models.PositiveIntegerField(default=0)
    unrecognised = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    heartbeats = models.PositiveIntegerField(default=0)
    turned_away = models.PositiveIntegerField(default=0, db_default=0)
    """Not taken, because of the feed's limit or of a full line."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["feed", "hour"], name="feeds_feedhour_one_per_hour")]

    def __str__(self) -> str:
        return f"{self.feed} at {self.hour:%Y-%m-%d %H}h"
