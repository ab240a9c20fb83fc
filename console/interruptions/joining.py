"""Following machines that turned out to be one: what was tied to the younger is tied to the older."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from console.interruptions.known import Span
from console.interruptions.records import ATTACHED
from console.lib.rows import fetch

_TABLES = ("interruptions_observation", "interruptions_interruption", "interruptions_logline")
_FOLLOW = """
UPDATE {table} r SET machine_id = m.kept FROM unnest(%s::bigint[], %s::bigint[]) AS m (kept, merged)
WHERE r.machine_id = m.merged
"""
_FOLLOW_ONCE = """
UPDATE {table} r SET machine_id = m.kept FROM unnest(%s::bigint[], %s::bigint[]) AS m (kept, merged)
WHERE r.machine_id = m.merged AND NOT EXISTS (
    SELECT 1 FROM {table} o WHERE o.machine_id = m.kept AND o.origin = r.origin AND {same})
"""
_SAME = {
    "sample": "(o.service_id, o.signal, o.replica, o.at) = (r.service_id, r.signal, r.replica, r.at)",
    "move": "o.workload = r.workload AND o.evicted_at = r.evicted_at",
    "work": "o.job = r.job AND o.attempt = r.attempt",
    "replica": "o.name = r.name AND o.last_write_at = r.last_write_at",
}
_SERVICES = """
SELECT id, merged_into_id, service_id FROM fleet_machine WHERE id = ANY(%(kept)s) OR merged_into_id = ANY(%(kept)s)
"""
_EXTENT = """
SELECT min(occurred_at), max(occurred_at) FROM interruptions_observation WHERE machine_id = %s
"""


def follow(merges: Sequence[tuple[int, int]]) -> None:
    """Point every row of this room that holds a merged machine at the one that was kept."""
    if not merges:
        return
    columns = [[kept for kept, _ in merges], [merged for _, merged in merges]]
    with connection.cursor() as cursor:
        for table in _TABLES:
            cursor.execute(_FOLLOW.format(table=table), columns)
        for kind in (*ATTACHED, "sample"):
            statement = _FOLLOW_ONCE if kind in _SAME else _FOLLOW
            table = f"interruptions_{kind}"
            cursor.execute(statement.format(table=table, same=_SAME.get(kind, "")), columns)


def services_of(merges: Sequence[tuple[int, int]]) -> dict[int, set[int]]:
    """By kept machine: every service that it or one it was joined with is or was of."""
    services: dict[int, set[int]] = {kept: set() for kept, _ in merges}
    for machine_id, merged_into_id, service_id in (
        fetch(_SERVICES, {"kept": list(services)}) if merges else ()
    ):
        services[machine_id if machine_id in services else merged_into_id].add(service_id)
    return services


def whole_span(machine_id: int, span: Span) -> Span:
    """From the first to the last thing ever observed of a machine."""
    with connection.cursor() as cursor:
        cursor.execute(_EXTENT, [machine_id])
        first, last = cursor.fetchone()
    return Span(
        machine_id, min(first or span.first_at, span.first_at), max(last or span.last_at, span.last_at)
    )
