"""Secret addresses of calendars: issued, shown again, revoked, and opened.

An address is the signed number and nonce of its row: it cannot be guessed, can be shown whenever its owner looks,
and opens nothing once the row is revoked or its owner's account is closed.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from django.core.signing import BadSignature, Signer
from django.db import IntegrityError, transaction
from django.db.models import Q

from console.accounts.audit import Actor, record
from console.accounts.models import User
from console.oncall.models import CalendarLink, Rotation

USE_IS_NOTED_EVERY = timedelta(minutes=10)


def _signer() -> Signer:
    return Signer(salt="oncall.calendar", sep=".")


def link_of(person: User, rotation: Rotation | None) -> CalendarLink | None:
    """The link in use, if there is one."""
    return CalendarLink.objects.filter(person=person, rotation=rotation, revoked_at=None).first()


def issue(person: User, rotation: Rotation | None, *, by: Actor, now: datetime) -> CalendarLink:
    """The link in use, or a new one."""
    if there := link_of(person, rotation):
        return there
    try:
        with transaction.atomic():
            link = CalendarLink.objects.create(
                person=person, rotation=rotation, nonce=secrets.token_urlsafe(18), created_at=now
            )
            record(by, action="calendar.create", subject=link, now=now)
    except IntegrityError:  # made by another click
        return CalendarLink.objects.get(person=person, rotation=rotation, revoked_at=None)
    return link


@transaction.atomic
def revoke(link: CalendarLink, *, by: Actor, now: datetime) -> None:
    """Twice is harmless."""
    if CalendarLink.objects.filter(pk=link.pk, revoked_at=None).update(revoked_at=now):
        record(by, action="calendar.revoke", subject=link, now=now)


def token_of(link: CalendarLink) -> str:
    return _signer().sign(f"{link.pk}-{link.nonce}")


def open_link(token: str, *, now: datetime) -> CalendarLink | None:
    """The link that an address leads to; null where it was revoked, forged or its owner is gone."""
    try:
        number, _, nonce = _signer().unsign(token).partition("-")
    except BadSignature:
        return None
    links = CalendarLink.objects.select_related("person", "rotation").filter(
        pk=int(number), nonce=nonce, revoked_at=None, person__is_active=True
    )
    link = links.first()
    if link is not None:
        stale = Q(last_used_at=None) | Q(last_used_at__lte=now - USE_IS_NOTED_EVERY)
        CalendarLink.objects.filter(stale, pk=link.pk).update(last_used_at=now)
    return link
