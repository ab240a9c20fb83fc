"""Which new machine serves which interruption (`feeds.md` section 4, Replacements).

By `replaces` where the inventory says so; else the earliest interruption of the same service, and of the same
scaling group where both name one, that has none yet, from 5 minutes before its start to 15 minutes after its
end. The match is made anew from stored rows, in the order of time, so arrival order plays no part. What is
looked at grows from what changed until it ends where nothing reaches across its edges.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from console.interruptions.episodes import Stretch
from console.lib.rows import fetch, run

BEFORE = timedelta(minutes=5)
AFTER = timedelta(minutes=15)
MOST_ROUNDS = 20
"""How often what is looked at may grow: a storm of days without a pause is cut off somewhere."""

_SCOPE = """
FROM unnest(%(service)s::bigint[], %(lo)s::timestamptz[], %(hi)s::timestamptz[]) AS s (service_id, lo, hi)
"""
_INTERRUPTIONS = f"""
SELECT i.id, i.service_id, i.started_at, coalesce(i.ended_at, i.deadline_at, i.started_at), i.machine_id,
       m.instance_id,
       array(SELECT DISTINCT o."group" FROM interruptions_observation o
             WHERE o.machine_id = i.machine_id AND o."group" <> ''
               AND o.occurred_at BETWEEN i.started_at - interval '1 day' AND i.started_at + interval '1 day'
               AND o.received_at >= i.started_at - interval '2 days')
{_SCOPE} JOIN interruptions_interruption i ON i.service_id = s.service_id
JOIN fleet_machine m ON m.id = i.machine_id
WHERE i.origin = %(origin)s AND i.state NOT IN ('at_risk', 'no_action', 'cancelled')
  AND i.started_at BETWEEN s.lo - interval '1 day' AND s.hi + %(before)s::interval
  AND coalesce(i.ended_at, i.deadline_at, i.started_at) >= s.lo - %(after)s::interval
ORDER BY i.started_at, i.id
"""  # noqa: S608
_LAUNCHES = f"""
SELECT o.machine_id, m.service_id, o.occurred_at, max(o."group"),
       (SELECT max(r.replaces) FROM fleet_runninginterval r
        WHERE r.machine_id = o.machine_id AND r.replaces <> '')
{_SCOPE} JOIN interruptions_observation o ON o.occurred_at BETWEEN s.lo AND s.hi
JOIN fleet_machine m ON m.id = o.machine_id AND m.service_id = s.service_id
WHERE o.origin = %(origin)s AND o.kind = 'replacement_launched' AND o.outcome = 'ok'
  AND o.received_at >= %(received)s
  AND (o.machine_state <> 'ready' OR m.first_seen_at >= o.occurred_at - interval '15 minutes') AND NOT EXISTS (
    SELECT 1 FROM interruptions_observation e WHERE e.machine_id = o.machine_id
      AND e.kind = 'replacement_launched' AND e.outcome = 'ok' AND e.occurred_at < o.occurred_at)
GROUP BY o.machine_id, m.service_id, o.occurred_at ORDER BY o.occurred_at, o.machine_id
"""  # noqa: S608
_WRITE = """
UPDATE interruptions_interruption i SET replacement_launched_at = n.at
FROM unnest(%s::bigint[], %s::timestamptz[]) AS n (id, at)
WHERE i.id = n.id AND i.replacement_launched_at IS DISTINCT FROM n.at
"""


@dataclass(frozen=True, slots=True)
class Lost:
    """An interruption that may be served by a new machine."""

    id: int
    service_id: int
    started_at: datetime
    over_at: datetime
    machine_id: int
    instance_id: str
    groups: list[str]

    @property
    def since(self) -> datetime:
        return self.started_at - BEFORE

    @property
    def until(self) -> datetime:
        return self.over_at + AFTER

    def takes(self, launch: Launch) -> bool:
        is_kin = not launch.group or not self.groups or launch.group in self.groups
        return is_kin and self.since <= launch.at <= self.until and launch.machine_id != self.machine_id


@dataclass(frozen=True, slots=True)
class Launch:
    """A machine that came up, for the first time."""

    machine_id: int
    service_id: int
    at: datetime
    group: str
    replaces: str | None


def match_replacements(stretches: Sequence[Stretch], *, origin: str) -> None:
    """Match again around what changed: interruptions and launches in `stretches`. Their services are locked."""
    scope = [Stretch(s.service_id, s.since - AFTER, s.until + AFTER) for s in stretches]
    if not _launches(scope, origin=origin):
        return
    for _ in range(MOST_ROUNDS):
        lost = [Lost(*row) for row in fetch(_INTERRUPTIONS, _where(scope, origin=origin))]
        wider = _reach(scope, lost)
        if wider == scope:
            break
        scope = wider
    served = match(lost, _launches(scope, origin=origin))
    run(_WRITE, [[one.id for one in lost], [served.get(one.id) for one in lost]])


def _launches(scope: Sequence[Stretch], *, origin: str) -> list[Launch]:
    return [Launch(*row) for row in fetch(_LAUNCHES, _where(scope, origin=origin))]


def _where(scope: Sequence[Stretch], *, origin: str) -> Mapping[str, Any]:
    return {
        "origin": origin,
        "service": [stretch.service_id for stretch in scope],
        "lo": [stretch.since for stretch in scope],
        "hi": [stretch.until for stretch in scope],
        "received": min(stretch.since for stretch in scope) - timedelta(days=1),
        "before": str(BEFORE),
        "after": str(AFTER),
    }


def _reach(scope: Sequence[Stretch], lost: Sequence[Lost]) -> list[Stretch]:
    """Each stretch as wide as the interruptions that it touches; those that meet become one."""
    spans = [(s.service_id, s.since, s.until) for s in scope]
    spans += [(one.service_id, one.since, one.until) for one in lost]
    reach: list[Stretch] = []
    for service_id, since, until in sorted(spans):
        last = reach[-1] if reach else None
        if last is not None and last.service_id == service_id and since <= last.until:
            reach[-1] = Stretch(service_id, last.since, max(last.until, until))
        else:
            reach.append(Stretch(service_id, since, until))
    return reach


def match(lost: Sequence[Lost], launches: Sequence[Launch]) -> dict[int, datetime]:
    """When each interruption was served. Both are given in the order of time; each launch serves one."""
    served: dict[int, datetime] = {}
    by_instance: dict[tuple[int, str | None], list[Lost]] = defaultdict(list)
    by_service: dict[int, list[Lost]] = defaultdict(list)
    for one in lost:
        by_instance[one.service_id, one.instance_id].append(one)
        by_service[one.service_id].append(one)
    for launch in launches:
        named = by_instance.get((launch.service_id, launch.replaces), []) if launch.replaces else []
        home = next((one for one in named if one.id not in served), None)
        if home is not None:
            served[home.id] = launch.at
    for launch in launches:
        if launch.replaces:
            continue
        waiting = by_service[launch.service_id]
        while waiting and (waiting[0].id in served or waiting[0].until < launch.at):
            waiting.pop(0)
        for one in waiting:
            if one.since > launch.at:
                break
            if one.id not in served and one.takes(launch):
                served[one.id] = launch.at
                break
    return served
