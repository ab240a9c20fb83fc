"""How soon a feed's messages come after what they tell of, how often they come, and what of it still waits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from console.feeds.models import Feed
from console.lib.rows import fetch

WINDOW = timedelta(days=1)
GAP_WINDOW = timedelta(days=7)
NEWEST = 1_000

_DELAYS = """
SELECT count(*), percentile_disc(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY late) FROM (
    SELECT extract(epoch FROM received_at - occurred_at)::float8 AS late FROM feeds_delivery
    WHERE feed_id = %(feed)s AND received_at > %(since)s AND received_at <= %(now)s AND occurred_at IS NOT NULL
      AND occurred_at > received_at - interval '24 hours'
    ORDER BY received_at DESC, id DESC LIMIT %(newest)s
) AS newest
"""
_GAPS = """
SELECT count(gap), percentile_disc(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY gap), max(gap) FROM (
    SELECT extract(epoch FROM received_at - lag(received_at) OVER (ORDER BY received_at))::float8 AS gap FROM (
        (SELECT received_at FROM feeds_delivery
         WHERE feed_id = %(feed)s AND received_at > %(week)s AND received_at <= %(now)s
         ORDER BY received_at DESC, id DESC LIMIT %(newest)s)
        UNION ALL
        (SELECT received_at FROM feeds_heartbeatdelivery
         WHERE feed_id = %(feed)s AND received_at > %(week)s AND received_at <= %(now)s
         ORDER BY received_at DESC, id DESC LIMIT %(newest)s)
        ORDER BY received_at DESC LIMIT %(newest)s
    ) AS newest
) AS gaps
"""
_WAITING = """
SELECT count(*), min(received_at) FROM (
    SELECT received_at FROM feeds_queueddelivery WHERE feed_id = %(feed)s AND delivery_pk > 0 LIMIT 10000
) AS waiting
"""


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds throughout. None where too little came to say."""

    delay_count: int
    delays: tuple[float, float, float] | None
    """p50, p95 and p99 of the newest messages that say when something happened."""
    gap_count: int
    gaps: tuple[float, float] | None
    """p50 and p95 of the time between one message and the next."""
    longest_gap: float | None
    waiting: int
    waiting_since: datetime | None


def pace_of(feed: Feed, *, now: datetime) -> Pace:
    """Three statements, whatever the feed has delivered: the newest `NEWEST` messages say it."""
    values = {
        "feed": feed.pk,
        "now": now,
        "since": now - WINDOW,
        "week": now - GAP_WINDOW,
        "newest": NEWEST,
    }
    ((delay_count, delays),) = fetch(_DELAYS, values)
    ((gap_count, gaps, longest),) = fetch(_GAPS, values)
    ((waiting, since),) = fetch(_WAITING, values)
    return Pace(
        delay_count=delay_count,
        delays=tuple(max(one, 0.0) for one in delays) if delay_count else None,
        gap_count=gap_count,
        gaps=tuple(gaps) if gap_count else None,
        longest_gap=longest,
        waiting=waiting,
        waiting_since=since,
    )
