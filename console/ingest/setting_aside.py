"""Messages that recording cannot digest: put into quarantine, byte for byte, to be replayed after a fix.

Where many fail at once the fault is hardly theirs: then nothing is put aside, the pipeline stops, says so on
the on-call board, and tries again by itself after a minute.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from console.feeds.models import PipelineStop
from console.ingest.claimed import Claimed
from console.ingest.failures import PipelineStopped

logger = logging.getLogger(__name__)

NAME = "record"
MOST_CULPRITS = 5
MOST_SHARE = 0.2
SMALL_BATCH = 10
"""In a batch of fewer messages a share says little, and only the number counts."""
RETRY_AFTER = timedelta(minutes=1)

_PUT_ASIDE = """
INSERT INTO feeds_quarantineditem AS q
    (origin, feed_id, received_at, last_at, seen_count, code, detail, body_hash, headers, body, state,
     delivery_pk)
SELECT d.origin, d.feed_id, d.received_at, d.received_at, 1, 'processing_error', c.detail,
       encode(sha256(d.body), 'hex'), d.headers, d.body, 'held', d.id
FROM unnest(%s::bigint[], %s::timestamptz[], %s::text[]) AS c (id, received_at, detail)
JOIN feeds_delivery d ON d.id = c.id AND d.received_at = c.received_at
ON CONFLICT (feed_id, code, body_hash) WHERE state = 'held'
DO UPDATE SET seen_count = q.seen_count + 1, last_at = excluded.last_at
"""


@dataclass(frozen=True, slots=True)
class Culprit:
    """A message that cannot be recorded, and why."""

    claimed: Claimed
    detail: str


def stop_if_too_many(culprits: Sequence[Culprit], *, of: int) -> None:
    """Raise `PipelineStopped` where so many of a batch failed that it cannot be the messages."""
    is_large_share = of >= SMALL_BATCH and len(culprits) > MOST_SHARE * of
    if len(culprits) > MOST_CULPRITS or is_large_share:
        raise PipelineStopped(f"{len(culprits)} of {of} messages failed; the first: {culprits[0].detail}")


def put_aside(culprits: Sequence[Culprit]) -> None:
    """Keep these in quarantine as `processing_error`; the rest of their batch goes on."""
    if not culprits:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _PUT_ASIDE,
            [
                [culprit.claimed.delivery_pk for culprit in culprits],
                [culprit.claimed.received_at for culprit in culprits],
                [culprit.detail[:500] for culprit in culprits],
            ],
        )


def stop(reason: str, *, now: datetime) -> None:
    """Let the pipeline rest until its next try."""
    PipelineStop.objects.update_or_create(
        name=NAME,
        defaults={"reason": reason, "retry_at": now + RETRY_AFTER},
        create_defaults={"reason": reason, "stopped_at": now, "retry_at": now + RETRY_AFTER},
    )
    logger.error("ingest.stopped", extra={"reason": reason})


def is_stopped(*, now: datetime) -> bool:
    """Whether the pipeline rests now."""
    return PipelineStop.objects.filter(name=NAME, retry_at__gt=now).exists()


def forget_stop() -> bool:
    """Forget a stop, if there was one: a batch went through."""
    return bool(PipelineStop.objects.filter(name=NAME).delete()[0])
