"""Links that act without signing in. Each is signed, for one purpose and person, works once, and expires.

Whoever owns a purpose serves it under `/a/<token>/`: GET asks, because mail scanners follow links; POST acts.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core import signing

from console.notifications.models import Link, Notification, NotificationState

LASTS = timedelta(days=1)
PATH = "/a/{token}/"
_SALT = "acting link"


class NotUsable(Exception):
    """The link is forged, expired or used; the text says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkOrder:
    """One link to be made. Without a person it acts in the name of `label`."""

    purpose: str
    subject: str
    person_id: int | None = None
    label: str = ""
    notification_id: int | None = None


def issue(orders: Sequence[LinkOrder], *, now: datetime) -> list[str]:
    """A token for each, in one statement. They can be read only now: the rows keep their hashes."""
    tokens = [_signer().sign(secrets.token_urlsafe(16)) for _ in orders]
    Link.objects.bulk_create(
        Link(
            token_hash=_hash(token),
            purpose=order.purpose,
            subject=order.subject,
            person_id=order.person_id,
            label=order.label[:200],
            notification_id=order.notification_id,
            created_at=now,
            expires_at=now + LASTS,
        )
        for order, token in zip(orders, tokens, strict=True)
    )
    return tokens


def look_up(token: str, *, now: datetime) -> Link:
    """The link behind a token, without using it."""
    try:
        _signer().unsign(token)
    except signing.BadSignature as error:
        raise NotUsable("This link was not made by this console.") from error
    link = Link.objects.select_related("person").filter(token_hash=_hash(token)).first()
    if link is None:
        raise NotUsable("This link is not known any more.")
    if link.used_at is not None:
        raise NotUsable("This link was used already. It works once.")
    if link.expires_at <= now:
        raise NotUsable("This link has expired.")
    return link


def redeem(token: str, *, purpose: str, now: datetime) -> Link:
    """Use the link up: of two at once, one gets it. Call it in the transaction of what it does."""
    link = look_up(token, now=now)
    if link.purpose != purpose:
        raise NotUsable("This link is for something else.")
    if not Link.objects.usable(now=now).filter(pk=link.pk).update(used_at=now):
        raise NotUsable("This link was used already. It works once.")
    if link.notification_id is not None:
        read = Notification.objects.filter(pk=link.notification_id, state=NotificationState.HANDED_OVER)
        read.update(state=NotificationState.DELIVERED, note="Answered by the link in it")
    return link


def forget_expired(*, now: datetime) -> int:
    """Delete links that have been over for a month."""
    return Link.objects.filter(expires_at__lt=now - timedelta(days=30)).delete()[0]


def path_of(token: str) -> str:
    return PATH.format(token=token)


def _signer() -> signing.Signer:
    return signing.Signer(sep=".", salt=_SALT)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
