"""How long observations and records are kept (`design.md` section 2, Retention)."""

from __future__ import annotations

from datetime import timedelta

from console.lib.partitions import PartitionedTable

TABLES = (
    PartitionedTable("interruptions_observation", "month", timedelta(days=762)),
    PartitionedTable("interruptions_sample", "day", timedelta(days=90)),
    PartitionedTable("interruptions_logline", "day", timedelta(days=30)),
)
