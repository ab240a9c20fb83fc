"""Episodes with the requests around them, by any dimension: what M7 and M9 are read from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console.interruptions.measure_reading import JOINS, conditions
from console.interruptions.measures import Dimension, Scope, Window
from console.interruptions.measures_m1 import GROUP_COLUMNS
from console.lib.rows import fetch
from console.slo.budget import Counted
from console.slo.error_spike import Spike

OF_SERVICES = frozenset({Dimension.SERVICE, Dimension.TEAM})
"""What is known of an episode by itself; by the others it is found through the machines that it took."""
_LEADING = """
coalesce((SELECT CASE WHEN o.source = 'pushed' THEN 0 ELSE o.id END FROM slo_objective o
          WHERE o.origin = r.origin AND o.service_id = r.service_id AND o.archived_at IS NULL
          ORDER BY o.created_at, o.id LIMIT 1), 0)
"""
_SPIKES = f"""
SELECT r.*, {{place}} FROM slo_episoderequests r {{members}}
WHERE r.origin = %s AND r.started_at >= %s AND r.started_at < %s AND r.counted_for = {_LEADING}
"""  # noqa: S608 - a piece of this file
_BURNS = """
SELECT r.*, o.id AS objective_id, o.name AS objective, o.planned_burn,
       (1 - o.target_percent / 100)::float8 AS allowed, {place}
FROM slo_objective o JOIN slo_episoderequests r ON r.origin = o.origin AND r.service_id = o.service_id
  AND r.counted_for = CASE WHEN o.source = 'pushed' THEN 0 ELSE o.id END {members}
WHERE r.origin = %s AND r.started_at >= %s AND r.started_at < %s AND o.archived_at IS NULL
"""
_MEMBERS = "JOIN interruptions_interruption i ON i.episode_id = r.episode_id"
_PLACE = "i.pool_id, i.provider, i.region"
_NO_PLACE = "NULL::bigint AS pool_id, ''::text AS provider, ''::text AS region"


@dataclass(frozen=True, slots=True)
class SpikeRow:
    """One episode and M7 of it, in one group."""

    key: str
    label: str
    episode: int
    service: str
    service_name: str
    started_at: datetime
    ended_at: datetime
    spike: Spike


@dataclass(frozen=True, slots=True)
class BurnRow:
    """One episode as one objective felt it, in one group."""

    key: str
    label: str
    episode: int
    service: str
    service_name: str
    objective: int
    objective_name: str
    planned_burn: float
    allowed: float
    started_at: datetime
    ended_at: datetime
    hour: Counted


def _query(
    inner: str, columns: str, scope: Scope, window: Window, by: Dimension | None
) -> list[tuple[Any, ...]]:
    asked = {Dimension(name) for name in scope.filters} | ({by} if by else set())
    is_placed = not asked <= OF_SERVICES
    where, wanted = conditions(scope)
    key, label = GROUP_COLUMNS[by] if by else ("''", "''")
    rows = inner.format(place=_PLACE if is_placed else _NO_PLACE, members=_MEMBERS if is_placed else "")
    return fetch(
        f"SELECT DISTINCT {key}, {label}, f.episode_id, s.slug, s.name, f.started_at, f.ended_at, {columns}"  # noqa: S608
        f" FROM ({rows}) AS f {JOINS} WHERE {where} ORDER BY f.started_at DESC, f.episode_id",
        [scope.origin, window.since, window.until, *wanted],
    )


def read_spikes(scope: Scope, window: Window, by: Dimension | None = None) -> list[SpikeRow]:
    """The latest first. An episode stands in each group that it took a machine of."""
    columns = "f.during_good, f.during_total, f.before_good, f.before_total"
    return [
        SpikeRow(
            key=str(key),
            label=label or "not reported",
            episode=row[0],
            service=row[1],
            service_name=row[2],
            started_at=row[3],
            ended_at=row[4],
            spike=Spike(Counted(row[5], row[6]), Counted(row[7], row[8])),
        )
        for key, label, *row in _query(_SPIKES, columns, scope, window, by)
    ]


def read_burns(scope: Scope, window: Window, by: Dimension | None = None) -> list[BurnRow]:
    """The latest first, once for each objective of the service that was hit."""
    columns = "f.objective_id, f.objective, f.planned_burn, f.allowed, f.hour_good, f.hour_total"
    return [
        BurnRow(
            key=str(key),
            label=label or "not reported",
            episode=row[0],
            service=row[1],
            service_name=row[2],
            started_at=row[3],
            ended_at=row[4],
            objective=row[5],
            objective_name=row[6],
            planned_burn=row[7],
            allowed=row[8],
            hour=Counted(row[9], row[10]),
        )
        for key, label, *row in _query(_BURNS, columns, scope, window, by)
    ]
