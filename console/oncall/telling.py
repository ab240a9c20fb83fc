"""Telling one person that their turns changed: a message in the outbox, in the caller's transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from django.utils import timezone

from console.accounts.models import User
from console.notifications.models import NotificationKind
from console.notifications.outbox import Message, put
from console.oncall.models import Rotation


@dataclass(frozen=True, slots=True)
class News:
    """What to say to whom. `key` makes saying it twice harmless."""

    key: str
    person: User
    title: str
    text: str
    reason: str


def tell(news: News, *, rotation: Rotation, now: datetime) -> None:
    message = Message(
        key=news.key,
        origin=rotation.origin,
        kind=NotificationKind.UPDATE,
        subject=f"person:{news.person.pk}",
        title=news.title,
        text=news.text,
        path=f"/schedules/{rotation.slug}/",
        reason=news.reason,
        person_id=news.person.pk,
    )
    put([message], now=now)


def span_in_words(started_at: datetime, ended_at: datetime, *, person: User) -> str:
    """`Mon 2 Mar 09:00 to Mon 9 Mar 09:00 CET`, in the person's own zone."""
    start, end = (timezone.localtime(at, person.zone) for at in (started_at, ended_at))
    form = "%a %-d %b %H:%M"
    return f"{start.strftime(form)} to {end.strftime(form)} {_zone_name(end)}"


def _zone_name(at: datetime) -> str:
    name = at.tzname() or "UTC"
    return "UTC" if at.utcoffset() == UTC.utcoffset(None) else f"UTC{name}" if name[:1] in "+-" else name
