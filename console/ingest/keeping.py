"""Room for what comes, and the end of what has outlived its keep."""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import connection, transaction

from console.alerts import retention as alert_retention
from console.feeds import retention as feed_retention
from console.interruptions import retention as interruption_retention
from console.lib.partitions import PrunedTable, drop_partition, ensure_partitions, expired_partitions
from console.slo import retention as slo_retention

logger = logging.getLogger(__name__)

TABLES = (*feed_retention.TABLES, *interruption_retention.TABLES, *slo_retention.TABLES)
PRUNED = (
    PrunedTable("feeds_deliverykey", "received_at", feed_retention.KEYS_FOR),
    PrunedTable("interruptions_observationkey", "received_at", feed_retention.KEYS_FOR),
    *feed_retention.PRUNED,
    *interruption_retention.PRUNED,
    *slo_retention.PRUNED,
)
PRUNE_AT_A_TIME = 10_000

_PRUNE = """
DELETE FROM {table} WHERE id IN (SELECT id FROM {table} WHERE {column} < %s ORDER BY {column} LIMIT %s)
"""


def keep(*, now: datetime) -> None:
    """Make the partitions ahead, drop the expired ones, and prune the rows that have outlived their keep."""
    ensure_partitions(TABLES, now=now)
    for table in TABLES:
        for name in expired_partitions(table, now=now):
            drop_partition(name)
            logger.info("retention.dropped", extra={"partition": name})
    for pruned in PRUNED:
        if count := _prune(pruned, before=now - pruned.keep):
            logger.info("retention.pruned", extra={"table": pruned.table, "rows": count})
    alert_retention.expire(now=now)


def _prune(pruned: PrunedTable, *, before: datetime) -> int:
    """A bounded statement at a time, so that no lock is held for long. Returns how many rows went."""
    statement = _PRUNE.format(table=pruned.table, column=pruned.column)
    count: int = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, [before, PRUNE_AT_A_TIME])
            count += cursor.rowcount
            if cursor.rowcount < PRUNE_AT_A_TIME:
                return count
