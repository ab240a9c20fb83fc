"""Finding out that a feed became silent or late, and that it was heard again: once per change.

Each change is a compare-and-set on the feed's own row and a line of its history, in one statement, so two
watchers at once, or one that is killed, find every change once. Who is told is decided above
(`alerts/feed_findings.py`), in the same transaction.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from console.feeds.models import FeedEventKind
from console.lib.rows import fetch

DELAYED_BY = timedelta(minutes=5)
"""Half of the latest messages came later than this after what they tell of (M6's red limit)."""
DELAY_WINDOW = timedelta(hours=1)
FEWEST_TIMED = 5
MOST_TIMED = 50

_OWES = """f.expects_within IS NOT NULL AND f.paused_at IS NULL
    AND greatest(coalesce(f.last_seen_at, f.created_at), f.resumed_at) + f.expects_within < %(now)s"""
_SILENT = f"""
WITH changed AS (
    UPDATE feeds_feed f
    SET silent_since = greatest(coalesce(f.last_seen_at, f.created_at), f.resumed_at) + f.expects_within
    WHERE f.silent_since IS NULL AND {_OWES} RETURNING f.id, f.silent_since
)
INSERT INTO feeds_feedevent (feed_id, at, kind, text)
SELECT id, silent_since, 'silent', 'It owes a message' FROM changed ORDER BY id RETURNING feed_id, kind
"""  # noqa: S608 - a condition of this file
_HEARD = f"""
WITH changed AS (
    UPDATE feeds_feed f SET silent_since = NULL
    FROM (SELECT id, silent_since FROM feeds_feed WHERE silent_since IS NOT NULL ORDER BY id FOR UPDATE) was
    WHERE f.id = was.id AND f.silent_since IS NOT NULL AND NOT ({_OWES})
    RETURNING f.id, was.silent_since, f.last_seen_at, coalesce(f.last_seen_at > was.silent_since, false) AS is_heard
)
INSERT INTO feeds_feedevent (feed_id, at, kind, text)
SELECT id, CASE WHEN is_heard THEN last_seen_at ELSE %(now)s END,
       CASE WHEN is_heard THEN 'heard' ELSE 'excused' END,
       CASE WHEN is_heard THEN 'A message came' ELSE 'It owes nothing now: paused, or given more time' END
FROM changed ORDER BY id RETURNING feed_id, kind
"""  # noqa: S608 - a condition of this file
_DELAYS = """
SELECT id, n, late, since FROM feeds_feed f CROSS JOIN LATERAL (
    SELECT count(*) AS n, min(received_at) AS since,
           percentile_disc(0.5) WITHIN GROUP (ORDER BY received_at - occurred_at) > %(late)s AS late
    FROM (
        SELECT received_at, occurred_at FROM feeds_delivery d
        WHERE d.feed_id = f.id AND d.received_at > %(since)s AND d.occurred_at IS NOT NULL
          AND d.occurred_at > greatest(f.created_at, d.received_at - interval '24 hours')
        ORDER BY d.received_at DESC, d.id DESC LIMIT %(most)s
    ) newest
) delay WHERE f.last_accepted_at > %(since)s OR f.delayed_since IS NOT NULL
"""
_DELAYED = f"""
WITH delays AS ({_DELAYS}), changed AS (
    UPDATE feeds_feed f SET delayed_since = d.since FROM delays d
    WHERE f.id = d.id AND f.delayed_since IS NULL AND f.paused_at IS NULL AND d.n >= %(fewest)s AND d.late
    RETURNING f.id, f.delayed_since
)
INSERT INTO feeds_feedevent (feed_id, at, kind, text)
SELECT id, %(now)s, 'delayed', 'Half of its messages come more than 5 minutes late'
FROM changed ORDER BY id RETURNING feed_id, kind
"""  # noqa: S608 - a statement of this file
_IN_TIME = f"""
WITH delays AS ({_DELAYS}), changed AS (
    UPDATE feeds_feed f SET delayed_since = NULL FROM delays d
    WHERE f.id = d.id AND f.delayed_since IS NOT NULL
      AND (f.paused_at IS NOT NULL OR d.n < %(fewest)s OR NOT d.late)
    RETURNING f.id, d.n >= %(fewest)s AND NOT d.late AS is_in_time
)
INSERT INTO feeds_feedevent (feed_id, at, kind, text)
SELECT id, %(now)s, CASE WHEN is_in_time THEN 'in_time' ELSE 'excused' END,
       CASE WHEN is_in_time THEN 'Its messages come in time' ELSE 'Too few messages lately to say how late' END
FROM changed ORDER BY id RETURNING feed_id, kind
"""  # noqa: S608 - a statement of this file


class Change(NamedTuple):
    """Something happened to a feed, told in its history."""

    feed_id: int
    kind: FeedEventKind


def watch(*, now: datetime) -> list[Change]:
    """Note every feed whose silence or delay began or ended. Call it in a transaction with what is told of it."""
    values = {
        "now": now,
        "since": now - DELAY_WINDOW,
        "late": DELAYED_BY,
        "fewest": FEWEST_TIMED,
        "most": MOST_TIMED,
    }
    steps = (_HEARD, _SILENT, _IN_TIME, _DELAYED)
    return [Change(pk, FeedEventKind(kind)) for step in steps for pk, kind in fetch(step, values)]
