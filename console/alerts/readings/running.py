"""What runs at a moment: machines of each service by pool, which of them are heard, and what clusters need."""

from __future__ import annotations

from dataclasses import dataclass

from console.alerts.detecting import Asked
from console.lib.rows import fetch

_HELD = """
SELECT r.service_id, r.pool_id, concat_ws(' · ', nullif(p.instance_type, ''), coalesce(nullif(p.zone, ''), p.region)),
       r.lifecycle, count(*), sum(coalesce(r.vcpus, m.vcpus, 1))::float8
FROM fleet_runninginterval r JOIN fleet_machine m ON m.id = r.machine_id LEFT JOIN fleet_pool p ON p.id = r.pool_id
WHERE r.origin = ANY(%(origins)s) AND r.lifecycle <> 'unknown' AND r.started_at <= %(now)s
  AND (r.ended_at IS NULL OR r.ended_at > %(now)s)
GROUP BY r.service_id, r.pool_id, 3, r.lifecycle
"""
_AGENTS = """
SELECT r.service_id, count(*), count(*) FILTER (WHERE m.heartbeat_at >= %(now)s - interval '90 seconds'),
       count(*) FILTER (WHERE m.heartbeat_at IS NOT NULL)
FROM fleet_runninginterval r JOIN fleet_machine m ON m.id = r.machine_id
WHERE r.origin = ANY(%(origins)s) AND r.ended_at IS NULL AND r.lifecycle = 'spot' AND r.started_at <= %(now)s
GROUP BY r.service_id
"""
_NEEDS = """
SELECT service_id, sum(ready), sum(needed) FROM fleet_workloadstatus
WHERE origin = ANY(%(origins)s) AND needed IS NOT NULL GROUP BY service_id
"""


@dataclass(frozen=True, slots=True)
class HeldRow:
    """Machines of one service in one pool."""

    service_id: int
    pool_id: int | None
    pool: str
    lifecycle: str
    machines: int
    vcpus: float
    """A machine whose size nobody reported counts as one."""


@dataclass(frozen=True, slots=True)
class AgentsRow:
    service_id: int
    running: int
    heard: int
    """In the last 90 s."""
    ever_heard: int


@dataclass(frozen=True, slots=True)
class NeedRow:
    """Of the workloads that say what they need."""

    service_id: int
    ready: int
    needed: int


def read_held(asked: Asked) -> list[HeldRow]:
    return [HeldRow(*row) for row in fetch(_HELD, _values(asked))]


def read_agents(asked: Asked) -> list[AgentsRow]:
    return [AgentsRow(*row) for row in fetch(_AGENTS, _values(asked))]


def read_needs(asked: Asked) -> list[NeedRow]:
    return [NeedRow(*row) for row in fetch(_NEEDS, _values(asked))]


def _values(asked: Asked) -> dict[str, object]:
    return {"origins": list(asked.origins), "now": asked.now}
