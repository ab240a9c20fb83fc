"""How long observations, interruptions and records are kept (`design.md` section 2, Retention)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from console.lib.origin import Origin
from console.lib.partitions import PartitionedTable, PrunedTable
from console.lib.rows import fetch, run

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
    PrunedTable("interruptions_noticehour", "hour", INTERRUPTIONS_FOR),
    PrunedTable("interruptions_witnesshour", "hour", INTERRUPTIONS_FOR),
    PrunedTable("interruptions_hinthour", "hour", INTERRUPTIONS_FOR),
    PrunedTable("interruptions_jobhour", "hour", INTERRUPTIONS_FOR),
    PrunedTable("interruptions_streamhour", "hour", INTERRUPTIONS_FOR),
    PrunedTable("interruptions_recoveryhour", "hour", INTERRUPTIONS_FOR),
)
"""What the roll-up summed lives as long as what it was summed from."""
AT_A_TIME = 1_000
RECORDS = (
    "interruptions_hook",
    "interruptions_move",
    "interruptions_work",
    "interruptions_volume",
    "interruptions_replica",
)

# What is still open, was heard of lately, waits for alerting, or is what a younger row tells of, stays whole.
_EXPIRED = f"""
SELECT i.id FROM interruptions_interruption i
WHERE i.origin = %(origin)s AND i.started_at < %(before)s
  AND i.state NOT IN ('noticed', 'cordoned', 'draining', 'shutting_down', 'shut_down')
  AND coalesce(i.ended_at, i.started_at) < %(before)s AND i.last_received_at < %(before)s
  AND NOT EXISTS (SELECT 1 FROM interruptions_interruption t WHERE t.merged_into_id = i.id)
  AND NOT EXISTS (SELECT 1 FROM interruptions_interruptionchange c WHERE c.interruption_id = i.id)
  {
    " ".join(
        f"AND NOT EXISTS (SELECT 1 FROM {table} r WHERE r.interruption_id = i.id AND r.at >= %(before)s)"
        for table in RECORDS
    )
}
  AND NOT (i.id = ANY(%(kept)s))
ORDER BY i.started_at, i.id LIMIT %(most)s FOR UPDATE OF i SKIP LOCKED
"""  # noqa: S608 - tables of this file
_FORGET = (
    *(f"DELETE FROM {table} WHERE interruption_id = ANY(%s)" for table in RECORDS),  # noqa: S608
    "DELETE FROM interruptions_interruptionalias WHERE interruption_id = ANY(%s)",
    "UPDATE interruptions_observation SET interruption_id = NULL WHERE interruption_id = ANY(%s)",
    "DELETE FROM interruptions_interruption WHERE id = ANY(%s)",
)
_STRAY_RECORDS = """
DELETE FROM {table} WHERE id IN (
    SELECT id FROM {table} WHERE at < %s AND interruption_id IS NULL ORDER BY at LIMIT %s
)
"""
_EPISODES = """
SELECT e.id FROM interruptions_episode e
WHERE e.ended_at < %(before)s AND NOT (e.id = ANY(%(kept)s))
  AND NOT EXISTS (SELECT 1 FROM interruptions_interruption i WHERE i.episode_id = e.id)
ORDER BY e.ended_at, e.id LIMIT %(most)s FOR UPDATE OF e SKIP LOCKED
"""


def expired_interruptions(origin: Origin | str, *, before: datetime, kept: Sequence[int]) -> list[int]:
    """The oldest interruptions that have outlived their keep, locked: at most `AT_A_TIME`. `kept` stay."""
    values = {"origin": origin, "before": before, "kept": list(kept), "most": AT_A_TIME}
    return [row[0] for row in fetch(_EXPIRED, values)]


def forget_interruptions(ids: Sequence[int]) -> None:
    """Delete these with all that was reported around them. Rooms above have let go of them before."""
    for statement in _FORGET:
        run(statement, [list(ids)])


def expired_episodes(*, before: datetime, kept: Sequence[int]) -> list[int]:
    """Episodes of which no interruption is left, locked."""
    return [row[0] for row in fetch(_EPISODES, {"before": before, "kept": list(kept), "most": AT_A_TIME})]


def forget_episodes(ids: Sequence[int]) -> None:
    run("DELETE FROM interruptions_episode WHERE id = ANY(%s)", [list(ids)])


def forget_dirty_hours(*, before: datetime) -> None:
    """What ended here is not to be summed anew without it: the sums end by themselves (`PRUNED`)."""
    run("DELETE FROM interruptions_dirtyhours WHERE until <= %s", [before])


def forget_stray_records(*, before: datetime) -> int:
    """Delete old records that fell into no interruption, a bounded number a statement."""
    gone = 0
    for table in RECORDS:
        while True:
            with transaction.atomic():
                count = run(_STRAY_RECORDS.format(table=table), [before, AT_A_TIME])
            gone += count
            if count < AT_A_TIME:
                break
    return gone
