"""One message from the outbox to its provider, and what came of it.

The story: what was left by the dead is taken back; the next message is claimed (committed); its words are made;
the provider is called; the outcome is written, if the claim still holds.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from django.db import DatabaseError, connection, transaction

from console.lib.live import announce
from console.lib.sealing import CannotUnseal
from console.notifications.claiming import Claimed, claim, take_back
from console.notifications.composing import compose
from console.notifications.destinations import allowed_hosts, settings_of
from console.notifications.models import (
    Attempt,
    AttemptOutcome,
    Notification,
    NotificationState,
)
from console.notifications.outgoing_message import OutgoingMessage
from console.notifications.retrying import MOST_ATTEMPTS, wait_after
from console.notifications.senders.directory import SENDERS
from console.notifications.senders.sender import AnswerLost, BadSetting, SendFailed, Taken

logger = logging.getLogger(__name__)


class Outcome(NamedTuple):
    """What became of one try. `is_final`: it is not tried again."""

    outcome: AttemptOutcome
    answer: str
    is_final: bool = False
    retry_after: float | None = None


def send_next(*, now: datetime) -> bool:
    """Send one message that is due. False: there is none left for us."""
    take_back(now=now)
    claimed = claim(now=now)
    if claimed is None:
        return False
    outcome = _try(claimed, now=now)
    settle(claimed, outcome, now=database_clock())
    return True


def database_clock() -> datetime:
    """The one clock that all workers share: a lease is over when the database says so, whatever theirs say."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
    return now  # type: ignore[no-any-return]


def _try(claimed: Claimed, *, now: datetime) -> Outcome:
    try:
        message = _composed(claimed, now=now)
        taken = _hand_over(claimed.lead, message, allowed_hosts())
    except DatabaseError:  # nothing can be written either: the lease will end
        raise
    except SendFailed as error:
        return Outcome(AttemptOutcome.FAILED, str(error), error.permanent, error.retry_after)
    except AnswerLost as error:
        return Outcome(AttemptOutcome.LOST, str(error))
    except Exception as error:
        logger.exception("notification.sender_raised", extra={"notification": claimed.lead.pk})
        return Outcome(AttemptOutcome.LOST, f"A fault of the console itself: {type(error).__name__}: {error}")
    return Outcome(taken.outcome, taken.answer, is_final=True)


def _composed(claimed: Claimed, *, now: datetime) -> OutgoingMessage:
    try:
        return compose(claimed, now=now)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        logger.exception("notification.not_composed", extra={"notification": claimed.lead.pk})
        raise SendFailed(f"A fault of the console itself: {error}") from error


def _hand_over(row: Notification, message: OutgoingMessage, hosts: Collection[str]) -> Taken:
    place = row.channel or row.method
    if place is None or place.archived_at is not None:
        raise SendFailed("This channel or method was archived meanwhile", permanent=True)
    if row.person is not None and not row.person.is_active:
        raise SendFailed("The account was deactivated meanwhile", permanent=True)
    sender = SENDERS[place.kind]
    try:
        settings: Any = sender.read(settings_of(place), hosts)
    except (BadSetting, CannotUnseal) as error:
        raise SendFailed(f"Its settings cannot be used: {error}", permanent=True) from error
    return sender.send(message, settings, hosts)


@transaction.atomic
def settle(claimed: Claimed, outcome: Outcome, *, now: datetime) -> bool:
    """Write down what became of it. False: the lease was over, and it is somebody else's by now."""
    ids = [row.pk for row in claimed.rows]
    held = Notification.objects.filter(
        pk__in=ids, state=NotificationState.SENDING, send_at=claimed.lease
    ).select_for_update()
    rows = list(held.order_by("pk"))
    if not rows:
        logger.warning("notification.lease_was_over", extra={"notification": claimed.lead.pk})
        return False
    ids = [row.pk for row in rows]
    was_lost = set(_lost_before(ids)) | (set(ids) if outcome.outcome == AttemptOutcome.LOST else set())
    for row in rows:
        _settle_row(row, outcome, was_lost=row.pk in was_lost, now=now)
    Notification.objects.bulk_update(rows, ["state", "note", "send_at", "settled_at", "lead"])
    Attempt.objects.filter(notification__in=ids, outcome=AttemptOutcome.UNFINISHED).update(
        outcome=outcome.outcome, answer=outcome.answer[:500], finished_at=now
    )
    announce("notifications", ids=ids)
    return True


def _lost_before(ids: list[int]) -> list[int]:
    lost = Attempt.objects.filter(notification__in=ids, outcome=AttemptOutcome.LOST)
    return list(lost.values_list("notification", flat=True))


def _settle_row(row: Notification, outcome: Outcome, *, was_lost: bool, now: datetime) -> None:
    """A message that may have arrived stays *unknown* until a later try is taken: it is never called failed."""
    reason, row.note = row.note, outcome.answer[:300]
    if outcome.outcome in (AttemptOutcome.HANDED_OVER, AttemptOutcome.DELIVERED):
        row.state = NotificationState(outcome.outcome.value)
        row.send_at, row.settled_at = None, now
        return
    row.lead = None
    is_over = outcome.is_final or row.attempt_count >= MOST_ATTEMPTS
    if row.called_off_at is not None:
        row.state = NotificationState.UNKNOWN if was_lost else NotificationState.CALLED_OFF
        row.note = f"{reason}; {outcome.answer}"[:300]
    elif was_lost:
        row.state = NotificationState.UNKNOWN
    else:
        row.state = NotificationState.FAILED if is_over else NotificationState.QUEUED
    if is_over or row.called_off_at is not None:
        row.send_at, row.settled_at = None, now
    else:
        row.send_at = now + wait_after(row.attempt_count, retry_after=outcome.retry_after)
