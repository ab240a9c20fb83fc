"""Two machines turn out to be one: the younger becomes a signpost to the older."""

from __future__ import annotations

from collections.abc import Sequence

from console.lib.rows import as_table, run

_PAIR = {"kept": "bigint", "merged": "bigint"}

# Of two stretches of which one lies within the other, the outer one is the truth about one machine.
_DROP_INNER = """
DELETE FROM fleet_runninginterval i USING {pairs}, fleet_runninginterval o
WHERE i.machine_id = w.{inner} AND o.machine_id = w.{outer} AND o.started_at <= i.started_at
  AND COALESCE(o.ended_at, 'infinity') >= COALESCE(i.ended_at, 'infinity')
"""


def join_machines(pairs: Sequence[tuple[int, int]]) -> None:
    """Give everything of each `merged` machine to its `kept` one. Both are locked by the caller."""
    if not pairs:
        return
    table, values = as_table(pairs, _PAIR, name="w")
    run(
        f"UPDATE fleet_machinealias a SET machine_id = w.kept FROM {table} WHERE a.machine_id = w.merged",  # noqa: S608
        values,
    )
    run(_DROP_INNER.format(pairs=table, inner="merged", outer="kept"), values)
    run(_DROP_INNER.format(pairs=table, inner="kept", outer="merged"), values)
    run(
        f"UPDATE fleet_runninginterval i SET machine_id = w.kept FROM {table} WHERE i.machine_id = w.merged",  # noqa: S608
        values,
    )
    run(
        f"UPDATE fleet_machine m SET merged_into_id = w.kept FROM {table}"  # noqa: S608
        " WHERE m.id = w.merged OR m.merged_into_id = w.merged",
        values,
    )


def follow_machines(machine_ids: Sequence[int]) -> None:
    """Open intervals take the service and pool of their machine; closed ones only a pool they lacked."""
    if not machine_ids:
        return
    run(
        """UPDATE fleet_runninginterval i SET
            service_id = CASE WHEN i.ended_at IS NULL THEN m.service_id ELSE i.service_id END,
            pool_id = CASE WHEN i.ended_at IS NULL OR i.pool_id IS NULL THEN m.pool_id ELSE i.pool_id END
        FROM fleet_machine m WHERE m.id = i.machine_id AND m.id = ANY(%s)
          AND (i.ended_at IS NULL OR i.pool_id IS NULL)""",
        [list(machine_ids)],
    )
