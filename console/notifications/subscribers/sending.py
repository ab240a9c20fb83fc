"""Carrying events to subscribers: at least once, those about one subject in their order.

Each delivery is claimed for two minutes, so that one whose worker died comes back; the receiver knows a repeat by
its id. A subscriber that cannot be reached is left alone until its next try; one event that it refuses holds up
only what follows about the same subject.
"""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from console.lib.rows import fetch
from console.lib.sealing import CannotUnseal, unseal
from console.notifications.models import EventDelivery, EventDeliveryState, Subscriber
from console.notifications.subscribers.posting import NotDelivered, post
from console.notifications.subscribers.signing import headers

logger = logging.getLogger(__name__)

MOST_AT_ONCE = 100
MOST_BATCHES = 10
"""A run; the next bell goes on, with a fresh clock."""
AT_A_TIME = 8
LEASE = timedelta(minutes=2)
WAITS = (5, 30, 120, 600, 3600, 10_800)
"""Seconds after each failed try; the last again and again."""
GIVE_UP_AFTER = timedelta(days=3)
MOST_REFUSALS = 8
"""Of one event by a receiver that is there."""

_CLAIM = """
WITH due AS (
    SELECT d.id FROM notifications_eventdelivery d
    JOIN notifications_subscriber s ON s.id = d.subscriber_id
    WHERE d.send_at <= %(now)s AND s.paused_at IS NULL AND s.archived_at IS NULL
      AND NOT EXISTS (
        SELECT FROM notifications_eventdelivery o
        WHERE o.subscriber_id = d.subscriber_id AND o.subject = d.subject AND o.state = 'queued'
          AND o.id < d.id AND o.send_at > %(now)s)
    ORDER BY d.id LIMIT %(most)s FOR UPDATE OF d SKIP LOCKED
)
UPDATE notifications_eventdelivery d SET send_at = %(until)s, attempts = d.attempts + 1
FROM due WHERE d.id = due.id RETURNING d.id
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one try. `error` null: it was taken."""

    delivery: EventDelivery
    error: NotDelivered | None = None
    is_untried: bool = False


def deliver(*, now: datetime) -> int:
    """Send what is due. Returns how many were tried or put off."""
    handled = 0
    for _ in range(MOST_BATCHES):
        if not (batch := _claim(now=now)):
            break
        _send(batch, now=now)
        handled += len(batch)
    return handled


def _claim(*, now: datetime) -> list[EventDelivery]:
    ids = [pk for (pk,) in fetch(_CLAIM, {"now": now, "until": now + LEASE, "most": MOST_AT_ONCE})]
    rows = EventDelivery.objects.filter(pk__in=ids).select_related("event", "subscriber")
    return list(rows.order_by("pk"))


def _send(batch: Sequence[EventDelivery], *, now: datetime) -> None:
    """Subscribers side by side, each one's deliveries in turn; no transaction is open meanwhile."""
    by_subscriber: dict[int, list[EventDelivery]] = defaultdict(list)
    for delivery in batch:
        by_subscriber[delivery.subscriber_id].append(delivery)
    with ThreadPoolExecutor(max_workers=AT_A_TIME) as threads:
        outcomes = list(threads.map(lambda mine: _post_all(mine, now=now), by_subscriber.values()))
    for mine in outcomes:
        _settle(mine, now=now)


def _post_all(deliveries: Sequence[EventDelivery], *, now: datetime) -> list[Outcome]:
    """Until the subscriber cannot be reached; touches no database."""
    outcomes: list[Outcome] = []
    is_down = False
    held: set[str] = set()
    for delivery in deliveries:
        if is_down or delivery.subject in held:
            outcomes.append(Outcome(delivery, is_untried=True))
            continue
        try:
            _post(delivery, now=now)
        except NotDelivered as error:
            outcomes.append(Outcome(delivery, error))
            held.add(delivery.subject)
            is_down = not error.is_about_event
        else:
            outcomes.append(Outcome(delivery))
    return outcomes


def _post(delivery: EventDelivery, *, now: datetime) -> None:
    subscriber = delivery.subscriber
    try:
        secret = unseal(subscriber.sealed_secret)
    except CannotUnseal as error:
        raise NotDelivered(str(error)) from error
    body = json.dumps(delivery.event.body, separators=(",", ":"), ensure_ascii=False).encode()
    signed = headers(secret, event_id=delivery.event.key, body=body, now=now)
    kind = {"Content-Type": "application/cloudevents+json; charset=utf-8", "User-Agent": "spot-console"}
    post(subscriber.url, body, kind | signed, may_be_private=subscriber.may_be_private)


@transaction.atomic
def _settle(outcomes: Sequence[Outcome], *, now: datetime) -> None:
    """Write what became of one subscriber's deliveries."""
    waits = _next_tries(outcomes, now=now)
    for outcome in outcomes:
        delivery = outcome.delivery
        if outcome.is_untried:
            delivery.attempts -= 1
            delivery.send_at = waits.get(delivery.subject, max(waits.values()))
            continue
        if outcome.error is None:
            delivery.state, delivery.note = EventDeliveryState.DELIVERED, ""
            delivery.send_at, delivery.settled_at = None, now
        elif _is_hopeless(outcome, now=now):
            delivery.state, delivery.note = EventDeliveryState.FAILED, str(outcome.error)
            delivery.send_at, delivery.settled_at = None, now
        else:
            delivery.note, delivery.send_at = str(outcome.error), waits[delivery.subject]
    EventDelivery.objects.bulk_update(
        [outcome.delivery for outcome in outcomes], ["state", "note", "send_at", "settled_at", "attempts"]
    )
    _note_health(outcomes, now=now)


def _next_tries(outcomes: Sequence[Outcome], *, now: datetime) -> Mapping[str, datetime]:
    """By subject that failed: when it is tried again."""
    return {
        outcome.delivery.subject: now + timedelta(seconds=_wait(outcome.delivery.attempts))
        for outcome in outcomes
        if outcome.error is not None
    }


def _wait(attempts: int) -> int:
    return WAITS[min(attempts, len(WAITS)) - 1]


def _is_hopeless(outcome: Outcome, *, now: datetime) -> bool:
    delivery, error = outcome.delivery, outcome.error
    is_refused = error is not None and error.is_about_event and delivery.attempts >= MOST_REFUSALS
    return is_refused or now - delivery.event.written_at >= GIVE_UP_AFTER


def _note_health(outcomes: Sequence[Outcome], *, now: datetime) -> None:
    subscriber = outcomes[0].delivery.subscriber
    tried = [outcome for outcome in outcomes if not outcome.is_untried]
    failed = [outcome for outcome in tried if outcome.error is not None]
    changes: dict[str, datetime | None] = {}
    if len(failed) < len(tried):
        changes["last_delivered_at"] = now
    if not failed and tried:
        changes["failing_since"] = None
    elif failed and subscriber.failing_since is None:
        changes["failing_since"] = now
        extra = {"subscriber": subscriber.name, "error": str(failed[0].error)}
        logger.warning("subscriber.failing", extra=extra)
    if changes:
        Subscriber.objects.filter(pk=subscriber.pk).update(**changes)
