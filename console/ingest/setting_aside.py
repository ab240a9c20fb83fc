"""Messages that recording cannot digest: put into quarantine, byte for byte, to be replayed after a fix.

Where many fail at once the fault is hardly theirs: then nothing is put aside and the pipeline stops
(`alerts/stopping.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from console.ingest.claimed import Claimed
from console.ingest.failures import PipelineStopped

MOST_CULPRITS = 5
MOST_SHARE = 0.2
SMALL_BATCH = 10
"""In a batch of fewer messages a share says little, and only the number counts."""

_PUT_ASIDE = """
INSERT INTO feeds_quarantineditem AS q
    (origin, feed_id, received_at, last_at, seen_count, code, detail, body_hash, headers, body, state,
     delivery_pk)
SELECT d.origin, d.feed_id, d.received_at, d.received_at, 1, 'processing_error', c.detail,
       encode(sha256(d.body), 'hex'), d.headers, d.body, 'held', d.id
FROM unnest(%s::bigint[], %s::timestamptz[], %s::text[]) AS c (id, received_at, detail)
JOIN (
    SELECT id, received_at, origin, feed_id, headers, body FROM feeds_delivery
    UNION ALL SELECT id, received_at, origin, feed_id, headers, body FROM feeds_heartbeatdelivery
) d ON d.id = c.id AND d.received_at = c.received_at
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
                [culprit.detail.replace("\x00", "\ufffd")[:500] for culprit in culprits],
            ],
        )
