"""Alert: what changed becomes groups, decisions and one announcement. Read aloud, top to bottom.

| step | what | why twice is harmless |
| --- | --- | --- |
| claim | changes of interruptions, and groups whose time has come | a row lock; a killed worker gives them back |
| correlate | open or join alert groups | partial unique index: one open group an (origin, key) |
| waves | a cascade of a pool or zone is one group over these | one open wave a zone, by the same index |
| decide | page, ticket, log or suppress, with a receipt | unique (group, rule, trigger) |
| tell | one NOTIFY for the boards, as the last statement | it carries no facts |

Everything happens in one transaction: a worker that dies leaves nothing half done.
"""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import connection, transaction

from console.alerts import correlate, routing, settle, waves
from console.alerts.touched import Change
from console.lib.live import announce

logger = logging.getLogger(__name__)

MOST_CHANGES = 1_000

_CLAIM = """
DELETE FROM interruptions_interruptionchange WHERE id IN (
    SELECT id FROM interruptions_interruptionchange ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
) RETURNING id, interruption_id, is_new, is_replay
"""


def alert(*, now: datetime) -> int:
    """Work off what is claimable, batch by batch. Returns the number of changes and groups handled."""
    handled = 0
    while batch := alert_batch(now=now):
        handled += batch
    while batch := settle_batch(now=now):
        handled += batch
    return handled


def alert_batch(*, now: datetime) -> int:
    """One batch of changes: correlate, decide, tell."""
    with transaction.atomic():
        changes = _claim(MOST_CHANGES)
        if not changes:
            return 0
        touched = correlate.correlate(changes, now=now)
        touched.add(waves.follow(changes, now=now))
        routing.decide(touched, now=now)
        announce("groups", ids=[group.id for group in touched.groups])
    logger.info("alerts.batch", extra={"changes": len(changes), "groups": len(touched.groups)})
    return len(changes)


def settle_batch(*, now: datetime) -> int:
    """One batch of groups whose time has come: heal, close for lack of news, or look again later."""
    with transaction.atomic():
        settled = settle.settle_due(now=now)
        if settled.groups:
            routing.decide(settled, now=now)
            announce("groups", ids=[group.id for group in settled.groups])
    return len(settled.groups)


def _claim(most: int) -> list[Change]:
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [most])
        return sorted((Change(*row) for row in cursor.fetchall()), key=lambda change: change.id)
