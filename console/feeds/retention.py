"""How long what feeds delivered is kept (`design.md` section 2, Retention)."""

from __future__ import annotations

from datetime import timedelta

from console.lib.partitions import PartitionedTable

KEYS_FOR = timedelta(days=30)
"""Longer than any sender retries."""
TABLES = (
    PartitionedTable("feeds_delivery", "day", timedelta(days=90)),
    PartitionedTable("feeds_heartbeatdelivery", "day", timedelta(days=7)),
)
