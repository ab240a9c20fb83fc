"""Subscribing and ending it; each change leaves an audit entry. Secrets are shown once and sealed at rest."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction

from console.accounts.audit import Actor, changed, record
from console.accounts.models import User
from console.lib.origin import Origin
from console.lib.sealing import seal
from console.notifications.models import EventDelivery, EventDeliveryState, Subscriber
from console.notifications.subscribers.posting import check_url
from console.notifications.subscribers.signing import new_secret


class CannotSubscribe(Exception):
    """What has to be mended first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A subscriber as somebody wants it."""

    name: str
    url: str
    origin: str = Origin.LIVE.value
    event_types: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    may_be_private: bool = False


@transaction.atomic
def create(
    wanted: Wanted, *, by: Actor, made_by: User | None = None, now: datetime
) -> tuple[Subscriber, str]:
    """A subscriber that hears of what happens from now on, and its secret, which can never be read again."""
    _check(wanted)
    if Subscriber.objects.filter(name=wanted.name).exists():
        raise CannotSubscribe(f"There is a subscriber {wanted.name} already.")
    secret = new_secret()
    row = Subscriber(**_columns(wanted), sealed_secret=seal(secret), created_at=now, created_by=made_by)
    row.save()
    record(by, action="subscriber.create", subject=row, after=_picture(row), now=now)
    return row, secret


@transaction.atomic
def change(pk: int, wanted: Wanted, *, by: Actor, now: datetime) -> Subscriber:
    """Its address or what it hears. Its origin stays. Raises CannotSubscribe."""
    _check(wanted)
    row = Subscriber.objects.select_for_update().get(pk=pk)
    if Subscriber.objects.filter(name=wanted.name).exclude(pk=pk).exists():
        raise CannotSubscribe(f"There is a subscriber {wanted.name} already.")
    before = _picture(row)
    for name, value in _columns(wanted).items():
        if name != "origin":
            setattr(row, name, value)
    old, new = changed(before, _picture(row))
    if new:
        row.save()
        record(by, action="subscriber.change", subject=row, before=old, after=new, now=now)
    return row


@transaction.atomic
def new_secret_for(pk: int, *, by: Actor, now: datetime) -> str:
    """Another secret; what was signed with the old one is not sent any more."""
    row = Subscriber.objects.select_for_update().get(pk=pk)
    secret = new_secret()
    row.sealed_secret = seal(secret)
    row.save(update_fields=["sealed_secret"])
    record(by, action="subscriber.new_secret", subject=row, now=now)
    return secret


@transaction.atomic
def pause(pk: int, *, is_paused: bool, by: Actor, now: datetime) -> Subscriber:
    """Hold its deliveries, or let them go on; nothing is lost meanwhile."""
    row = Subscriber.objects.select_for_update().get(pk=pk)
    if (row.paused_at is not None) != is_paused:
        row.paused_at = now if is_paused else None
        row.save(update_fields=["paused_at"])
        action = "subscriber.pause" if is_paused else "subscriber.resume"
        record(by, action=action, subject=row, now=now)
    return row


@transaction.atomic
def end(pk: int, *, by: Actor, now: datetime) -> Subscriber:
    """It hears nothing any more; what waits for it is given up. Twice is harmless."""
    row = Subscriber.objects.select_for_update().get(pk=pk)
    if row.archived_at is None:
        row.archived_at = now
        row.save(update_fields=["archived_at"])
        waiting = EventDelivery.objects.filter(subscriber=row, state=EventDeliveryState.QUEUED)
        waiting.update(
            state=EventDeliveryState.FAILED, send_at=None, settled_at=now, note="The subscriber was ended"
        )
        record(by, action="subscriber.end", subject=row, now=now)
    return row


@transaction.atomic
def try_again(pk: int, *, by: Actor, now: datetime) -> int:
    """Send what was given up once more, and do not wait with the rest. Returns how many."""
    row = Subscriber.objects.select_for_update().get(pk=pk)
    mine = EventDelivery.objects.filter(subscriber=row)
    again = mine.filter(state=EventDeliveryState.FAILED).update(
        state=EventDeliveryState.QUEUED, send_at=now, settled_at=None, attempts=0
    )
    again += mine.filter(state=EventDeliveryState.QUEUED, send_at__gt=now).update(send_at=now)
    if again:
        record(by, action="subscriber.try_again", subject=row, after={"events": again}, now=now)
    return again


def _check(wanted: Wanted) -> None:
    if wanted.origin not in (Origin.LIVE, Origin.DRILL):
        raise CannotSubscribe("Only live data leaves, or a drill's.")
    if problem := check_url(wanted.url, may_be_private=wanted.may_be_private):
        raise CannotSubscribe(problem)


def _columns(wanted: Wanted) -> dict[str, Any]:
    told = asdict(wanted)
    return told | {"event_types": list(wanted.event_types), "services": list(wanted.services)}


def _picture(row: Subscriber) -> dict[str, Any]:
    """Without the address's path, which may hold a key."""
    parts = urlsplit(row.url)
    return {
        "name": row.name,
        "host": f"{parts.scheme}://{parts.netloc}",
        "address": f"…{row.url[-4:]}",
        "origin": row.origin,
        "event_types": row.event_types,
        "services": row.services,
        "may_be_private": row.may_be_private,
    }
