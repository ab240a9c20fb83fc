"""What the pages and the API of this room show."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any, Self

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.dateparse import parse_date, parse_datetime

from console.accounts.models import AuditEntry, User

AUDIT_ORDER = ("-at", "-pk")


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries to show. Words are searched from their beginning; times are half-open."""

    actor: str = ""
    action: str = ""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @classmethod
    def of(cls, query: Mapping[str, str], *, zone: tzinfo = UTC) -> Self:
        """From a page's URL. A day without a time is a whole day in the reader's zone."""
        return cls(
            actor=query.get("actor", "").strip(),
            action=query.get("action", "").strip(),
            subject=query.get("subject", "").strip(),
            since=_moment(query.get("since", ""), zone=zone),
            until=_moment(query.get("until", ""), zone=zone, end=True),
        )

    def __bool__(self) -> bool:
        return any((self.actor, self.action, self.subject, self.since, self.until))

    def entries(self) -> QuerySet[AuditEntry]:
        wanted = Q()
        if self.actor:
            wanted &= Q(actor_label__istartswith=self.actor)
        if self.action:
            wanted &= Q(action=self.action) | Q(action__startswith=f"{self.action}.")
        if self.subject:
            wanted &= _about(self.subject)
        if self.since:
            wanted &= Q(at__gte=self.since)
        if self.until:
            wanted &= Q(at__lt=self.until)
        return AuditEntry.objects.filter(wanted)


def _about(subject: str) -> Q:
    """`service:14` is one thing, `service` a kind of things, anything else part of a name."""
    kind, colon, key = subject.partition(":")
    if colon and key:
        return Q(subject_kind=kind, subject_id=key)
    return Q(subject_kind=subject) | Q(subject_label__icontains=subject)


def _moment(text: str, *, zone: tzinfo, end: bool = False) -> datetime | None:
    try:
        day, moment = parse_date(text), parse_datetime(text)
    except ValueError:
        return None
    if isinstance(day, date):
        day += timedelta(days=1 if end else 0)
        return datetime(day.year, day.month, day.day, tzinfo=zone)
    if moment is None:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


STEP_THROUGH_ACTIONS = """
WITH RECURSIVE known(action) AS (
    (SELECT action FROM accounts_auditentry ORDER BY action LIMIT 1)
    UNION ALL
    SELECT (SELECT action FROM accounts_auditentry WHERE action > known.action ORDER BY action LIMIT 1)
    FROM known WHERE known.action IS NOT NULL
)
SELECT action FROM known WHERE action IS NOT NULL
"""


def known_actions() -> list[str]:
    """Every action ever recorded. Steps from one to the next in the index, however long the trail."""
    with connection.cursor() as cursor:
        cursor.execute(STEP_THROUGH_ACTIONS)
        return [str(row[0]) for row in cursor.fetchall()]


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of an entry, as text before and after. None: there was nothing, or it is not said."""

    field: str
    before: str | None
    after: str | None


def differences(entry: AuditEntry) -> list[Difference]:
    """What an entry says changed, a line a field."""
    before, after = entry.before or {}, entry.after or {}
    return [Difference(name, _text(before, name), _text(after, name)) for name in sorted({**before, **after})]


def _text(values: Mapping[str, Any], name: str) -> str | None:
    if name not in values:
        return None
    value = values[name]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person as the settings list them: with what they sign in by."""

    user: User
    has_second_factor: bool
    has_passkey: bool
    has_sign_on: bool


def people_with_sign_in(*, search: str = "") -> list[PersonRow]:
    """Everybody, active people first, by name."""
    mine = OuterRef("pk")
    people = (
        User.objects.real()
        .annotate(
            has_totp=Exists(Authenticator.objects.filter(user=mine, type=Authenticator.Type.TOTP)),
            has_passkey=Exists(Authenticator.objects.filter(user=mine, type=Authenticator.Type.WEBAUTHN)),
            has_sign_on=Exists(SocialAccount.objects.filter(user=mine)),
        )
        .order_by("-is_active", "name", "email", "pk")
    )
    if search:
        people = people.filter(Q(name__icontains=search) | Q(email__icontains=search))
    return [
        PersonRow(person, person.has_totp or person.has_passkey, person.has_passkey, person.has_sign_on)
        for person in people
    ]


@dataclass(frozen=True, slots=True)
class SignOnState:
    """How single sign-on is set up, as the settings page tells it."""

    issuer: str
    name: str
    groups_claim: str
    roles: Sequence[tuple[str, str]]
    default_role: str

    @classmethod
    def now(cls) -> SignOnState:
        return cls(
            issuer=settings.OIDC_ISSUER,
            name=settings.OIDC_NAME,
            groups_claim=settings.OIDC_GROUPS_CLAIM,
            roles=sorted(settings.OIDC_GROUP_ROLES.items()),
            default_role=settings.OIDC_DEFAULT_ROLE,
        )
