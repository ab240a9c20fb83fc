"""Streams of samples around reclaims: how long telemetry was missing, and how early audit streams ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from console.alerts.detecting import Asked
from console.lib.rows import fetch

GAP_WINDOW = timedelta(hours=24)
AUDIT_WINDOW = timedelta(days=7)
LOOKED_BACK = timedelta(minutes=15)
"""A stream without a sample for so long before the end was no stream of this reclaim."""

_ENDED = """
ended AS MATERIALIZED (
    SELECT i.id, i.origin, i.service_id, i.machine_id, i.ended_at
    FROM interruptions_interruption i
    WHERE i.origin = ANY(%(origins)s) AND i.started_at > %(since)s AND i.started_at <= %(now)s
      AND i.cause = 'spot' AND i.state IN ('ended', 'presumed') AND i.ended_at <= %(now)s
)
"""
_GAPS = f"""
WITH {_ENDED}, stream AS MATERIALIZED (
    SELECT DISTINCT s.origin, s.service_id, s.replica FROM interruptions_sample s
    WHERE s.signal = 'telemetry' AND s.origin = ANY(%(origins)s) AND s.at > %(since)s - %(back)s::interval
      AND s.at <= %(now)s AND s.service_id IN (SELECT service_id FROM ended)
), gap AS (
    SELECT e.id, e.service_id, before.at AS since,
           (SELECT min(s.at) FROM interruptions_sample s
            WHERE (s.origin, s.service_id, s.signal, s.replica) = (t.origin, t.service_id, 'telemetry', t.replica)
              AND s.at >= e.ended_at AND s.at <= %(now)s) AS until
    FROM ended e JOIN stream t USING (origin, service_id)
    CROSS JOIN LATERAL (
        SELECT max(s.at) AS at FROM interruptions_sample s
        WHERE (s.origin, s.service_id, s.signal, s.replica) = (t.origin, t.service_id, 'telemetry', t.replica)
          AND s.at < e.ended_at AND s.at >= e.ended_at - %(back)s::interval
    ) before WHERE before.at IS NOT NULL
)
SELECT service_id, max(extract(epoch FROM coalesce(until, %(now)s) - since))::float8, bool_or(until IS NULL)
FROM gap GROUP BY id, service_id
"""  # noqa: S608 - a piece of this file
_AUDITS = f"""
WITH {_ENDED}
SELECT e.service_id, greatest(0, extract(epoch FROM e.ended_at - max(s.at)))::float8
FROM ended e JOIN fleet_machine m ON m.id = e.machine_id
JOIN interruptions_sample s ON s.origin = e.origin AND s.service_id = e.service_id AND s.signal = 'audit'
 AND s.replica IN (m.instance_id, m.node_name) AND s.replica <> ''
 AND s.at <= e.ended_at AND s.at > e.ended_at - interval '1 day'
GROUP BY e.id, e.service_id, e.ended_at
"""  # noqa: S608 - a piece of this file


@dataclass(frozen=True, slots=True)
class GapRow:
    """Of one reclaim: the longest time that a telemetry stream of its service said nothing around its end."""

    service_id: int
    seconds: float
    is_open: bool
    """No sample came since: it is at least so long."""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """Of one interrupted node: how long before its end its audit stream ended."""

    service_id: int
    seconds: float


def read_gaps(asked: Asked) -> list[GapRow]:
    values = _values(asked, GAP_WINDOW) | {"back": LOOKED_BACK}
    return [GapRow(*row) for row in fetch(_GAPS, values)]


def read_audits(asked: Asked) -> list[AuditRow]:
    return [AuditRow(*row) for row in fetch(_AUDITS, _values(asked, AUDIT_WINDOW))]


def _values(asked: Asked, window: timedelta) -> dict[str, object]:
    return {"origins": list(asked.origins), "since": asked.since(window), "now": asked.now}
