"""The end of interruptions that have outlived their keep, once no open group holds them.

Groups, their history and their receipts stay: they say how many machines they had, though not which any more.
"""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import transaction

from console.interruptions import retention
from console.lib.origin import Origin
from console.lib.rows import fetch, run

logger = logging.getLogger(__name__)

_HELD_INTERRUPTIONS = """
SELECT m.interruption_id FROM alerts_alertgroup g
JOIN alerts_groupmember m ON m.group_id = g.id JOIN interruptions_interruption i ON i.id = m.interruption_id
WHERE g.status <> 'resolved' AND g.origin = %s AND i.started_at < %s
UNION SELECT s.interruption_id FROM alerts_setaside s WHERE s.interruption_id IS NOT NULL AND s.origin = %s
"""
_HELD_EPISODES = """
SELECT c.episode_id FROM alerts_alertgroup g JOIN alerts_groupepisode c ON c.group_id = g.id
WHERE g.status <> 'resolved'
"""


def expire(*, now: datetime) -> int:
    """Delete interruptions older than 25 months with what belongs to them; how many. A batch a transaction."""
    before = now - retention.INTERRUPTIONS_FOR
    gone = 0
    for origin in Origin.values:
        while count := _expire_batch(origin, before):
            gone += count
    retention.forget_stray_records(before=before)
    retention.forget_dirty_hours(before=before)
    while _expire_episodes(before):
        pass
    if gone:
        logger.info("retention.expired", extra={"interruptions": gone})
    return gone


@transaction.atomic
def _expire_batch(origin: str, before: datetime) -> int:
    held = [row[0] for row in fetch(_HELD_INTERRUPTIONS, [origin, before, origin])]
    ids = retention.expired_interruptions(origin, before=before, kept=held)
    if ids:
        run("DELETE FROM alerts_groupmember WHERE interruption_id = ANY(%s)", [ids])
        retention.forget_interruptions(ids)
    return len(ids)


@transaction.atomic
def _expire_episodes(before: datetime) -> int:
    held = [row[0] for row in fetch(_HELD_EPISODES)]
    ids = retention.expired_episodes(before=before, kept=held)
    if ids:
        run("DELETE FROM alerts_groupepisode WHERE episode_id = ANY(%s)", [ids])
        retention.forget_episodes(ids)
    return len(ids)
