"""The canary: a message the console sends to itself, and when the last one came through.

It is sent from `ingest/canary.py` to a feed of origin test. It has come through once `routing.py` has left a
receipt for it: received, recorded, grouped, decided on, and told to nobody because of its origin. So a worker,
a queue or a pipeline that stands still shows, whatever the feeds say.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from console.feeds.models import CANARY
from console.lib.rows import fetch

EVERY = timedelta(minutes=2)
LATE_AFTER = timedelta(minutes=5)
DEAD_AFTER = timedelta(minutes=10)

_LAST = """
SELECT f.created_at, f.paused_at IS NOT NULL, (
    SELECT max(i.notice_at) FROM alerts_alertgroup g
    JOIN alerts_groupmember m ON m.group_id = g.id JOIN interruptions_interruption i ON i.id = m.interruption_id
    WHERE g.service_id = (SELECT id FROM fleet_service WHERE origin = 'test' AND slug = %(canary)s)
      AND EXISTS (SELECT 1 FROM alerts_receipt r WHERE r.group_id = g.id AND r.at >= m.joined_at)
) FROM feeds_feed f WHERE f.slug = %(canary)s AND f.origin = 'test'
"""


@dataclass(frozen=True, slots=True)
class Canary:
    """The last one that came through: when it was sent. None: none ever did."""

    sent_at: datetime | None
    began_at: datetime | None
    """When the first one was to be sent."""
    is_paused: bool = False

    def age(self, *, now: datetime) -> timedelta | None:
        """How long nothing is known to have come through."""
        since = self.sent_at or self.began_at
        return now - since if since else None

    def is_late(self, *, now: datetime) -> bool:
        return (age := self.age(now=now)) is None or age > LATE_AFTER

    def is_dead(self, *, now: datetime) -> bool:
        return (age := self.age(now=now)) is not None and age > DEAD_AFTER


def last_canary() -> Canary:
    """One statement, over the canaries of the last hour: older ones are gone."""
    rows = fetch(_LAST, {"canary": CANARY})
    if not rows:
        return Canary(None, None)
    began_at, is_paused, sent_at = rows[0]
    return Canary(sent_at, began_at, is_paused)
