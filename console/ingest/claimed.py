"""A queued delivery that this worker holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row of the queue, locked by this worker until it commits. `reading` is a `Reading` as JSON."""

    id: int
    delivery_pk: int
    received_at: datetime
    feed_id: int
    origin: str
    reading: bytes
