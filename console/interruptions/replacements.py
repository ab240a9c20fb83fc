"""Which new machine serves which interruption (`feeds.md` section 4, Replacements).

By `replaces` where the inventory says so; else the earliest interruption of the same service, and of the same
scaling group where both name one, that has none yet, from 5 minutes before its start to 15 minutes after its
end. The match is made anew from stored rows, in the order of time, so arrival order plays no part: of those that
started in the same second the one is earlier whose first event id is (`_MARKS`), never the one that was stored
first. What is looked at grows from what changed until it ends where nothing reaches across its edges.

How it is read where there is room: the window holds for `replaces` too, and an interruption whose end is told
for more than a day after its start waits for a replacement no longer than that day.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from console.interruptions.episodes import Stretch
from console.lib.rows import columns_of, fetch, run

BEFORE = timedelta(minutes=5)
AFTER = timedelta(minutes=15)
LONGEST = timedelta(days=1)
"""How far from its start an interruption's end is looked for."""
MOST_ROUNDS = 20
"""How often what is looked at may grow: a storm of days without a pause is cut off somewhere."""

_SCOPE = """
FROM unnest(%(service)s::bigint[], %(lo)s::timestamptz[], %(hi)s::timestamptz[]) AS s (service_id, lo, hi)
"""
_INTERRUPTIONS = f"""
SELECT i.id, i.service_id, i.started_at,
       least(coalesce(i.ended_at, i.deadline_at, i.started_at), i.started_at + %(longest)s::interval),
       i.machine_id, m.instance_id, i.first_received_at, i.last_received_at,
       array(SELECT DISTINCT o."group" FROM interruptions_observation o
             WHERE o.machine_id = i.machine_id AND o."group" <> ''
               AND o.occurred_at BETWEEN i.started_at - interval '1 day' AND i.started_at + interval '1 day'
               AND o.received_at >= i.started_at - interval '2 days')
{_SCOPE} JOIN interruptions_interruption i ON i.service_id = s.service_id
JOIN fleet_machine m ON m.id = i.machine_id
WHERE i.origin = %(origin)s AND i.state NOT IN ('at_risk', 'no_action', 'cancelled')
  AND i.started_at BETWEEN s.lo - %(longest)s::interval - %(after)s::interval AND s.hi + %(before)s::interval
  AND coalesce(i.ended_at, i.deadline_at, i.started_at) >= s.lo - %(after)s::interval
"""  # noqa: S608
_MARKS = """
SELECT o.interruption_id, min((o.event_id || ' ' || o.machine_named) COLLATE "C")
FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[]) AS t (id, lo, hi)
JOIN interruptions_observation o ON o.interruption_id = t.id AND o.received_at BETWEEN t.lo AND t.hi
GROUP BY o.interruption_id
"""
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
GROUP BY o.machine_id, m.service_id, o.occurred_at
ORDER BY o.occurred_at, max(o."group" COLLATE "C"), min(o.event_id COLLATE "C"), o.machine_id
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
    first_received_at: datetime
    last_received_at: datetime
    groups: list[str]

    @property
    def since(self) -> datetime:
        return self.started_at - BEFORE

    @property
    def until(self) -> datetime:
        return self.over_at + AFTER

    def takes(self, launch: Launch) -> bool:
        is_kin = not launch.group or not self.groups or launch.group in self.groups
        return is_kin and self.is_in_time(launch) and launch.machine_id != self.machine_id

    def is_in_time(self, launch: Launch) -> bool:
        return self.since <= launch.at <= self.until


@dataclass(frozen=True, slots=True)
class Launch:
    """A machine that came up, for the first time."""

    machine_id: int
    service_id: int
    at: datetime
    group: str
    replaces: str | None


def reach_of(service_id: int, started_at: datetime, over_at: datetime) -> Stretch:
    """From the start to the end of an interruption that changed: what `match_replacements` is to be told of it."""
    return Stretch(service_id, started_at, min(max(started_at, over_at), started_at + LONGEST))


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
    served = match(_earliest_first(lost), _launches(scope, origin=origin))
    run(_WRITE, [[one.id for one in lost], [served.get(one.id) for one in lost]])


def _earliest_first(lost: Sequence[Lost]) -> list[Lost]:
    """In the order of time; among those of one instant, in the order of what was said of them."""
    places = Counter((one.service_id, one.started_at) for one in lost)
    tied = [one for one in lost if places[one.service_id, one.started_at] > 1]
    marks: dict[int, str] = {}
    if tied:
        spans = [(one.id, one.first_received_at, one.last_received_at) for one in tied]
        marks = dict(fetch(_MARKS, columns_of(spans, ("bigint", "timestamptz", "timestamptz"))))
    return sorted(lost, key=lambda one: (one.started_at, marks.get(one.id, ""), one.id))


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
        "longest": str(LONGEST),
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
        home = next((one for one in named if one.id not in served and one.is_in_time(launch)), None)
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
