"""Capacity follows what clusters report: a service that fell below its need, or came back, is looked at again at once.

The reports are another room's rows; they are compared with what the open groups were last told.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from console.alerts import pipeline
from console.lib.rows import run

_FLIPPED = """
WITH need AS (
    SELECT service_id, bool_or(ready < needed) AS is_short FROM fleet_workloadstatus
    WHERE needed IS NOT NULL GROUP BY service_id
), open_group AS (
    SELECT id, parent_id, service_id, below_need_since IS NOT NULL AS was_short FROM alerts_alertgroup
    WHERE status <> 'resolved' AND key LIKE 'service:%%'
), told AS (
    SELECT id, is_short FROM open_group JOIN need USING (service_id)
    UNION ALL
    SELECT m.group_id, need.is_short FROM alerts_groupmember m
    JOIN interruptions_interruption i ON i.id = m.interruption_id
    JOIN need ON need.service_id = i.service_id WHERE m.placed_by_id IS NOT NULL
), flipped AS (
    SELECT g.id, g.parent_id FROM open_group g
    JOIN (SELECT id, bool_or(is_short) AS is_short FROM told GROUP BY id) AS now USING (id)
    WHERE now.is_short <> g.was_short
), held AS (
    SELECT id FROM alerts_alertgroup
    WHERE id IN (SELECT id FROM flipped UNION SELECT parent_id FROM flipped)
      AND status <> 'resolved' AND (due_at IS NULL OR due_at > %(now)s)
    ORDER BY id FOR UPDATE SKIP LOCKED
)
UPDATE alerts_alertgroup g SET due_at = %(now)s FROM held WHERE g.id = held.id
"""


def watch_capacity(*, now: datetime) -> int:
    """How many groups were looked at again. Asked twice, the second time finds nothing."""
    with transaction.atomic():
        flipped = run(_FLIPPED, {"now": now})
    return pipeline.alert(now=now) if flipped else 0
