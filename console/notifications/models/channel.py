"""Where a team is told: a mailbox, a chat room, a pager."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.utils import timezone

from console.accounts.models import User
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


class ChannelQuerySet(models.QuerySet["Channel"]):
    def usable(self) -> ChannelQuerySet:
        return self.filter(archived_at=None)


class Channel(models.Model):
    """One place outside the console, shared by a team (or by all, where it has none)."""

    name = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=16, choices=ChannelKind)
    team = models.ForeignKey(Team, models.PROTECT, null=True, blank=True, related_name="channels")
    sealed_settings = models.TextField(blank=True, editable=False)
    """Addresses and keys as its sender reads them (`senders/`), sealed: they are often secrets."""
    address_hint = models.CharField(max_length=120, blank=True, editable=False)
    """Enough of the address for people to tell channels apart."""
    created_by = models.ForeignKey(
        User, models.PROTECT, null=True, editable=False, related_name="channels_created"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    archived_at = models.DateTimeField(null=True, blank=True)

    objects = ChannelQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=ChannelKind.values), name="notifications_channel_kind_is_known"
            )
        ]

    def __str__(self) -> str:
        return self.name

    def archive(self, *, now: datetime) -> None:
        """Nothing is sent there any more; what was sent stays in the outbox."""
        self.archived_at = self.archived_at or now
        self.save(update_fields=["archived_at"])
