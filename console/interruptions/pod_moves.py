"""Moves told by the cluster alone: evictions matched with the pods that run in their place, and written down.

The match is made anew from stored rows around what changed, so arrival order plays no part. One worker of an origin
does it at a time: an eviction and the pod that serves it may come through two workers at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from console.feeds.normalised import Kind
from console.interruptions.known import Told
from console.interruptions.observing import Statement
from console.interruptions.pods import LostNode, Moved, Owner, PodSeen, moves_of, placed
from console.interruptions.seen import Seen
from console.lib.rows import columns_of, fetch, run

AROUND = timedelta(hours=12)
"""How far around what changed pods are looked at; they are matched within about an hour."""
SOURCE = "k8s.event"
_KINDS = frozenset({Kind.POD_EVICTED, Kind.POD_SCHEDULED, Kind.POD_RUNNING})

_LOCK = "SELECT pg_advisory_xact_lock(hashtext('interruptions.pod_moves'), hashtext(%s))"
_OF_KIND = "o.source = 'k8s.event' AND o.kind IN ('pod_evicted', 'pod_scheduled', 'pod_running')"
_OWNERS = f"""
SELECT DISTINCT coalesce(o.labels->>'cluster', ''), coalesce(o.labels->>'namespace', ''), o.labels->>'owner'
FROM interruptions_observation o JOIN interruptions_interruption i ON i.machine_id = o.machine_id
WHERE i.id = ANY(%(ids)s) AND {_OF_KIND} AND o.outcome = 'ok' AND o.labels ? 'owner'
  AND o.received_at >= %(received)s
  AND o.occurred_at BETWEEN %(lo)s AND %(hi)s
"""  # noqa: S608
_SAID = f"""
SELECT o.kind, o.occurred_at, s.cluster, s.namespace, s.name, coalesce(o.labels->>'owner_uid', ''),
       o.labels->>'pod', coalesce(o.labels->>'pod_uid', ''), o.machine_id, coalesce(m.node_name, ''),
       o.interruption_id, o.feed_id, o.received_at, o.id, o.machine_named = ''
FROM unnest(%(cluster)s::text[], %(namespace)s::text[], %(name)s::text[]) AS s (cluster, namespace, name)
JOIN interruptions_observation o ON coalesce(o.labels->>'cluster', '') = s.cluster
  AND coalesce(o.labels->>'namespace', '') = s.namespace AND o.labels->>'owner' = s.name
LEFT JOIN fleet_machine m ON m.id = o.machine_id
WHERE {_OF_KIND} AND o.origin = %(origin)s AND o.outcome = 'ok' AND o.labels ? 'pod'
  AND o.occurred_at BETWEEN %(lo)s AND %(hi)s AND o.received_at >= %(received)s
"""  # noqa: S608
_LOST = """
SELECT i.id, i.machine_id, i.started_at, coalesce(i.ended_at, i.deadline_at, i.started_at), s.statefulness
FROM interruptions_interruption i JOIN fleet_service s ON s.id = i.service_id
WHERE i.machine_id = ANY(%s) AND i.merged_into_id IS NULL
  AND i.state NOT IN ('at_risk', 'no_action', 'cancelled')
"""
_PLACE = """
WITH known AS (
  UPDATE interruptions_observation o SET machine_id = n.machine_id
  FROM unnest(%s::bigint[], %s::timestamptz[], %s::bigint[]) AS n (id, received_at, machine_id)
  WHERE o.id = n.id AND o.received_at = n.received_at AND o.machine_id IS NULL
  RETURNING o.origin, o.machine_id
)
INSERT INTO interruptions_straymachine (origin, machine_id, from_service_id, noted_at)
SELECT DISTINCT k.origin, m.id, m.service_id, now() FROM known k JOIN fleet_machine m ON m.id = k.machine_id
"""
"""Placed once: what is noted as strayed is put in order again with all that is known of it."""
_FORGET = """
DELETE FROM interruptions_move v WHERE v.interruption_id = ANY(%s) AND v.report_id LIKE 'pods:%%'
  AND NOT EXISTS (
    SELECT 1 FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[]) AS n (machine_id, workload, evicted_at)
    WHERE (v.machine_id, v.workload, v.evicted_at) = (n.machine_id, n.workload, n.evicted_at))
RETURNING v.interruption_id
"""
_KEEP = """
INSERT INTO interruptions_move AS t (origin, feed_id, report_id, machine_id, interruption_id, at, received_at,
  workload, workload_class, evicted_at, running_at, to_node)
SELECT %s, feed_id, 'pods:' || workload, machine_id, interruption_id, evicted_at, received_at, workload, class,
  evicted_at, running_at, to_node
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::timestamptz[], %s::text[], %s::text[],
            %s::timestamptz[], %s::timestamptz[], %s::text[])
  AS n (feed_id, machine_id, interruption_id, received_at, workload, class, evicted_at, running_at, to_node)
ON CONFLICT (origin, machine_id, workload, evicted_at) DO UPDATE
  SET running_at = excluded.running_at, to_node = excluded.to_node, interruption_id = excluded.interruption_id
  WHERE t.report_id LIKE 'pods:%%' AND (t.running_at, t.to_node, t.interruption_id)
    IS DISTINCT FROM (excluded.running_at, excluded.to_node, excluded.interruption_id)
RETURNING t.interruption_id
"""
_TRACK = """
UPDATE interruptions_interruption i SET scheduled_at = n.scheduled_at, running_at = n.running_at
FROM (
  SELECT w.id, least(min(w.scheduled_at), (
      SELECT min(o.occurred_at) FROM interruptions_observation o WHERE o.interruption_id = w.id
        AND o.kind = 'pod_scheduled' AND o.outcome = 'ok')) AS scheduled_at,
    least(min(w.running_at), (
      SELECT min(o.occurred_at) FROM interruptions_observation o WHERE o.interruption_id = w.id
        AND o.kind = 'pod_running' AND o.outcome = 'ok')) AS running_at
  FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[]) AS w (id, scheduled_at, running_at)
  GROUP BY w.id
) n WHERE i.id = n.id
  AND (i.scheduled_at, i.running_at) IS DISTINCT FROM (n.scheduled_at, n.running_at)
RETURNING i.id
"""


def match_pods(
    written: Iterable[int],
    *,
    told: Mapping[int, Told],
    fresh: Mapping[int, Statement],
    origin: str,
) -> set[int]:
    """Match around what is new: statements in `fresh`, and the interruptions in `written` that pods left.

    Returns the interruptions that have more to show now.
    """
    news = [s for s in fresh.values() if _is_of_a_pod(s)]
    times = [s.event.occurred_at for s in news]
    changed: list[int] = []
    if past := [
        seen.occurred_at for one in told.values() for seen in one.seen.values() if _is_about_a_pod(seen)
    ]:
        times += past
        changed = sorted({*written, *(home for one in told.values() for home in one.homes.values())})
    if not times:
        return set()
    fetch(_LOCK, [origin])
    around = _Around(min(times) - AROUND, max(times) + AROUND, origin=origin)
    owners = {_owner(s) for s in news} | around.owners(changed)
    first = moves_of(*_place(*around.read(owners)))
    concerned = sorted({moved.interruption_id for moved in first} | set(changed))
    all_owners = owners | around.owners(concerned)
    moves = first if all_owners == owners else moves_of(*_place(*around.read(all_owners)))
    return _write([moved for moved in moves if moved.interruption_id in concerned], concerned, origin=origin)


def _place(said: list[PodSeen], lost: list[LostNode]) -> tuple[list[PodSeen], list[LostNode]]:
    """Evictions that name no node become witnesses of their pod's node, which is looked at again soon."""
    known = [(pk, received_at, machine_id) for pk, (received_at, machine_id) in placed(said).items()]
    if known:
        run(_PLACE, columns_of(sorted(known), ("bigint", "timestamptz", "bigint")))
    return said, lost


def _is_of_a_pod(statement: Statement) -> bool:
    event = statement.event
    return event.kind in _KINDS and event.source == SOURCE and "owner" in event.labels


def _is_about_a_pod(seen: Seen) -> bool:
    return seen.kind in _KINDS and seen.source == SOURCE


def _owner(statement: Statement) -> Owner:
    labels = statement.event.labels
    return Owner(labels.get("cluster", ""), labels.get("namespace", ""), labels["owner"])


class _Around:
    """A stretch of time in one origin, and what is stored of pods in it."""

    def __init__(self, lo: datetime, hi: datetime, *, origin: str) -> None:
        self.where = {"lo": lo, "hi": hi, "received": lo - timedelta(days=1), "origin": origin}

    def owners(self, interruptions: Sequence[int]) -> set[Owner]:
        """Whose pods were on the machines of these interruptions."""
        if not interruptions:
            return set()
        return {Owner(*row) for row in fetch(_OWNERS, self.where | {"ids": list(interruptions)})}

    def read(self, owners: set[Owner]) -> tuple[list[PodSeen], list[LostNode]]:
        listed = sorted(owners)
        columns = columns_of(listed, ("text", "text", "text"))
        named = dict(zip(("cluster", "namespace", "name"), columns, strict=True))
        said = [
            PodSeen(row[0], row[1], Owner(*row[2:5]), *row[5:]) for row in fetch(_SAID, self.where | named)
        ]
        machines = sorted({one.machine_id for one in said if one.machine_id is not None})
        return said, [LostNode(*row) for row in fetch(_LOST, [machines])]


def _write(moves: Sequence[Moved], concerned: Sequence[int], *, origin: str) -> set[int]:
    keys = [(m.machine_id, _workload(m), m.evicted_at) for m in moves]
    touched = fetch(_FORGET, [list(concerned), *columns_of(keys, ("bigint", "text", "timestamptz"))])
    rows = [
        (m.feed_id, m.machine_id, m.interruption_id, m.received_at, _workload(m), m.statefulness,
         m.evicted_at, m.running_at, m.to_node[:256])
        for m in moves
    ]  # fmt: skip
    types = (
        "bigint",
        "bigint",
        "bigint",
        "timestamptz",
        "text",
        "text",
        "timestamptz",
        "timestamptz",
        "text",
    )
    touched += fetch(_KEEP, [origin, *columns_of(rows, types)])
    times: list[tuple[int, datetime | None, datetime | None]] = [(pk, None, None) for pk in concerned]
    times += [(m.interruption_id, m.scheduled_at, m.running_at) for m in moves]
    touched += fetch(_TRACK, columns_of(times, ("bigint", "timestamptz", "timestamptz")))
    return {row[0] for row in touched}


def _workload(moved: Moved) -> str:
    return f"{moved.owner.namespace}/{moved.pod}"[:256]
