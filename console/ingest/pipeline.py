"""Record: what was received becomes observations and interruptions. Read aloud, top to bottom.

| step | what | why twice is harmless |
| --- | --- | --- |
| receive | `receive.py`: verified, read, stored, answered after the commit | unique (feed, delivery id) |
| claim | up to `MOST_DELIVERIES` queue rows, locked, deleted when done | a killed worker gives them back |
| record | observations, machines, interruptions, and a change row each | unique keys; a pure partition |
| attribute | whose machine it is | derived from the rules |

What happens then is told in `alerts/pipeline.py`. Errors: one that may pass (connection, lock, disk) gives the
whole batch back; one that would come again isolates its message by halving; a message that kills its
worker is known by the attempts it leaves, runs alone from the third, and is put aside after the fifth.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

import msgspec
from django.db import connection, transaction

from console.alerts import stopping
from console.feeds.normalised import Reading
from console.fleet.identity import ClosureGrew
from console.ingest import setting_aside
from console.ingest.attempts import Attempt
from console.ingest.claimed import Claimed, claim
from console.ingest.failures import PipelineStopped, is_passing
from console.ingest.setting_aside import Culprit
from console.interruptions.recording import Heard, record_heard

logger = logging.getLogger(__name__)

NAME = "record"
MOST_DELIVERIES = 2_000
ALONE_FROM = 3
ASIDE_AFTER = 5
MOST_CLOSURES = 5
"""How often a batch is tried again at once because another worker named one of its machines meanwhile."""

_READING = msgspec.json.Decoder(Reading)
_UNHURRIED = "SET LOCAL synchronous_commit TO off"
"""What a crash of the database takes away here it gives back: the same commit removes it from the queue."""
_DONE = "DELETE FROM feeds_queueddelivery WHERE id = ANY(%s)"


def record_batch(*, now: datetime) -> int:
    """Take up one batch and record it. Returns how many deliveries were worked off; 0: nothing to do."""
    if stopping.is_stopped(NAME, now=now):
        return 0
    attempt = Attempt()
    try:
        with transaction.atomic():
            return _record_claimed(attempt, now=now)
    except Exception as error:
        if is_passing(error):
            attempt.forget()
        if not isinstance(error, PipelineStopped):
            raise
        stopping.stop(NAME, str(error), now=now)
        return 0


def _record_claimed(attempt: Attempt, *, now: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_UNHURRIED)
    claimed = claim(MOST_DELIVERIES)
    if not claimed:
        return 0
    attempt.begin([message.id for message in claimed], now=now)
    batch = _fit_to_run(claimed, attempt)
    if attempt.counts[batch[0].id] > ASIDE_AFTER:
        culprits = [Culprit(message, "Its workers died; it was not tried again.") for message in batch]
    else:
        culprits = _record_or_isolate(batch, now=now, of=len(batch))
    setting_aside.put_aside(culprits)
    _finish(batch, attempt, now=now)
    logger.info("ingest.recorded", extra={"deliveries": len(batch), "culprits": len(culprits)})
    return len(batch)


def _fit_to_run(batch: list[Claimed], attempt: Attempt) -> list[Claimed]:
    """A message that was there when workers died runs alone; the others wait for the next batch."""
    suspects = [claimed for claimed in batch if attempt.counts[claimed.id] >= ALONE_FROM]
    if not suspects or len(batch) == 1:
        return batch
    attempt.narrow(suspects[0].id)
    return suspects[:1]


def _record_or_isolate(batch: Sequence[Claimed], *, now: datetime, of: int) -> list[Culprit]:
    """Record what can be recorded. Returns the messages that cannot, found by halving."""
    try:
        _record(batch, now=now)
    except Exception as error:
        if is_passing(error):
            raise
        if len(batch) == 1:
            logger.exception("ingest.culprit", extra={"delivery": batch[0].delivery_pk})
            return [Culprit(batch[0], f"{type(error).__name__}: {error}")]
    else:
        return []
    middle = len(batch) // 2
    culprits = _record_or_isolate(batch[:middle], now=now, of=of)
    culprits += _record_or_isolate(batch[middle:], now=now, of=of)
    setting_aside.stop_if_too_many(culprits, of=of)
    return culprits


def _record(batch: Sequence[Claimed], *, now: datetime) -> None:
    """All of it or nothing; again at once where another worker named one of the machines meanwhile."""
    for tries_left in reversed(range(MOST_CLOSURES)):
        try:
            with transaction.atomic():
                record_heard([_heard(message) for message in batch], now=now)
        except ClosureGrew:
            if not tries_left:
                raise
        else:
            return


def _heard(claimed: Claimed) -> Heard:
    return Heard(
        feed_id=claimed.feed_id,
        origin=claimed.origin,
        delivery_pk=claimed.delivery_pk,
        received_at=claimed.received_at,
        reading=_READING.decode(claimed.reading),
    )


def _finish(batch: Sequence[Claimed], attempt: Attempt, *, now: datetime) -> None:
    ids = [message.id for message in batch]
    with connection.cursor() as cursor:
        cursor.execute(_DONE, [ids])
    attempt.end(ids, now=now)
    stopping.go_on(NAME, now=now)
