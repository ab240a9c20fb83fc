"""How one person wants to be told: by what, when, and when not."""

from __future__ import annotations

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from console.accounts.models import User
from console.notifications.models.words import Importance

ALL_DAYS = [0, 1, 2, 3, 4, 5, 6]
"""Monday to Sunday, as Python counts them."""


class ContactKind(models.TextChoices):
    """`account` is the e-mail address that the person signs in with; it needs no proof."""

    ACCOUNT = "account", "E-mail of the account"
    EMAIL = "email", "Another e-mail address"
    GATEWAY = "gateway", "SMS, voice and others"
    SLACK = "slack", "Slack"
    TEAMS = "teams", "Microsoft Teams"
    WEBHOOK = "webhook", "Webhook"


class ContactMethodQuerySet(models.QuerySet["ContactMethod"]):
    def kept(self) -> ContactMethodQuerySet:
        return self.filter(archived_at=None)

    def usable(self) -> ContactMethodQuerySet:
        """Proven to reach the person."""
        return self.kept().exclude(verified_at=None)


class ContactMethod(models.Model):
    """One way to reach a person. Only a proven one is used for pages."""

    person = models.ForeignKey(User, models.CASCADE, related_name="contact_methods")
    kind = models.CharField(max_length=16, choices=ContactKind)
    label = models.CharField(max_length=80)
    sealed_settings = models.TextField(blank=True, editable=False)
    address_hint = models.CharField(max_length=120, blank=True, editable=False)
    bundle_after = models.PositiveSmallIntegerField(
        default=3, validators=[MinValueValidator(1), MaxValueValidator(50)]
    )
    bundle_minutes = models.PositiveSmallIntegerField(
        default=5, validators=[MinValueValidator(1), MaxValueValidator(120)]
    )
    """After so many messages in so many minutes, the next ones come together as one."""
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    verified_at = models.DateTimeField(null=True, editable=False)
    archived_at = models.DateTimeField(null=True, editable=False)
    code_hash = models.CharField(max_length=64, blank=True, editable=False)
    code_expires_at = models.DateTimeField(null=True, editable=False)
    code_tries = models.PositiveSmallIntegerField(default=0, editable=False)

    objects = ContactMethodQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=ContactKind.values), name="notifications_contactmethod_kind_is_known"
            ),
            models.UniqueConstraint(
                fields=["person"], condition=Q(kind="account"), name="notifications_contactmethod_one_account"
            ),
            models.CheckConstraint(
                condition=Q(bundle_after__range=(1, 50), bundle_minutes__range=(1, 120)),
                name="notifications_contactmethod_bundles_within_bounds",
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def is_usable(self) -> bool:
        return self.verified_at is not None and self.archived_at is None

    def archive(self, *, now: datetime) -> None:
        self.archived_at = self.archived_at or now
        self.save(update_fields=["archived_at"])


class PersonalRule(models.Model):
    """Tell me of this importance by this method, so many minutes after the console decided to."""

    method = models.ForeignKey(ContactMethod, models.CASCADE, related_name="rules")
    importance = models.CharField(max_length=16, choices=Importance)
    delay_minutes = models.PositiveSmallIntegerField(default=0, validators=[MaxValueValidator(1440)])

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["method", "importance", "delay_minutes"], name="notifications_personalrule_once"
            ),
            models.CheckConstraint(
                condition=Q(importance__in=Importance.values),
                name="notifications_personalrule_importance_is_known",
            ),
            models.CheckConstraint(
                condition=Q(delay_minutes__lte=1440), name="notifications_personalrule_delay_within_a_day"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.method} after {self.delay_minutes} min"


class BoardNotice(models.Model):
    """How the open board draws one person's attention to a new group."""

    person = models.OneToOneField(User, models.CASCADE, related_name="board_notice")
    is_shown = models.BooleanField(default=False)
    """As a notification of the desktop; the browser asks for its own permission."""
    is_heard = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.person}: board"


class QuietHours(models.Model):
    """Hours, in the person's own time zone, in which only what is important comes through."""

    person = models.ForeignKey(User, models.CASCADE, related_name="quiet_hours")
    days = ArrayField(models.PositiveSmallIntegerField(), default=list)
    """On which days they begin, 0 is Monday."""
    starts = models.TimeField()
    ends = models.TimeField()
    """Not after `starts`: on the next day."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(days__contained_by=ALL_DAYS) & Q(days__len__gt=0),
                name="notifications_quiethours_days_are_days",
            ),
            models.CheckConstraint(
                condition=~Q(starts=models.F("ends")), name="notifications_quiethours_end_sometime"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.starts:%H:%M} to {self.ends:%H:%M}"
