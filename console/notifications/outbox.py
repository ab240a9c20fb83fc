"""What other rooms call: put messages into the outbox, call off what was not sent yet, ask who heard.

Everything here runs in the caller's transaction, so a message exists exactly if its cause does.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Coalesce, Greatest

from console.lib.origin import Origin
from console.notifications.bells import SEND
from console.notifications.expanding import Habits, Way, habits_of, heard_by, ways
from console.notifications.message import Message
from console.notifications.models import (
    HEARD,
    Importance,
    Notification,
    NotificationKind,
    NotificationState,
)
from console.notifications.writing import Row, write

__all__ = [
    "HEARD",
    "Importance",
    "Message",
    "NotificationKind",
    "Recipient",
    "call_off",
    "heard_of",
    "put",
    "put_back",
]

STILL_TO_BE_SENT = (NotificationState.QUEUED, NotificationState.SENDING, NotificationState.UNKNOWN)


class Recipient(NamedTuple):
    person_id: int | None
    channel_id: int | None


def put(messages: Sequence[Message], *, now: datetime) -> None:
    """Write these once; what is for a person by each of the ways they chose. What is not live is never sent.

    The first row of each message is the referee: only whoever wrote that one writes the others.
    """
    by_key = {message.key: message for message in messages}
    rows = _rows([by_key[key] for key in sorted(by_key)], now=now)
    new = write([first for first, *_ in rows], now=now)
    write([row for first, *others in rows if first.key in new for row in others], now=now)
    if new:
        transaction.on_commit(SEND.ring)


def call_off(
    subjects: Collection[str],
    *,
    kinds: Collection[NotificationKind],
    reason: str,
    now: datetime,
    written_at: datetime | None = None,
) -> int:
    """Stop everything about these that is still to be sent. Returns how many messages.

    What waits is called off; what is on its way now, or may have arrived, is not tried again.
    `written_at`: only what was written at that very moment.
    """
    waiting = Notification.objects.filter(
        subject__in=subjects, kind__in=kinds, state__in=STILL_TO_BE_SENT, send_at__isnull=False
    )
    if written_at is not None:
        waiting = waiting.filter(created_at=written_at)
    is_queued, is_sending = Q(state=NotificationState.QUEUED), Q(state=NotificationState.SENDING)
    return waiting.update(
        state=Case(When(is_queued, then=Value(NotificationState.CALLED_OFF)), default=F("state")),
        send_at=Case(When(is_sending, then=F("send_at")), default=None),
        settled_at=Case(When(is_sending, then=None), default=Value(now)),
        called_off_at=now,
        note=reason[:300],
    )


def put_back(subjects: Collection[str], *, called_off_at: datetime, reason: str, now: datetime) -> int:
    """What was called off at that very moment is to be sent after all. Returns how many messages.

    What arrived meanwhile stays as it is, so nothing goes out twice.
    """
    stopped = Notification.objects.filter(subject__in=subjects, called_off_at=called_off_at)
    is_stopped = Q(state=NotificationState.CALLED_OFF)
    is_open = is_stopped | Q(state=NotificationState.UNKNOWN)
    when_due = Greatest(Coalesce("due_at", Value(now)), Value(now))
    put = stopped.update(
        state=Case(When(is_stopped, then=Value(NotificationState.QUEUED)), default=F("state")),
        send_at=Case(When(is_open, then=when_due), default=F("send_at")),
        settled_at=Case(When(is_open, then=None), default=F("settled_at")),
        called_off_at=None,
        note=reason[:300],
    )
    if put:
        transaction.on_commit(SEND.ring)
    return put


def heard_of(subjects: Collection[str], *, kinds: Collection[NotificationKind]) -> dict[str, set[Recipient]]:
    """By subject: who was told, or may have been."""
    rows = Notification.objects.filter(subject__in=subjects, kind__in=kinds, state__in=HEARD)
    heard: dict[str, set[Recipient]] = {subject: set() for subject in subjects}
    for subject, person, channel in rows.values_list("subject", "person", "channel").distinct():
        heard[subject].add(Recipient(person, channel))
    return heard


def _rows(messages: Sequence[Message], *, now: datetime) -> list[list[Row]]:
    """The rows of each message, of which there is at least one."""
    live = [message for message in messages if message.origin == Origin.LIVE and message.person_id]
    habits = habits_of(message.person_id for message in live if message.person_id)
    heard = heard_by(live)
    return [_rows_of(message, habits, heard, now=now) for message in messages]


def _rows_of(
    message: Message, habits: dict[int, Habits], heard: dict[tuple[str, int], set[int]], *, now: datetime
) -> list[Row]:
    if message.origin != Origin.LIVE:
        route = f"channel:{message.channel_id}" if message.channel_id else f"person:{message.person_id}"
        return [_unsent(message, route, f"Not sent: {message.origin}")]
    if message.person_id is None:
        return [_to_send(message, Way(None, now, ""), ordinal=1, now=now)]
    theirs = habits[message.person_id]
    if not theirs.is_active:
        return [_unsent(message, f"person:{message.person_id}", "Not sent: the account is deactivated")]
    found = ways(message, theirs, heard=heard.get((message.subject, message.person_id), ()), now=now)
    return [_to_send(message, way, ordinal=number, now=now) for number, way in enumerate(found, start=1)]


def _unsent(message: Message, route: str, note: str) -> Row:
    return Row(
        message=message,
        key=message.key,
        route=route,
        method_id=None,
        state=NotificationState.NOT_SENT,
        note=note,
        reason=message.reason,
        due_at=None,
        is_at_once=False,
    )


def _to_send(message: Message, way: Way, *, ordinal: int, now: datetime) -> Row:
    return Row(
        message=message,
        key=message.key if ordinal == 1 else f"{message.key}#{ordinal}",
        route=f"channel:{message.channel_id}" if way.method_id is None else f"method:{way.method_id}",
        method_id=way.method_id,
        state=NotificationState.QUEUED,
        note=way.note,
        reason=" · ".join(part for part in (message.reason, way.why) if part),
        due_at=way.due_at,
        is_at_once=way.due_at <= now,
    )
