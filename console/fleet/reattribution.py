"""Attributing everything stored anew after rules or services changed.

The rooms above read `Machine.service` for themselves; what moved is returned, so that an act of
theirs may follow (`interruptions` re-points the rows of machines it holds).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from console.fleet.attribution import origins_named_by
from console.fleet.models import Service
from console.lib.live import announce
from console.lib.origin import Origin
from console.lib.rows import fetch, run

# One machine's service by the stored rules: what `attribution.Rules.service_of` says, in SQL.
_WANTED = """
SELECT m.id, m.service_id AS old, COALESCE(named.id, ruled.service_id, %s) AS new
FROM fleet_machine m
LEFT JOIN LATERAL (
    SELECT s.id FROM fleet_service s
    WHERE m.declared_service <> '' AND s.slug = m.declared_service
      AND s.origin = ANY(%s) AND s.archived_at IS NULL
    ORDER BY (s.origin = m.origin) DESC LIMIT 1
) named ON true
LEFT JOIN LATERAL (
    SELECT r.service_id FROM fleet_attributionrule r
    WHERE r.origin = m.origin
      AND (r.provider = '' OR r.provider = m.provider)
      AND (r.account = '' OR r.account = m.account)
      AND (r.region = '' OR r.region = m.region)
      AND (r.namespace = '' OR r.namespace = m.namespace)
      AND (r.node_pool = '' OR r.node_pool = m.node_pool)
      AND m.tags @> r.tags
    ORDER BY r.position LIMIT 1
) ruled ON true
WHERE m.origin = %s AND m.merged_into_id IS NULL
"""

_MOVE = f"""
WITH wanted AS ({_WANTED}), held AS (
    SELECT m.id FROM fleet_machine m JOIN wanted w ON w.id = m.id AND w.old <> w.new
    ORDER BY m.id FOR NO KEY UPDATE OF m
)
UPDATE fleet_machine m SET service_id = w.new, attributed_by = 'rule', attributed_at = %s FROM wanted w, held
WHERE m.id = w.id AND held.id = w.id RETURNING m.id, w.old, w.new
"""  # noqa: S608 - no value is pasted into it

_FOLLOW = """
UPDATE fleet_runninginterval i SET service_id = m.service_id FROM fleet_machine m
WHERE m.id = i.machine_id AND i.ended_at IS NULL AND i.service_id <> m.service_id AND m.id = ANY(%s)
"""

_WORKLOADS = """
UPDATE fleet_workloadstatus w SET service_id = COALESCE(ruled.service_id, %s)
FROM fleet_workloadstatus x
LEFT JOIN LATERAL (
    SELECT r.service_id FROM fleet_attributionrule r
    WHERE r.origin = x.origin AND r.namespace = x.namespace AND r.provider = '' AND r.account = ''
      AND r.region = '' AND r.node_pool = '' AND r.tags = '{}'
    ORDER BY r.position LIMIT 1
) ruled ON true
WHERE x.id = w.id AND w.origin = %s AND w.is_declared = false
  AND w.service_id <> COALESCE(ruled.service_id, %s)
"""


@dataclass(frozen=True, slots=True)
class Moved:
    """A machine that belongs to another service now."""

    machine_id: int
    old_service_id: int
    new_service_id: int


def reattribute(origin: str, *, now: datetime) -> list[Moved]:
    """Give every machine, open interval and workload of `origin` the service the rules say now."""
    home = Service.unattributed(origin=origin).pk
    with transaction.atomic():
        moved = [Moved(*row) for row in fetch(_MOVE, [home, origins_named_by(origin), origin, now])]
        run(_FOLLOW, [[one.machine_id for one in moved]])
        run(_WORKLOADS, [home, origin, home])
        if moved:
            announce("services", ids=services_in(moved))
    return moved


def reattribute_all(*, now: datetime) -> int:
    """Every origin, each in a transaction of its own. Returns how many machines moved."""
    return sum(len(reattribute(origin, now=now)) for origin in Origin.values)


def services_in(moved: Sequence[Moved]) -> list[int]:
    """Every service that lost or won a machine."""
    return sorted({one.old_service_id for one in moved} | {one.new_service_id for one in moved})
