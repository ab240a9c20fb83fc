"""What other rooms call: put messages into the outbox, call off what was not sent yet, ask who heard.

Everything here runs in the caller's transaction, so a message exists exactly if its cause does.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from console.lib.origin import Origin
from console.notifications.models import Importance, Notification, NotificationKind, NotificationState


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Something to say to one person or one channel; exactly one of the two ids is given."""

    key: str
    """Unique for ever: the same message written twice is one."""
    origin: str
    kind: NotificationKind
    subject: str
    title: str
    text: str
    path: str
    reason: str
    person_id: int | None = None
    channel_id: int | None = None
    importance: Importance = Importance.DEFAULT
    data: dict[str, Any] = field(default_factory=dict)
    """For senders that take more than text: `severity`, `group_id`, `service`, `status` …"""


class Recipient(NamedTuple):
    person_id: int | None
    channel_id: int | None


HEARD = (
    NotificationState.SENDING,
    NotificationState.HANDED_OVER,
    NotificationState.DELIVERED,
    NotificationState.UNKNOWN,
)
"""In these states the recipient heard it, or may have."""


def put(messages: Sequence[Message], *, now: datetime) -> None:
    """Write these once. What is not live is written too, and never sent."""
    Notification.objects.bulk_create(
        (_row(message, now=now) for message in sorted(messages, key=lambda message: message.key)),
        ignore_conflicts=True,
    )


def call_off(
    subjects: Collection[str], *, kinds: Collection[NotificationKind], reason: str, now: datetime
) -> int:
    """Stop everything about these that is still to be sent. Returns how many messages."""
    waiting = Notification.objects.filter(
        subject__in=subjects, kind__in=kinds, state=NotificationState.QUEUED
    )
    return waiting.update(state=NotificationState.CALLED_OFF, note=reason[:300], send_at=None, settled_at=now)


def heard_of(subjects: Collection[str], *, kinds: Collection[NotificationKind]) -> dict[str, set[Recipient]]:
    """By subject: who was told, or may have been."""
    rows = Notification.objects.filter(subject__in=subjects, kind__in=kinds, state__in=HEARD)
    heard: dict[str, set[Recipient]] = {subject: set() for subject in subjects}
    for subject, person, channel in rows.values_list("subject", "person", "channel"):
        heard[subject].add(Recipient(person, channel))
    return heard


def _row(message: Message, *, now: datetime) -> Notification:
    is_live = message.origin == Origin.LIVE
    return Notification(
        origin=message.origin,
        key=message.key,
        kind=message.kind,
        importance=message.importance,
        subject=message.subject,
        person_id=message.person_id,
        channel_id=message.channel_id,
        title=message.title[:200],
        text=message.text,
        path=message.path,
        reason=message.reason[:300],
        data=message.data,
        state=NotificationState.QUEUED if is_live else NotificationState.NOT_SENT,
        note="" if is_live else f"Not sent: {message.origin}",
        created_at=now,
        send_at=now if is_live else None,
        settled_at=None if is_live else now,
    )
