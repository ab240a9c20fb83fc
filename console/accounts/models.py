"""People, the keys of programs, and the audit trail."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo, available_timezones

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from console.lib.origin import Origin, is_known_origin, origin_field


class Role(models.TextChoices):
    """Each role may do all that the ones before it may."""

    VIEWER = "viewer", "Viewer"
    RESPONDER = "responder", "Responder"
    MANAGER = "manager", "Manager"
    ADMIN = "admin", "Administrator"

    def reaches(self, other: Role) -> bool:
        """Whether this role includes everything `other` may do."""
        order = list(Role)
        return order.index(self) >= order.index(other)


class Theme(models.TextChoices):
    SYSTEM = "system", "As the system"
    LIGHT = "light", "Light"
    DARK = "dark", "Dark"


def validate_time_zone(name: str) -> None:
    if name not in available_timezones():
        raise ValidationError(f"{name} is not a time zone. Use a name such as Europe/Berlin.")


class UserQuerySet(models.QuerySet["User"]):
    def real(self) -> UserQuerySet:
        """Without the people of made-up data."""
        return self.filter(origin=Origin.LIVE)

    def active_administrators(self) -> UserQuerySet:
        return self.filter(is_active=True, role=Role.ADMIN)


class UserManager(BaseUserManager["User"].from_queryset(UserQuerySet)):  # type: ignore[misc]
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user: User = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, role=Role.ADMIN, **fields)


class User(AbstractBaseUser):
    """A person. Signs in with the e-mail address; the role says what they may do."""

    origin = origin_field()
    """Whoever is not live is made up: shown in that data, and never let in."""
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120, blank=True)
    role = models.CharField(max_length=16, choices=Role, default=Role.VIEWER)
    is_active = models.BooleanField(default=True)
    time_zone = models.CharField(max_length=64, default="UTC", validators=[validate_time_zone])
    theme = models.CharField(max_length=8, choices=Theme, default=Theme.SYSTEM)
    has_single_keys = models.BooleanField(default=True)
    shown_origin = models.CharField(max_length=8, choices=Origin, default=Origin.LIVE)
    """Which data origin this person's pages read, until they choose another."""
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = UserManager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(role__in=Role.values), name="accounts_user_role_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(theme__in=Theme.values), name="accounts_user_theme_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(shown_origin__in=Origin.values), name="accounts_user_shown_origin_is_known"
            ),
            is_known_origin("accounts", "user"),
            models.CheckConstraint(
                condition=models.Q(origin=Origin.LIVE) | models.Q(is_active=False),
                name="accounts_user_made_up_people_are_not_let_in",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    def may(self, role: Role) -> bool:
        """Whether this person has at least `role`."""
        return self.is_active and Role(self.role).reaches(role)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


def hash_secret(secret: str) -> str:
    """SHA-256 in hex. Enough for secrets that are 256 random bits; never for passwords."""
    return hashlib.sha256(secret.encode()).hexdigest()


class Scope(models.TextChoices):
    """What a program's key may do through the API."""

    READ = "read", "Read everything except the audit trail"
    FACTS = "facts", "Push inventory, workloads, requests and samples"
    ACT = "act", "Acknowledge, silence, resolve, tick"
    MANAGE = "manage", "Change services, rules and runbooks"
    AUDIT = "audit", "Read the audit trail"
    ADMIN = "admin", "Connect and change feeds, issue and revoke their secrets"


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def usable(self, *, now: datetime) -> ApiTokenQuerySet:
        return self.filter(revoked_at=None).filter(models.Q(expires_at=None) | models.Q(expires_at__gt=now))


class ApiToken(models.Model):
    """A program's key. Only its hash is kept; the prefix helps people tell tokens apart."""

    PREFIX = "sct_"
    USE_IS_NOTED_EVERY = timedelta(minutes=1)

    name = models.CharField(max_length=120)
    origin = origin_field()
    prefix = models.CharField(max_length=12, editable=False)
    secret_hash = models.CharField(max_length=64, unique=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=16, choices=Scope))
    created_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="api_tokens")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        constraints = [
            is_known_origin("accounts", "apitoken"),
            models.CheckConstraint(
                condition=models.Q(scopes__contained_by=Scope.values),
                name="accounts_apitoken_scopes_are_known",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def issue(cls, name: str, **fields: Any) -> tuple[ApiToken, str]:
        """Make a token. Returns it with its secret, which can never be read again."""
        secret = cls.PREFIX + secrets.token_urlsafe(32)
        token = cls.objects.create(name=name, prefix=secret[:10], secret_hash=hash_secret(secret), **fields)
        return token, secret

    def note_use(self, *, now: datetime) -> None:
        """Keep when the token was last used, without a write for every call."""
        if self.last_used_at is None or self.last_used_at <= now - self.USE_IS_NOTED_EVERY:
            self.last_used_at = now
            self.save(update_fields=["last_used_at"])

    def revoke(self, *, now: datetime) -> None:
        if self.revoked_at is None:
            self.revoked_at = now
            self.save(update_fields=["revoked_at"])


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def open(self) -> InvitationQuerySet:
        """Neither accepted nor withdrawn. It may have expired: then it can only be made anew."""
        return self.filter(accepted_at=None, revoked_at=None)

    def usable(self, *, now: datetime) -> InvitationQuerySet:
        return self.open().filter(expires_at__gt=now)


class Invitation(models.Model):
    """The only way in besides single sign-on: a link for one address, used once."""

    email = models.EmailField()
    role = models.CharField(max_length=16, choices=Role, default=Role.VIEWER)
    secret_hash = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="invitations_sent")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(role__in=Role.values), name="accounts_invitation_role_is_known"
            ),
            models.UniqueConstraint(
                fields=["email"],
                condition=models.Q(accepted_at=None, revoked_at=None),
                name="accounts_invitation_one_open_per_address",
            ),
        ]

    def __str__(self) -> str:
        return self.email


class ActorKind(models.TextChoices):
    """What kind of hand made a change."""

    PERSON = "person", "Person"
    TOKEN = "token", "API token"
    SIGN_ON = "sign-on", "Single sign-on"
    CONSOLE = "console", "Console"


class AuditEntry(models.Model):
    """One change, for ever: a database trigger refuses to alter or delete it.

    Actor and subject are kept as text beside their ids, without foreign keys: the trail outlives both.
    """

    at = models.DateTimeField(default=timezone.now)
    actor_kind = models.CharField(max_length=16, choices=ActorKind)
    actor_id = models.BigIntegerField(null=True)
    actor_label = models.CharField(max_length=200)
    action = models.CharField(max_length=64)
    subject_kind = models.CharField(max_length=64)
    subject_id = models.CharField(max_length=64, blank=True)
    subject_label = models.CharField(max_length=200, blank=True)
    before = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    after = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    address = models.GenericIPAddressField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["-at", "-id"], name="accounts_auditentry_newest"),
            models.Index(fields=["subject_kind", "subject_id", "-id"], name="accounts_auditentry_subject"),
            models.Index(fields=["actor_label", "-id"], name="accounts_auditentry_actor"),
            models.Index(fields=["action", "-id"], name="accounts_auditentry_action"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(actor_kind__in=ActorKind.values),
                name="accounts_auditentry_actor_kind_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.actor_label} {self.action} {self.subject_label}"


class Board(models.TextChoices):
    """A page whose filters can be kept under a name."""

    ONCALL = "oncall", "On-call board"
    ALERTS = "alerts", "Alert list"


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    def visible_to(self, person: User) -> SavedViewQuerySet:
        """One's own, and those that are shared."""
        return self.filter(models.Q(owner=person) | models.Q(is_shared=True))


class SavedView(models.Model):
    """Filters of a board under a name: one person's, or everybody's. It holds no data, so it has no origin."""

    board = models.CharField(max_length=16, choices=Board)
    name = models.CharField(max_length=80)
    query = models.CharField(max_length=600, blank=True)
    """As in the board's URL. Empty: everything."""
    owner = models.ForeignKey(User, models.CASCADE, null=True, related_name="saved_views")
    """Null: a program made it; then it is shared."""
    owner_label = models.CharField(max_length=200, blank=True)
    is_shared = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(board__in=Board.values), name="accounts_savedview_board_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(is_shared=True) | models.Q(owner__isnull=False),
                name="accounts_savedview_is_somebodys_or_everybodys",
            ),
            models.UniqueConstraint(
                Lower("name"), "board", "owner", name="accounts_savedview_one_name_per_person"
            ),
            models.UniqueConstraint(
                Lower("name"),
                "board",
                condition=models.Q(is_shared=True),
                name="accounts_savedview_one_shared_name",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def whose(self) -> str:
        return str(self.owner) if self.owner else self.owner_label

    @property
    def path(self) -> str:
        """Where it is looked at. An empty one says so, lest remembered filters take its place."""
        return f"/{self.board}/?{self.query or 'view=all'}"


class DefaultView(models.Model):
    """The view that a board opens with for one person."""

    person = models.ForeignKey(User, models.CASCADE, related_name="default_views")
    board = models.CharField(max_length=16, choices=Board)
    view = models.ForeignKey(SavedView, models.CASCADE, related_name="default_of")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "board"], name="accounts_defaultview_one_per_board"),
            models.CheckConstraint(
                condition=models.Q(board__in=Board.values), name="accounts_defaultview_board_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.view} for {self.person}"


__all__ = [
    "ActorKind",
    "ApiToken",
    "AuditEntry",
    "Board",
    "DefaultView",
    "Invitation",
    "Origin",
    "Role",
    "SavedView",
    "Scope",
    "Theme",
    "User",
    "hash_secret",
]
