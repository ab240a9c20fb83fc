"""Taking up queued deliveries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from console.lib.rows import fetch

_CLAIM = """
SELECT id, delivery_pk, received_at, feed_id, origin, reading FROM feeds_queueddelivery
WHERE due_at IS NULL OR due_at <= %(now)s
ORDER BY id LIMIT %(most)s FOR UPDATE SKIP LOCKED
"""


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
    return [Claimed(*row) for row in fetch(_CLAIM, {"now": now, "most": most})]
