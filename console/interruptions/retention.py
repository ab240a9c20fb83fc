"""How long observations and records are kept (`design.md` section 2, Retention)."""

from __future__ import annotations

from datetime import timedelta

from console.lib.partitions import PartitionedTable, PrunedTable

INTERRUPTIONS_FOR = timedelta(days=762)
"""25 months: a year can be compared with the year before it."""

TABLES = (
    PartitionedTable("interruptions_observation", "month", INTERRUPTIONS_FOR),
    PartitionedTable("interruptions_sample", "day", timedelta(days=90)),
    PartitionedTable("interruptions_logline", "day", timedelta(days=30)),
)
PRUNED = (
    PrunedTable("interruptions_measurehour", "hour", INTERRUPTIONS_FOR),
    PrunedTable("interruptions_measureday", "day", INTERRUPTIONS_FOR),
    PrunedTable("interruptions_machineday", "day", INTERRUPTIONS_FOR),
    PrunedTable("interruptions_latencyhour", "hour", INTERRUPTIONS_FOR),
    PrunedTable("interruptions_bunchpair", "hour", INTERRUPTIONS_FOR),
    PrunedTable("interruptions_bunchpiece", "hour", INTERRUPTIONS_FOR),
)
"""What the roll-up summed lives as long as what it was summed from."""
