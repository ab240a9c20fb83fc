"""Building episodes anew from their members, where one left or moved and a run may have broken in two.

An episode keeps its id while it keeps a member. The common case, members that only join, is `episodes.py`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from console.interruptions.episodes import GAP, Stretch

_MEMBERS = """
WITH scope AS (SELECT * FROM unnest(%(service)s::bigint[], %(lo)s::timestamptz[], %(hi)s::timestamptz[])
               AS s (service_id, lo, hi)),
near AS (
    SELECT i.id, i.episode_id FROM interruptions_interruption i JOIN scope s USING (service_id)
    WHERE i.origin = %(origin)s AND i.started_at BETWEEN s.lo - %(gap)s::interval AND s.hi + %(gap)s::interval
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
INSERT INTO interruptions_episode (origin, service_id, started_at, last_started_at, ended_at, interruption_count)
SELECT %s, * FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::int[])
RETURNING id, service_id, started_at
"""
_UPDATE = """
UPDATE interruptions_episode e
SET service_id = n.service_id, started_at = n.started_at, last_started_at = n.last_started_at,
    ended_at = n.ended_at, interruption_count = n.members
FROM unnest(%s::bigint[], %s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::int[])
     AS n (id, service_id, started_at, last_started_at, ended_at, members)
WHERE e.id = n.id
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


def rebuild_episodes(stretches: Sequence[Stretch], *, origin: str, left: Iterable[int] = ()) -> None:
    """Make the episodes around these stretches what their interruptions say.

    `left` are episodes that lost a member which is now elsewhere.
    """
    left = set(left)
    members = _members(stretches, origin=origin, left=left)
    runs = _runs(member for member in members if member.counts)
    free = left | {member.episode_id for member in members if member.episode_id is not None}
    kept: dict[int, list[Member]] = {}
    fresh: list[list[Member]] = []
    for run in runs:
        candidates = sorted({m.episode_id for m in run if m.episode_id is not None} & free)
        if candidates:
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
            cursor.execute(_DELETE, [sorted(free)])


def _members(stretches: Sequence[Stretch], *, origin: str, left: Iterable[int]) -> list[Member]:
    with connection.cursor() as cursor:
        cursor.execute(
            _MEMBERS,
            {
                "origin": origin,
                "gap": str(GAP),
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
        [run[-1].started_at for run in runs],
        [max(member.over_at for member in run) for run in runs],
        [len(run) for run in runs],
    ]
