"""Which new machine serves which interruption (`feeds.md` section 4, Replacements).

By `replaces` where the inventory says so; else the earliest interruption of the same scaling group, or of the
same service, that has none yet, from 5 minutes before its start to 15 minutes after its end. The match is
made anew from stored rows for each service concerned, in the order of time, so arrival order plays no part.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from console.interruptions.episodes import Stretch
from console.interruptions.observing import Statement

BEFORE = timedelta(minutes=5)
AFTER = timedelta(minutes=15)
AROUND = timedelta(hours=1)
"""How far around what changed matches may shift."""

_INTERRUPTIONS = """
SELECT i.id, i.service_id, i.started_at, coalesce(i.ended_at, i.deadline_at, i.started_at), i.machine_id,
       m.instance_id, i.replacement_launched_at,
       array(SELECT DISTINCT o."group" FROM interruptions_observation o
             WHERE o.machine_id = i.machine_id AND o."group" <> '' AND o.received_at >= %(lo)s - interval '1 day')
FROM interruptions_interruption i JOIN fleet_machine m ON m.id = i.machine_id
WHERE i.origin = %(origin)s AND i.service_id = ANY(%(services)s) AND i.started_at BETWEEN %(lo)s AND %(hi)s
  AND i.state NOT IN ('at_risk', 'no_action', 'cancelled')
ORDER BY i.started_at, i.id
"""
_LAUNCHES = """
SELECT o.machine_id, m.service_id, min(o.occurred_at), max(o."group"),
       (SELECT max(r.replaces) FROM fleet_runninginterval r WHERE r.machine_id = o.machine_id AND r.replaces <> '')
FROM interruptions_observation o JOIN fleet_machine m ON m.id = o.machine_id
WHERE o.origin = %(origin)s AND o.kind = 'replacement_launched' AND o.outcome = 'ok'
  AND m.service_id = ANY(%(services)s) AND o.occurred_at BETWEEN %(lo)s AND %(hi)s
  AND o.received_at >= %(lo)s - interval '1 day'
GROUP BY o.machine_id, m.service_id ORDER BY min(o.occurred_at), o.machine_id
"""
_SERVICES = "SELECT DISTINCT service_id FROM fleet_machine WHERE id = ANY(%s)"
_LOCK = "SELECT id FROM fleet_service WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"
_WRITE = """
UPDATE interruptions_interruption i SET replacement_launched_at = n.at
FROM unnest(%s::bigint[], %s::timestamptz[]) AS n (id, at)
WHERE i.id = n.id AND i.replacement_launched_at IS DISTINCT FROM n.at
"""


@dataclass(slots=True)
class Lost:
    """An interruption that may be served by a new machine."""

    id: int
    service_id: int
    started_at: datetime
    over_at: datetime
    machine_id: int
    instance_id: str
    served_at: datetime | None
    groups: list[str]

    def takes(self, launch: Launch) -> bool:
        is_in_time = self.started_at - BEFORE <= launch.at <= self.over_at + AFTER
        is_kin = (
            launch.group in self.groups
            if launch.group and self.groups
            else launch.service_id == self.service_id
        )
        return is_in_time and is_kin and launch.machine_id != self.machine_id


@dataclass(frozen=True, slots=True)
class Launch:
    """A machine that came up."""

    machine_id: int
    service_id: int
    at: datetime
    group: str
    replaces: str | None


def match_replacements(stretches: Sequence[Stretch], fresh: Sequence[Statement], *, origin: str) -> None:
    """Match again around what changed: interruptions in `stretches`, launches among `fresh`."""
    launched = [s for s in fresh if s.event.kind == "replacement_launched" and s.machine_id is not None]
    times = [at for stretch in stretches for at in (stretch.since, stretch.until)]
    times += [statement.event.occurred_at for statement in launched]
    if not times:
        return
    services = {stretch.service_id for stretch in stretches}
    services |= _lock_services([s.machine_id for s in launched if s.machine_id is not None])
    where: dict[str, Any] = {
        "origin": origin,
        "services": sorted(services),
        "lo": min(times) - AROUND,
        "hi": max(times) + AROUND,
    }
    with connection.cursor() as cursor:
        cursor.execute(_LAUNCHES, where)
        launches = [Launch(*row) for row in cursor.fetchall()]
        if not launches:
            return
        cursor.execute(_INTERRUPTIONS, where)
        lost = [Lost(*row) for row in cursor.fetchall()]
        served = match(lost, launches)
        cursor.execute(_WRITE, [[one.id for one in lost], [served.get(one.id) for one in lost]])


def match(lost: Sequence[Lost], launches: Sequence[Launch]) -> dict[int, datetime]:
    """When each interruption was served. Both are given in the order of time; each launch serves one."""
    served: dict[int, datetime] = {}
    by_instance: dict[str, list[Lost]] = defaultdict(list)
    for one in lost:
        by_instance[one.instance_id].append(one)
    waiting = list(lost)
    for launch in sorted(launches, key=lambda each: not each.replaces):
        named = by_instance.get(launch.replaces, []) if launch.replaces else waiting
        home = next(
            (one for one in named if one.id not in served and (launch.replaces or one.takes(launch))), None
        )
        if home is not None:
            served[home.id] = launch.at
    return served


def _lock_services(machine_ids: Sequence[int]) -> set[int]:
    if not machine_ids:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(_SERVICES, [list(machine_ids)])
        services = {row[0] for row in cursor.fetchall()}
        cursor.execute(_LOCK, [sorted(services)])
    return services
