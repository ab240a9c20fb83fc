"""Taking what is due out of the outbox, one message at a time and route, before the provider is called.

A claim is committed with its attempt and lease first. Whoever dies with a claim leaves a lease that ends: what
was claimed may have arrived, so it becomes `unknown` and is sent again, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet

from console.lib.live import announce
from console.lib.rows import fetch, run
from console.notifications.models import (
    HEARD,
    Attempt,
    ContactMethod,
    Importance,
    Notification,
    NotificationKind,
    NotificationState,
)
from console.notifications.retrying import MOST_ATTEMPTS

LEASE = timedelta(seconds=60)
"""Longer than any sender takes."""
MOST_IN_ONE = 200
TRIES = 5

_DUE = """
SELECT n.id FROM notifications_notification n
WHERE n.send_at <= %(now)s AND n.state IN ('queued', 'unknown')
  AND NOT EXISTS (
      SELECT FROM notifications_notification busy
      WHERE busy.route = n.route AND busy.state = 'sending' AND busy.send_at IS NOT NULL)
  AND NOT EXISTS (
      SELECT FROM notifications_notification earlier
      WHERE earlier.route = n.route AND earlier.subject = n.subject AND earlier.id < n.id
        AND earlier.attempt_count > 0 AND earlier.send_at IS NOT NULL)
ORDER BY n.importance = 'important' DESC, n.due_at, n.id
LIMIT 1 FOR UPDATE OF n SKIP LOCKED
"""

_TAKE_BACK = """
WITH over AS (
    UPDATE notifications_notification n
    SET state = 'unknown', lead_id = NULL, note = %(note)s,
        send_at = CASE WHEN called_off_at IS NULL AND attempt_count < %(most)s THEN %(now)s END,
        settled_at = CASE WHEN called_off_at IS NULL AND attempt_count < %(most)s THEN NULL ELSE %(now)s END
    WHERE state = 'sending' AND send_at <= %(now)s
    RETURNING id, attempt_count
)
UPDATE notifications_attempt a SET outcome = 'lost', finished_at = %(now)s, answer = %(note)s
FROM over WHERE a.notification_id = over.id AND a.number = over.attempt_count AND a.outcome = 'unfinished'
"""
_LOST = "Whoever sent this did not come back: it may have arrived"


@dataclass(frozen=True, slots=True)
class Claimed:
    """Rows that go out in one message, the first of them leading. `lease` tells this claim from any later one."""

    rows: list[Notification]
    lease: datetime

    @property
    def lead(self) -> Notification:
        return self.rows[0]


def take_back(*, now: datetime) -> int:
    """Claims whose lease is over become *unknown* and due again. Returns how many."""
    return run(_TAKE_BACK, {"now": now, "note": _LOST, "most": MOST_ATTEMPTS})


def claim(*, now: datetime) -> Claimed | None:
    """The next message, ready to be sent by the caller alone; None: nothing is due, or others have it."""
    for _ in range(TRIES):
        try:
            with transaction.atomic():
                found, claimed = _claim(now=now)
        except IntegrityError:  # another one claims by the same route: the index let one through
            continue
        if claimed or not found:
            return claimed
    return None


def _claim(*, now: datetime) -> tuple[bool, Claimed | None]:
    """Whether something was due, and what of it is claimed: a full method puts it off instead."""
    due = fetch(_DUE, {"now": now})
    if not due:
        return False, None
    lead = Notification.objects.select_related("channel", "method", "person").get(pk=due[0][0])
    rows = [lead]
    if lead.method is not None and lead.kind != NotificationKind.TRIAL:
        room = _room(lead, lead.method, now=now)
        if isinstance(room, datetime) and lead.attempt_count == 0:
            _put_off(lead, lead.method, until=room, now=now)
            return True, None
        others = list(_bundled_with(lead, now=now).select_for_update(skip_locked=True)[:MOST_IN_ONE])
        if isinstance(room, datetime) or len(others) + 1 > room:
            rows += others
    return True, _mark(rows, now=now)


def _room(lead: Notification, method: ContactMethod, *, now: datetime) -> int | datetime:
    """How many more messages may go by this method now, or from when on. Default ones never hold up important ones."""
    since = now - timedelta(minutes=method.bundle_minutes)
    sent = Notification.objects.filter(route=lead.route, sent_at__gt=since, lead=None, state__in=HEARD)
    sent = sent.exclude(kind=NotificationKind.TRIAL).exclude(pk=lead.pk)
    if lead.importance == Importance.IMPORTANT:
        sent = sent.filter(importance=Importance.IMPORTANT)
    recent = list(sent.order_by("-sent_at").values_list("sent_at", flat=True)[: method.bundle_after])
    if len(recent) < method.bundle_after or recent[-1] is None:
        return method.bundle_after - len(recent)
    return recent[-1] + timedelta(minutes=method.bundle_minutes)


def _waiting_with(lead: Notification, *, now: datetime) -> QuerySet[Notification]:
    """What is due by the same method and no more important."""
    waiting = Notification.objects.due().filter(route=lead.route, send_at__lte=now)
    waiting = waiting.exclude(kind=NotificationKind.TRIAL)
    return waiting if lead.importance == Importance.IMPORTANT else waiting.filter(importance=lead.importance)


def _bundled_with(lead: Notification, *, now: datetime) -> QuerySet[Notification]:
    return _waiting_with(lead, now=now).exclude(pk=lead.pk).order_by("due_at", "pk")


def _put_off(lead: Notification, method: ContactMethod, *, until: datetime, now: datetime) -> None:
    count, minutes = method.bundle_after, method.bundle_minutes
    note = (
        f"Waits, to come as one: {count} message{'s' * (count > 1)} in {minutes} min went to {method} already"
    )
    _waiting_with(lead, now=now).update(send_at=until, note=note[:300])


def _mark(rows: list[Notification], *, now: datetime) -> Claimed:
    """Write down that these are on their way, by whom the answer will be told apart, and which try it is."""
    lead, *others = rows
    lease = now + LEASE
    going = {
        "state": NotificationState.SENDING,
        "send_at": lease,
        "sent_at": now,
        "attempt_count": F("attempt_count") + 1,
    }
    Notification.objects.filter(pk=lead.pk).update(**going, lead=None)
    Notification.objects.filter(pk__in=[row.pk for row in others]).update(**going, lead=lead)
    Attempt.objects.bulk_create(
        Attempt(notification=row, number=row.attempt_count + 1, started_at=now) for row in rows
    )
    for row in rows:
        row.attempt_count += 1
        row.state, row.send_at = NotificationState.SENDING, lease
    announce("notifications", ids=[row.pk for row in rows])
    return Claimed(rows, lease)
