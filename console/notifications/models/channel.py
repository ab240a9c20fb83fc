"""Where a team is told: a mailbox, a chat room, a pager."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from console.fleet.models import Team


class ChannelKind(models.TextChoices):
    NULL = "null", "Nowhere"
    EMAIL = "email", "E-mail"
    SLACK = "slack", "Slack"
    TEAMS = "teams", "Microsoft Teams"
    PAGERDUTY = "pagerduty", "PagerDuty"
    OPSGENIE = "opsgenie", "Opsgenie"
    WEBHOOK = "webhook", "Webhook"
    GATEWAY = "gateway", "SMS, voice and others"


class Channel(models.Model):
    """One place outside the console, shared by a team (or by all, where it has none)."""

    name = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=16, choices=ChannelKind)
    team = models.ForeignKey(Team, models.PROTECT, null=True, blank=True, related_name="channels")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=ChannelKind.values), name="notifications_channel_kind_is_known"
            )
        ]

    def __str__(self) -> str:
        return self.name
