"""How long counts are kept: minutes for 90 days, the sums of their hours for 25 months."""

from __future__ import annotations

from console.interruptions.retention import INTERRUPTIONS_FOR
from console.lib.partitions import PartitionedTable, PrunedTable
from console.slo.counting import KEPT

TABLES = (PartitionedTable("slo_requestminute", "day", KEPT),)
PRUNED = (
    PrunedTable("slo_requestminute_default", "minute", KEPT),  # days that were pushed late lie there
    PrunedTable("slo_requesthour", "hour", INTERRUPTIONS_FOR),
    PrunedTable("slo_episoderequests", "started_at", INTERRUPTIONS_FOR),
)
