"""Messages that recording cannot digest: put into quarantine, byte for byte, to be replayed after a fix.

How they are found, and when so many fail that the pipeline stops instead, is told in `alerts/working_off.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from console.ingest.claimed import Claimed
from console.lib.halving import Culprit

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


def put_aside(culprits: Sequence[Culprit[Claimed]]) -> None:
    """Keep these in quarantine as `processing_error`; the rest of their batch goes on."""
    with connection.cursor() as cursor:
        cursor.execute(
            _PUT_ASIDE,
            [
                [culprit.item.delivery_pk for culprit in culprits],
                [culprit.item.received_at for culprit in culprits],
                [culprit.detail.replace("\x00", "\ufffd")[:500] for culprit in culprits],
            ],
        )
