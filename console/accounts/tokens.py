"""Issuing and revoking the keys of programs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from console.accounts.audit import Actor, record
from console.accounts.models import ApiToken, Scope, User
from console.lib.origin import Origin


@dataclass(frozen=True, slots=True)
class TokenOrder:
    """What a token is to be: its name, what it may do, which origin its data carries, when it ends."""

    name: str
    scopes: list[Scope]
    origin: Origin = Origin.LIVE
    expires_at: datetime | None = None


@transaction.atomic
def issue(order: TokenOrder, *, actor: Actor, now: datetime, by: User | None = None) -> tuple[ApiToken, str]:
    """Make a token and its secret, which can never be read again."""
    scopes = sorted({scope.value for scope in order.scopes})
    token, secret = ApiToken.issue(
        order.name,
        scopes=scopes,
        origin=order.origin,
        expires_at=order.expires_at,
        created_by=by,
        created_at=now,
    )
    after = {"scopes": scopes, "origin": token.origin, "expires_at": token.expires_at}
    record(actor, action="token.create", subject=token, after=after, now=now)
    return token, secret


@transaction.atomic
def revoke(token: ApiToken, *, actor: Actor, now: datetime) -> None:
    """Stop a token for good."""
    if token.revoked_at is None:
        token.revoke(now=now)
        record(actor, action="token.revoke", subject=token, now=now)
