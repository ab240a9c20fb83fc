"""Writing the audit trail: who changed what, from what to what, from where.

Call `record` in the transaction of the change itself, so that neither exists without the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from allauth.core.internal.httpkit import get_client_ip
from django.db import models
from django.http import HttpRequest

from console.accounts.models import ActorKind, ApiToken, AuditEntry, User

LABEL_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person, a program with a token, single sign-on, or the console itself."""

    kind: ActorKind
    label: str
    id: int | None = None
    address: str | None = None

    @classmethod
    def of(cls, request: HttpRequest) -> Self:
        """The person signed in, or the program whose token the API accepted."""
        caller = getattr(request, "auth", None) or request.user
        if isinstance(caller, ApiToken):
            return cls(ActorKind.TOKEN, caller.name, caller.pk, address_of(request))
        if isinstance(caller, User):
            return cls.person(caller, address=address_of(request))
        raise PermissionError("Nobody is signed in, so nobody can be named in the audit trail.")

    @classmethod
    def person(cls, user: User, *, address: str | None = None) -> Self:
        """A person who is known without being signed in yet, as when accepting an invitation."""
        return cls(ActorKind.PERSON, user.email, user.pk, address)

    @classmethod
    def sign_on(cls, provider: str, request: HttpRequest) -> Self:
        """The identity provider, whose word decides about roles at each sign-in."""
        return cls(ActorKind.SIGN_ON, provider, None, address_of(request))

    @classmethod
    def console(cls, name: str) -> Self:
        """A part of the console acting by itself, or a command on its machine."""
        return cls(ActorKind.CONSOLE, name)

    @property
    def person_id(self) -> int | None:
        """The person's id for a row's own "by" column; null for programs and the console."""
        return self.id if self.kind == ActorKind.PERSON else None


def address_of(request: HttpRequest) -> str | None:
    """Where the request came from, seen through as many proxies as are trusted."""
    return str(address) if (address := get_client_ip(request)) else None


def record(
    actor: Actor,
    *,
    action: str,
    now: datetime,
    subject: models.Model | None = None,
    subject_kind: str = "",
    subject_id: str | int = "",
    subject_label: str = "",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> AuditEntry:
    """Append one entry. `subject` fills kind, id and label; each can be given instead."""
    if subject is not None:
        subject_kind = subject_kind or str(subject._meta.verbose_name).replace(" ", "-")
        subject_id = subject_id or subject.pk
        subject_label = subject_label or str(subject)
    return AuditEntry.objects.create(
        at=now,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_label=actor.label[:LABEL_LENGTH],
        action=action,
        subject_kind=subject_kind,
        subject_id=str(subject_id),
        subject_label=subject_label[:LABEL_LENGTH],
        before=before,
        after=after,
        address=actor.address,
    )


def changed(before: dict[str, Any], after: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Only the fields that differ, old and new, so that an entry shows the change and nothing else."""
    names = [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)]
    return (
        {name: before.get(name) for name in sorted(names)},
        {name: after.get(name) for name in sorted(names)},
    )
