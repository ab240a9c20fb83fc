"""Summing requests around episodes: what M7, M9 and the budget used by interruptions are computed from.

`sum_episodes` does again those that are new, that changed, that stand beside such, or whose minutes were written since.
Running it twice changes nothing; two at the same time give way to each other, source by source.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from console.lib.rows import fetch, run
from console.slo.counting import KEPT
from console.slo.error_spike import BEFORE_SINCE, BEFORE_UNTIL, DURING
from console.slo.models import CountState

CHARGED = timedelta(hours=1)
"""So long after its start, or as long as it lasts, an episode is charged with what fails over its baseline."""
REACH = BEFORE_SINCE + CHARGED
AT_A_TIME = 500

# Every source whose counts were written or whose service has episodes that were not summed as they stand now.
_SOURCES = """
SELECT c.id FROM slo_countstate c WHERE c.dirty_since IS NOT NULL OR EXISTS (
    SELECT 1 FROM interruptions_episode e
    LEFT JOIN slo_episoderequests r ON r.episode_id = e.id AND r.counted_for = c.counted_for
    WHERE e.origin = c.origin AND e.service_id = c.service_id AND e.started_at > %(kept)s
      AND (r.id IS NULL OR (r.started_at, r.ended_at) IS DISTINCT FROM (e.started_at, e.ended_at)))
OR EXISTS (
    SELECT 1 FROM slo_episoderequests r WHERE r.origin = c.origin AND r.service_id = c.service_id
      AND r.counted_for = c.counted_for AND r.started_at > %(kept)s
      AND NOT EXISTS (SELECT 1 FROM interruptions_episode e WHERE e.id = r.episode_id AND e.service_id = r.service_id))
ORDER BY c.id
"""
_GONE = """
DELETE FROM slo_episoderequests r WHERE r.origin = %(origin)s AND r.service_id = %(service)s
  AND r.counted_for = %(counted_for)s AND r.started_at > %(kept)s
  AND NOT EXISTS (SELECT 1 FROM interruptions_episode e WHERE e.id = r.episode_id AND e.service_id = r.service_id)
RETURNING r.started_at
"""
_DUE = """
WITH mine AS MATERIALIZED (
    SELECT e.id, e.started_at, e.ended_at,
           r.id IS NULL OR (r.started_at, r.ended_at) IS DISTINCT FROM (e.started_at, e.ended_at) AS is_new
    FROM interruptions_episode e
    LEFT JOIN slo_episoderequests r ON r.episode_id = e.id AND r.counted_for = %(counted_for)s
    WHERE e.origin = %(origin)s AND e.service_id = %(service)s AND e.started_at > %(kept)s
), fresh AS MATERIALIZED (
    SELECT id, started_at, ended_at FROM mine WHERE is_new
    UNION ALL SELECT 0, g.at, g.at FROM unnest(%(gone)s::timestamptz[]) AS g (at)
)
SELECT m.id FROM mine m WHERE m.is_new
   OR (m.started_at - %(reach)s::interval <= %(dirty_until)s
       AND greatest(m.ended_at, m.started_at + %(charged)s::interval) >= %(dirty_since)s)
   OR EXISTS (SELECT 1 FROM fresh n
              WHERE m.started_at BETWEEN n.started_at - %(reach)s::interval AND n.ended_at + %(reach)s::interval)
ORDER BY m.id
"""
_STRETCH = """
    SELECT coalesce(sum(m.good), 0) AS good, coalesce(sum(m.total), 0) AS total FROM slo_requestminute m
    WHERE m.origin = %(origin)s AND m.service_id = %(service)s AND m.counted_for = %(counted_for)s
"""
_SUM = f"""
WITH due AS (
    SELECT e.id, e.started_at, e.ended_at, date_trunc('minute', e.started_at, 'UTC') AS t0,
           (SELECT min(n.started_at) FROM interruptions_episode n WHERE n.origin = e.origin
              AND n.service_id = e.service_id AND n.started_at > e.started_at) AS next_at,
           (SELECT coalesce(range_agg(tstzrange(date_trunc('minute', o.started_at, 'UTC'),
                                                greatest(o.ended_at, o.started_at + %(during)s::interval))), '{{}}')
            FROM interruptions_episode o WHERE o.origin = e.origin AND o.service_id = e.service_id AND o.id <> e.id
              AND o.started_at < e.started_at
              AND greatest(o.ended_at, o.started_at + %(during)s::interval)
                  > e.started_at - %(before_since)s::interval - interval '1 minute') AS taken
    FROM interruptions_episode e WHERE e.id = ANY(%(ids)s)
)
INSERT INTO slo_episoderequests (origin, service_id, counted_for, episode_id, started_at, ended_at, during_good,
    during_total, before_good, before_total, hour_good, hour_total, spent_good, spent_total)
SELECT %(origin)s, %(service)s, %(counted_for)s, d.id, d.started_at, d.ended_at, during.good, during.total,
       before.good, before.total, hour.good, hour.total, spent.good, spent.total
FROM due d
CROSS JOIN LATERAL ({_STRETCH} AND m.minute >= d.t0 AND m.minute < d.t0 + %(during)s::interval) during
CROSS JOIN LATERAL ({_STRETCH} AND m.minute >= d.t0 - %(before_since)s::interval
      AND m.minute < d.t0 - %(before_until)s::interval
      AND NOT d.taken @> m.minute) before
CROSS JOIN LATERAL ({_STRETCH} AND m.minute >= d.t0 AND m.minute < d.t0 + %(charged)s::interval) hour
CROSS JOIN LATERAL ({_STRETCH} AND m.minute >= d.t0
      AND m.minute < least(greatest(d.t0 + %(charged)s::interval, d.ended_at),
                           date_trunc('minute', d.next_at, 'UTC'))) spent
ON CONFLICT (episode_id, counted_for) DO UPDATE SET service_id = EXCLUDED.service_id,
    started_at = EXCLUDED.started_at, ended_at = EXCLUDED.ended_at,
    during_good = EXCLUDED.during_good, during_total = EXCLUDED.during_total,
    before_good = EXCLUDED.before_good, before_total = EXCLUDED.before_total,
    hour_good = EXCLUDED.hour_good, hour_total = EXCLUDED.hour_total,
    spent_good = EXCLUDED.spent_good, spent_total = EXCLUDED.spent_total
"""  # noqa: S608 - pieces of this file


def sum_episodes(*, now: datetime) -> int:
    """Bring the sums around episodes up to what is stored; how many episodes were done again."""
    ids = [row[0] for row in fetch(_SOURCES, {"kept": now - KEPT})]
    return sum(_sum_source(pk, now=now) for pk in ids)


@transaction.atomic
def _sum_source(pk: int, *, now: datetime) -> int:
    source = CountState.objects.select_for_update(skip_locked=True).filter(pk=pk).first()
    if source is None:
        return 0
    values = _values(source, now=now)
    values["gone"] = [row[0] for row in fetch(_GONE, values)]
    ids = [row[0] for row in fetch(_DUE, values)]
    for at in range(0, len(ids), AT_A_TIME):
        run(_SUM, values | {"ids": ids[at : at + AT_A_TIME]})
    CountState.objects.filter(pk=pk).update(dirty_since=None, dirty_until=None)
    return len(ids)


def _values(source: CountState, *, now: datetime) -> dict[str, object]:
    return {
        "origin": source.origin,
        "service": source.service_id,
        "counted_for": source.counted_for,
        "dirty_since": source.dirty_since,
        "dirty_until": source.dirty_until,
        "kept": now - KEPT,
        "reach": REACH,
        "charged": CHARGED,
        "during": DURING,
        "before_since": BEFORE_SINCE,
        "before_until": BEFORE_UNTIL,
    }
