"""Record: what was received becomes observations and interruptions. Read aloud, top to bottom.

| step | what | why twice is harmless |
| --- | --- | --- |
| receive | `receive.py`: verified, read, stored, answered after the commit | unique (feed, delivery id) |
| claim | up to `MOST_DELIVERIES` queue rows, locked, deleted when done | a killed worker gives them back |
| record | observations, machines, interruptions, and a change row each | unique keys; a pure partition |
| attribute | whose machine it is | derived from the rules |

What happens then is told in `alerts/pipeline.py`; what happens when it fails, in `alerts/working_off.py`: what
cannot be recorded goes into quarantine, byte for byte.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from django.db import transaction

from console.alerts.working_off import Pipeline, work_off
from console.feeds.normalised import Reading
from console.fleet.identity import ClosureGrew
from console.ingest.claimed import Claimed, claim
from console.ingest.setting_aside import put_aside
from console.interruptions.recording import Heard, record_heard
from console.lib import passing
from console.lib.rows import run

MOST_DELIVERIES = 4_000
WORTH_GOING_ON = 200
"""After a batch this large the worker looks for more at once; after a smaller one others get their turn first."""
MOST_CLOSURES = 5
"""How often a batch is tried again at once because another worker named one of its machines meanwhile."""

_READING = msgspec.json.Decoder(Reading)
_UNHURRIED = "SET LOCAL synchronous_commit TO off"
"""What a crash of the database takes away here it gives back: the same commit removes it from the queue."""
_DONE = "DELETE FROM feeds_queueddelivery WHERE id = ANY(%s)"


def record_batch(*, now: datetime) -> int:
    """Take up one batch and record it. Returns how many deliveries were taken up; 0: nothing to do."""
    return work_off(RECORD, now=now)


def is_passing(error: BaseException) -> bool:
    """Whether the same batch may be recorded later without anything being changed."""
    return isinstance(error, ClosureGrew) or passing.is_passing(error)


def _claim(now: datetime) -> list[Claimed]:
    run(_UNHURRIED)
    return claim(MOST_DELIVERIES, now=now)


def _record(batch: Sequence[Claimed], now: datetime) -> None:
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


def _finish(batch: Sequence[Claimed], now: datetime) -> None:
    run(_DONE, [[message.id for message in batch]])


RECORD = Pipeline(
    name="record",
    queue="feeds_queueddelivery",
    claim=_claim,
    work=_record,
    put_aside=lambda culprits, _: put_aside(culprits),
    finish=_finish,
    is_passing=is_passing,
)
