"""Room for what comes, and the end of what has outlived its keep."""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import connection, transaction

from console.alerts import retention as alert_retention
from console.feeds import retention as feed_retention
from console.interruptions import retention as interruption_retention
from console.lib.partitions import drop_partition, ensure_partitions, expired_partitions

logger = logging.getLogger(__name__)

TABLES = (*feed_retention.TABLES, *interruption_retention.TABLES)
PRUNED = ("feeds_deliverykey", "interruptions_observationkey")
PRUNE_AT_A_TIME = 10_000

_PRUNE = """
DELETE FROM {table} WHERE id IN (SELECT id FROM {table} WHERE received_at < %s ORDER BY received_at LIMIT %s)
"""


def keep(*, now: datetime) -> None:
    """Make the partitions ahead, drop the expired ones, prune the keys no sender can repeat, end old interruptions."""
    ensure_partitions(TABLES, now=now)
    for table in TABLES:
        for name in expired_partitions(table, now=now):
            drop_partition(name)
            logger.info("retention.dropped", extra={"partition": name})
    for table_name in PRUNED:
        _prune(table_name, before=now - feed_retention.KEYS_FOR)
    alert_retention.expire(now=now)


def _prune(table: str, *, before: datetime) -> None:
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_PRUNE.format(table=table), [before, PRUNE_AT_A_TIME])
            if cursor.rowcount < PRUNE_AT_A_TIME:
                return
