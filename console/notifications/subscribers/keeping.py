"""The end of events that nobody waits for any more."""

from __future__ import annotations

from datetime import datetime, timedelta

from console.lib.rows import run

KEEP = timedelta(days=30)
CHUNK = 5_000
_FORGET = """
WITH old AS (
    SELECT e.id FROM notifications_outwardevent e WHERE e.written_at < %s AND NOT EXISTS (
        SELECT FROM notifications_eventdelivery d WHERE d.event_id = e.id AND d.state = 'queued')
    ORDER BY e.written_at LIMIT %s
), gone AS (DELETE FROM notifications_eventdelivery d USING old WHERE d.event_id = old.id RETURNING d.event_id)
DELETE FROM notifications_outwardevent e USING old WHERE e.id = old.id
"""


def forget(*, now: datetime) -> int:
    """Delete what was settled more than 30 days ago; how many events."""
    gone = 0
    while batch := run(_FORGET, [now - KEEP, CHUNK]):
        gone += batch
    return gone
