"""Episodes: runs of interruptions of one service, start to start at most five minutes apart.

They are a function of the interruptions; whoever calls holds the services' row locks, so that two workers
never build the same run twice. An episode keeps its id while it keeps a member.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

GAP = timedelta(minutes=5)

_MEMBERS = """
WITH scope AS (SELECT * FROM unnest(%(service)s::bigint[], %(lo)s::timestamptz[], %(hi)s::timestamptz[])
               AS s (service_id, lo, hi)),
near AS (
    SELECT i.id, i.episode_id FROM interruptions_interruption i JOIN scope s USING (service_id)
    WHERE i.origin = %(origin)s AND i.started_at BETWEEN s.lo - %(gap)s AND s.hi + %(gap)s
), concerned AS (
    SELECT id FROM near UNION SELECT id FROM interruptions_interruption
    WHERE episode_id IN (SELECT episode_id FROM near UNION SELECT unnest(%(episodes)s::bigint[]))
)
SELECT i.id, i.service_id, i.episode_id, i.started_at,
       coalesce(i.ended_at, i.deadline_at, i.started_at),
       i.cause = 'spot' AND i.state NOT IN ('at_risk', 'no_action', 'cancelled')
FROM interruptions_interruption i JOIN concerned USING (id) ORDER BY i.service_id, i.started_at, i.id
"""
_INSERT = """
INSERT INTO interruptions_episode (origin, service_id, started_at, ended_at, interruption_count)
SELECT %s, * FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::int[])
RETURNING id, service_id, started_at
"""
_UPDATE = """
UPDATE interruptions_episode e
SET service_id = n.service_id, started_at = n.started_at, ended_at = n.ended_at, interruption_count = n.members
FROM unnest(%s::bigint[], %s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::int[])
     AS n (id, service_id, started_at, ended_at, members)
WHERE e.id = n.id AND (e.service_id, e.started_at, e.ended_at, e.interruption_count)
      IS DISTINCT FROM (n.service_id, n.started_at, n.ended_at, n.members)
"""
_ASSIGN = """
UPDATE interruptions_interruption i SET episode_id = n.episode_id
FROM unnest(%s::bigint[], %s::bigint[]) AS n (id, episode_id)
WHERE i.id = n.id AND i.episode_id IS DISTINCT FROM n.episode_id
"""
_DELETE = "DELETE FROM interruptions_episode WHERE id = ANY(%s)"


@dataclass(frozen=True, slots=True)
class Member:
    """An interruption as episodes see it."""

    id: int
    service_id: int
    episode_id: int | None
    started_at: datetime
    over_at: datetime
    counts: bool


@dataclass(frozen=True, slots=True)
class Stretch:
    """Where something changed: a service, from and to."""

    service_id: int
    since: datetime
    until: datetime


def rebuild_episodes(stretches: Sequence[Stretch], *, origin: str, left: Iterable[int] = ()) -> None:
    """Make the episodes around these stretches what their interruptions say.

    `left` are episodes that lost a member which is now elsewhere.
    """
    members = _members(stretches, origin=origin, left=left)
    runs = _runs(member for member in members if member.counts)
    free = {member.episode_id for member in members if member.episode_id is not None}
    kept: dict[int, list[Member]] = {}
    fresh: list[list[Member]] = []
    for run in runs:
        candidates = sorted({m.episode_id for m in run if m.episode_id in free})
        if candidates and candidates[0] is not None:
            kept[candidates[0]] = run
            free.discard(candidates[0])
        else:
            fresh.append(run)
    assigned: dict[int, int | None] = {m.id: None for m in members if m.episode_id is not None}
    with connection.cursor() as cursor:
        if kept:
            cursor.execute(_UPDATE, [list(kept), *_columns(list(kept.values()))])
        if fresh:
            cursor.execute(_INSERT, [origin, *_columns(fresh)])
            made = {(service, started): pk for pk, service, started in cursor.fetchall()}
            kept |= {made[run[0].service_id, run[0].started_at]: run for run in fresh}
        assigned |= {member.id: pk for pk, run in kept.items() for member in run}
        if assigned:
            cursor.execute(_ASSIGN, [list(assigned), list(assigned.values())])
        if free:
            cursor.execute(_DELETE, [sorted(pk for pk in free if pk is not None)])


def _members(stretches: Sequence[Stretch], *, origin: str, left: Iterable[int]) -> list[Member]:
    with connection.cursor() as cursor:
        cursor.execute(
            _MEMBERS,
            {
                "origin": origin,
                "gap": GAP,
                "service": [s.service_id for s in stretches],
                "lo": [s.since for s in stretches],
                "hi": [s.until for s in stretches],
                "episodes": list(left),
            },
        )
        return [Member(*row) for row in cursor.fetchall()]


def _runs(members: Iterable[Member]) -> list[list[Member]]:
    by_service: dict[int, list[list[Member]]] = defaultdict(list)
    for member in members:
        runs = by_service[member.service_id]
        if runs and member.started_at - runs[-1][-1].started_at <= GAP:
            runs[-1].append(member)
        else:
            runs.append([member])
    return [run for runs in by_service.values() for run in runs]


def _columns(runs: Sequence[Sequence[Member]]) -> list[list[object]]:
    return [
        [run[0].service_id for run in runs],
        [run[0].started_at for run in runs],
        [max(member.over_at for member in run) for run in runs],
        [len(run) for run in runs],
    ]
