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
), flipped AS (
    SELECT g.id, g.parent_id FROM alerts_alertgroup g JOIN need USING (service_id)
    WHERE g.status <> 'resolved' AND g.key LIKE 'service:%%' AND need.is_short <> (g.below_need_since IS NOT NULL)
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
