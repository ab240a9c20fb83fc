"""How long what feeds delivered is kept (`design.md` section 2, Retention)."""

from __future__ import annotations

from datetime import timedelta

from console.lib.partitions import PartitionedTable, PrunedTable

KEYS_FOR = timedelta(days=30)
"""Longer than any sender retries."""
RAW_FOR = timedelta(days=90)
COUNTS_FOR = timedelta(days=762)
"""25 months, as interruptions."""
TABLES = (
    PartitionedTable("feeds_delivery", "day", RAW_FOR),
    PartitionedTable("feeds_heartbeatdelivery", "day", timedelta(days=7)),
)
PRUNED = (
    PrunedTable("feeds_quarantineditem", "decided_at", RAW_FOR),
    PrunedTable("feeds_quarantinereplay", "finished_at", RAW_FOR),
    PrunedTable("feeds_feedhour", "hour", COUNTS_FOR),
)
"""What is held in quarantine has no time of decision: it stays until somebody decides."""
