"""Taking up queued deliveries: as they came, or one lane of them where many wait."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from console.lib.rows import fetch

BACKLOG = 4_000
"""From so many queued deliveries on a worker takes up one lane, that of the oldest that nobody holds."""

_DUE = "(due_at IS NULL OR due_at <= %(now)s)"
_CLAIM = f"""
SELECT id, delivery_pk, received_at, feed_id, origin, reading FROM feeds_queueddelivery
WHERE {_DUE} AND (
    (SELECT count(*) FROM (SELECT FROM feeds_queueddelivery WHERE {_DUE} LIMIT %(backlog)s) AS waiting) < %(backlog)s
    OR lane = (SELECT lane FROM feeds_queueddelivery WHERE {_DUE} ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED))
ORDER BY id LIMIT %(most)s FOR UPDATE SKIP LOCKED
"""  # noqa: S608 - no value is pasted into it


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row of the queue, locked by this worker until it commits. `reading` is a `Reading` as JSON."""

    id: int
    delivery_pk: int
    received_at: datetime
    feed_id: int
    origin: str
    reading: bytes

    def __str__(self) -> str:
        return f"delivery {self.delivery_pk}"


def claim(most: int, *, now: datetime) -> list[Claimed]:
    """Up to so many queued deliveries that do not rest and that no other worker holds; the oldest first."""
    return [Claimed(*row) for row in fetch(_CLAIM, {"now": now, "backlog": BACKLOG, "most": most})]
