"""Factories of messages, channels and contact methods, and shortcuts to what became of a message."""

from __future__ import annotations

from datetime import datetime, time
from itertools import count
from typing import Any

from django.utils import timezone

from console.accounts.models import User
from console.notifications.models import (
    Channel,
    ChannelKind,
    ContactKind,
    ContactMethod,
    Importance,
    Notification,
    NotificationKind,
    NotificationState,
    PersonalRule,
    QuietHours,
)
from console.notifications.outbox import Message, put

_numbers = count(1)


def make_message(**fields: Any) -> Message:
    """A page about group 1 unless said otherwise; the caller names who gets it."""
    number = next(_numbers)
    plain = {
        "key": f"message-{number}",
        "origin": "live",
        "kind": NotificationKind.PAGE,
        "subject": "group:1",
        "title": "checkout: 3 of 12 replicas",
        "text": "Zone c is empty, it needs 9.",
        "path": "/alerts/1/",
        "reason": "On call for checkout",
    }
    return Message(**(plain | fields))


def make_channel(**fields: Any) -> Channel:
    number = next(_numbers)
    return Channel.objects.create(**({"name": f"channel-{number}", "kind": ChannelKind.NULL} | fields))


def make_method(person: User, **fields: Any) -> ContactMethod:
    """A proven one, unless said otherwise."""
    plain = {"kind": ContactKind.GATEWAY, "label": "SMS", "verified_at": timezone.now()}
    return ContactMethod.objects.create(person=person, **(plain | fields))


def make_rule(
    method: ContactMethod, *, importance: str = Importance.IMPORTANT, after: int = 0
) -> PersonalRule:
    return PersonalRule.objects.create(method=method, importance=importance, delay_minutes=after)


def make_quiet(person: User, starts: str, ends: str, *, days: list[int] | None = None) -> QuietHours:
    hours = {"starts": time.fromisoformat(starts), "ends": time.fromisoformat(ends)}
    return QuietHours.objects.create(person=person, days=list(range(7)) if days is None else days, **hours)


def queue(*, now: datetime | None = None, **fields: Any) -> Notification:
    """A message put into the outbox; its first row."""
    message = make_message(**fields)
    put([message], now=now or timezone.now())
    return Notification.objects.get(key=message.key)


def be_heard(subject: str) -> int:
    """As if everything waiting about this subject had been sent and taken."""
    waiting = Notification.objects.due().filter(subject=subject)
    now = timezone.now()
    return waiting.update(state=NotificationState.HANDED_OVER, send_at=None, sent_at=now, settled_at=now)
