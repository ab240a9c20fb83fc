"""Episodes: runs of interruptions of one service, start to start at most five minutes apart.

They are a function of the interruptions. Whoever calls holds the services' row locks, so that two workers
never build the same run twice. Members that join extend an episode by its bounds alone, so a storm costs the
same whether a hundred or a hundred thousand came before; where a member left or moved, the episodes around
it are built anew (`episode_rebuilding.py`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection

from console.lib.rows import columns_of, fetch, run

GAP = timedelta(minutes=5)

_CHANGED = """
SELECT i.id, i.service_id, i.episode_id, i.started_at, coalesce(i.ended_at, i.deadline_at, i.started_at)
FROM interruptions_interruption i
WHERE i.id = ANY(%s) AND i.cause = 'spot' AND i.state NOT IN ('at_risk', 'no_action', 'cancelled')
ORDER BY i.service_id, i.started_at, i.id
"""
_NEAR = """
SELECT e.id, e.service_id, e.started_at, e.last_started_at, e.ended_at, e.interruption_count
FROM interruptions_episode e
JOIN unnest(%(service)s::bigint[], %(lo)s::timestamptz[], %(hi)s::timestamptz[]) AS s (service_id, lo, hi)
  ON e.service_id = s.service_id AND e.started_at <= s.hi + %(gap)s::interval
  AND e.last_started_at >= s.lo - %(gap)s::interval
WHERE e.origin = %(origin)s
"""
_TOUCH = """
UPDATE interruptions_episode e SET ended_at = n.over_at
FROM unnest(%s::bigint[], %s::timestamptz[]) AS n (id, over_at) WHERE e.id = n.id AND e.ended_at < n.over_at
"""
_SHRINK = """
UPDATE interruptions_episode e SET ended_at = n.over_at
FROM (SELECT episode_id, max(coalesce(ended_at, deadline_at, started_at)) AS over_at
      FROM interruptions_interruption WHERE episode_id = ANY(%s) GROUP BY episode_id) n
WHERE e.id = n.episode_id AND e.ended_at <> n.over_at
"""
_EXTEND = """
UPDATE interruptions_episode e SET started_at = n.started_at, last_started_at = n.last_started_at,
       ended_at = n.ended_at, interruption_count = n.members
FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::int[])
     AS n (id, started_at, last_started_at, ended_at, members) WHERE e.id = n.id
"""
_INSERT = """
INSERT INTO interruptions_episode (origin, service_id, started_at, last_started_at, ended_at, interruption_count)
SELECT %s, * FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::int[])
RETURNING id, service_id, started_at
"""
_ASSIGN = """
UPDATE interruptions_interruption i SET episode_id = n.episode_id
FROM unnest(%s::bigint[], %s::bigint[]) AS n (id, episode_id) WHERE i.id = n.id
"""
_MERGE = "UPDATE interruptions_interruption SET episode_id = %s WHERE episode_id = ANY(%s)"
_DELETE = "DELETE FROM interruptions_episode WHERE id = ANY(%s)"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Where something changed: a service, from and to."""

    service_id: int
    since: datetime
    until: datetime


@dataclass(slots=True)
class Run:
    """A stretch of an episode: some that are stored, some that are new, drawn together."""

    service_id: int
    started_at: datetime
    last_started_at: datetime
    ended_at: datetime
    members: int
    episodes: list[int] = field(default_factory=list)
    joining: list[int] = field(default_factory=list)

    def takes(self, other: Run) -> bool:
        return self.service_id == other.service_id and other.started_at - self.last_started_at <= GAP

    def add(self, other: Run) -> None:
        self.last_started_at = max(self.last_started_at, other.last_started_at)
        self.ended_at = max(self.ended_at, other.ended_at)
        self.members += other.members
        self.episodes += other.episodes
        self.joining += other.joining


def extend_episodes(interruption_ids: Sequence[int], *, shrunk: Collection[int], origin: str) -> None:
    """Let interruptions that are in no episode join one or start one; let the others lengthen theirs.

    `shrunk` are episodes that may be over sooner, because a member was.
    """
    rows = fetch(_CHANGED, [list(interruption_ids)])
    inside = _latest((row[2], row[4]) for row in rows if row[2] is not None)
    if shrunk:
        run(_SHRINK, [sorted(shrunk)])
    if inside:
        run(_TOUCH, [list(inside), list(inside.values())])
    joining = [
        Run(service_id, started_at, started_at, over_at, 1, joining=[pk])
        for pk, service_id, episode_id, started_at, over_at in rows
        if episode_id is None
    ]
    if joining:
        _write(_drawn_together([*_near(joining, origin=origin), *joining]), origin=origin)


def _latest(ends: Iterable[tuple[int, datetime]]) -> dict[int, datetime]:
    latest: dict[int, datetime] = {}
    for episode_id, over_at in ends:
        latest[episode_id] = max(latest.get(episode_id, over_at), over_at)
    return latest


def _near(joining: Sequence[Run], *, origin: str) -> list[Run]:
    by_service: dict[int, list[datetime]] = defaultdict(list)
    for one in joining:
        by_service[one.service_id].append(one.started_at)
    with connection.cursor() as cursor:
        cursor.execute(
            _NEAR,
            {
                "origin": origin,
                "gap": str(GAP),
                "service": list(by_service),
                "lo": [min(times) for times in by_service.values()],
                "hi": [max(times) for times in by_service.values()],
            },
        )
        rows = cursor.fetchall()
        return [Run(row[1], row[2], row[3], row[4], row[5], episodes=[row[0]]) for row in rows]


def _drawn_together(runs: Sequence[Run]) -> list[Run]:
    drawn: list[Run] = []
    for one in sorted(runs, key=lambda r: (r.service_id, r.started_at, r.last_started_at)):
        if drawn and drawn[-1].takes(one):
            drawn[-1].add(one)
        else:
            drawn.append(one)
    return [one for one in drawn if one.joining]


def _write(runs: Sequence[Run], *, origin: str) -> None:
    kept = {min(run.episodes): run for run in runs if run.episodes}
    fresh = [run for run in runs if not run.episodes]
    with connection.cursor() as cursor:
        if kept:
            cursor.execute(_EXTEND, [list(kept), *_bounds(list(kept.values()))])
        if fresh:
            services = [run.service_id for run in fresh]
            cursor.execute(_INSERT, [origin, services, *_bounds(fresh)])
            made = {(service, started_at): pk for pk, service, started_at in cursor.fetchall()}
            kept |= {made[run.service_id, run.started_at]: run for run in fresh}
        homes = {pk: home for home, run in kept.items() for pk in run.joining}
        cursor.execute(_ASSIGN, columns_of(list(homes.items()), ("bigint", "bigint")))
        for home, run in kept.items():
            gone = [pk for pk in run.episodes if pk != home]
            if gone:
                cursor.execute(_MERGE, [home, gone])
                cursor.execute(_DELETE, [gone])


def _bounds(runs: Sequence[Run]) -> list[list[object]]:
    return [
        [run.started_at for run in runs],
        [run.last_started_at for run in runs],
        [run.ended_at for run in runs],
        [run.members for run in runs],
    ]
