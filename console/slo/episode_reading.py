"""Episodes with the requests around them, by any dimension: what M7 and M9 are read from, in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console.interruptions.measure_reading import JOINS, Rows, conditions
from console.interruptions.measures import Dimension, Scope, Window
from console.interruptions.measures_m1 import GROUP_COLUMNS
from console.lib.rows import fetch
from console.slo.budget import Counted
from console.slo.error_spike import Spike

OF_SERVICES = frozenset({Dimension.SERVICE, Dimension.TEAM})
"""What is known of an episode by itself; by the others it is found through the machines that it took."""
COLUMNS = 18
# Which counts stand for the service: those of its oldest objective, else what was pushed.
_LEADING = """
coalesce((SELECT CASE WHEN o.source = 'pushed' THEN 0 ELSE o.id END FROM slo_objective o
          WHERE o.origin = r.origin AND o.service_id = r.service_id AND o.archived_at IS NULL
          ORDER BY o.created_at, o.id LIMIT 1), 0)
"""
_ROWS = f"""
SELECT r.*, o.id AS objective_id, o.name AS objective, o.planned_burn,
       (1 - o.target_percent / 100)::float8 AS allowed, r.counted_for = {_LEADING} AS is_leading, {{place}}
FROM slo_episoderequests r {{members}}
LEFT JOIN slo_objective o ON o.origin = r.origin AND o.service_id = r.service_id AND o.archived_at IS NULL
  AND r.counted_for = CASE WHEN o.source = 'pushed' THEN 0 ELSE o.id END
WHERE r.origin = %s AND r.started_at >= %s AND r.started_at < %s
"""  # noqa: S608 - a piece of this file
_MEMBERS = "JOIN interruptions_interruption i ON i.episode_id = r.episode_id"
_PLACE = "i.pool_id, i.provider, i.region"
_NO_PLACE = "NULL::bigint AS pool_id, ''::text AS provider, ''::text AS region"
_SELECTED = """
f.episode_id, s.slug, s.name, f.started_at, f.ended_at, f.is_leading, f.during_good, f.during_total, f.before_good,
f.before_total, f.objective_id, f.objective, f.planned_burn, f.allowed, f.hour_good, f.hour_total
"""


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


@dataclass(frozen=True, slots=True)
class Felt:
    """What was felt of the episodes of a window, the latest first."""

    spikes: Sequence[SpikeRow]
    burns: Sequence[BurnRow]


def query(scope: Scope, window: Window, by: Dimension | None = None) -> tuple[str, list[Any]]:
    """SQL that answers `COLUMNS` columns, and its parameters."""
    asked = {Dimension(name) for name in scope.filters} | ({by} if by else set())
    is_placed = not asked <= OF_SERVICES
    where, wanted = conditions(scope)
    key, label = GROUP_COLUMNS[by] if by else ("''", "''")
    rows = _ROWS.format(place=_PLACE if is_placed else _NO_PLACE, members=_MEMBERS if is_placed else "")
    return (
        f"SELECT DISTINCT {key}, {label}, {_SELECTED} FROM ({rows}) AS f {JOINS} WHERE {where}",  # noqa: S608
        [scope.origin, window.since, window.until, *wanted],
    )


def read_felt(scope: Scope, window: Window, by: Dimension | None = None) -> Felt:
    """An episode stands in each group that it took a machine of."""
    return felt_of(fetch(*query(scope, window, by)))


def felt_of(rows: Rows) -> Felt:
    """Out of what `query` answers; times may be text, where the rows were read with others."""
    spikes: dict[tuple[str, int], SpikeRow] = {}
    burns = []
    for key, label, *row in rows:
        place = {"key": str(key), "label": label or "not reported", "episode": row[0]}
        place |= {"service": row[1], "service_name": row[2]}
        place |= {"started_at": _moment(row[3]), "ended_at": _moment(row[4])}
        if row[5]:
            spike = Spike(Counted(row[6], row[7]), Counted(row[8], row[9]))
            spikes[str(key), row[0]] = SpikeRow(**place, spike=spike)
        if row[10] is not None:
            burns.append(
                BurnRow(
                    **place,
                    objective=row[10],
                    objective_name=row[11],
                    planned_burn=row[12],
                    allowed=row[13],
                    hour=Counted(row[14], row[15]),
                )
            )
    latest = sorted(spikes.values(), key=lambda one: (one.started_at, one.episode), reverse=True)
    burns.sort(key=lambda one: (one.started_at, one.episode, one.objective), reverse=True)
    return Felt(latest, burns)


def _moment(value: datetime | str) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else value
