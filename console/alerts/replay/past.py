"""What happened, read once for the whole stretch and looked at by any number of worlds: a fixed number of statements.

Everything is as it is known today. A reclaim that was heard of too late, or imported, is taken as told in time, so
that a history that was loaded afterwards can be replayed at all; how many there were is counted.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate

from console.alerts.detecting import ServiceRow
from console.alerts.detectors.cascade import WINDOW, Stock
from console.alerts.impact import Replicas
from console.alerts.readings.services import read_services
from console.alerts.wave_reading import HISTORY, Zone
from console.fleet.models import Pool, Service
from console.lib.rows import fetch

WARM_UP = timedelta(days=1)
"""So long before the stretch the worlds begin, that what was open as it began is open."""
FRESH = timedelta(minutes=30)
"""Replica counts are used for so long after they were last looked at."""
MICROSECONDS_A_WEEK = 604_800e6

_RECLAIMS = """
SELECT i.id, i.machine_id, i.pool_id, i.service_id, m.provider, m.region, m.zone, m.instance_type, m.tags::text,
       i.started_at, CASE WHEN i.is_late THEN i.started_at ELSE greatest(i.first_received_at, i.started_at) END,
       i.is_late, i.deadline_at, i.state, i.cause = 'spot',
       CASE WHEN i.state = 'cancelled' THEN
                least(i.updated_at, coalesce(i.deadline_at, i.started_at) + interval '15 min')
            WHEN i.state IN ('ended', 'presumed') THEN i.ended_at END,
       array_remove(ARRAY[i.cordoned_at, i.drain_started_at, i.shutdown_started_at, i.shutdown_completed_at], NULL)
FROM interruptions_interruption i JOIN fleet_machine m ON m.id = i.machine_id
WHERE i.origin = %(origin)s AND i.started_at >= %(since)s AND i.started_at < %(until)s
  AND i.merged_into_id IS NULL AND i.state NOT IN ('at_risk', 'no_action')
ORDER BY i.started_at, i.id
"""
_MOVES = """
SELECT v.interruption_id, v.evicted_at, v.running_at FROM interruptions_move v
JOIN interruptions_interruption i ON i.id = v.interruption_id
WHERE i.origin = %(origin)s AND i.started_at >= %(since)s AND i.started_at < %(until)s ORDER BY v.id
"""
_RUNNING = """
SELECT service_id, pool_id, started_at, ended_at FROM fleet_runninginterval
WHERE origin = %(origin)s AND lifecycle = 'spot' AND started_at < %(until)s
  AND (ended_at IS NULL OR ended_at >= %(since)s)
"""
_HISTORY = """
SELECT service_id, pool_id, day, reclaim_count, spot_microseconds FROM interruptions_measureday
WHERE origin = %(origin)s AND day >= %(since)s - %(history)s::interval AND day < %(until)s ORDER BY day
"""
_FIGURES = """
SELECT s ->> 'service', r.at, (s ->> 'ready')::int, (s ->> 'wanted')::int, (s ->> 'needed')::int,
       array(SELECT jsonb_array_elements_text(
           CASE jsonb_typeof(s -> 'zones_empty') WHEN 'array' THEN s -> 'zones_empty' ELSE '[]' END)),
       (s ->> 'disruptions_left')::int
FROM alerts_receipt r CROSS JOIN LATERAL jsonb_array_elements(r.inputs -> 'services') AS s
WHERE r.origin = %(origin)s AND r.at >= %(since)s AND r.at < %(until)s AND s ->> 'ready' IS NOT NULL
ORDER BY r.at, r.id
"""


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """One reclaim, with everything that became of it."""

    id: int
    machine_id: int
    pool_id: int | None
    service_id: int
    zone: Zone
    instance_type: str
    tags: str
    started_at: datetime
    heard_at: datetime
    is_late: bool
    deadline_at: datetime | None
    state: str
    is_spot: bool
    over_at: datetime | None
    news: Sequence[datetime]
    moves: list[tuple[datetime, datetime | None]] = field(default_factory=list)

    def is_open(self, now: datetime) -> bool:
        return self.over_at is None or self.over_at > now

    def counts(self, now: datetime) -> bool:
        """As a reclaim that waves are made of; one that was withdrawn does so until then."""
        return self.is_spot and not (self.state == "cancelled" and not self.is_open(now))

    def has_ended(self, now: datetime) -> bool:
        return self.state != "cancelled" and not self.is_open(now)

    def told_at(self) -> list[datetime]:
        """When there was news of it after it was first heard of."""
        times = [*self.news, *([self.over_at] if self.over_at else [])]
        times += [at for move in self.moves for at in move if at is not None]
        return [max(at, self.heard_at) for at in times]


class Spans:
    """Machines that ran, so that any moment can be asked about."""

    def __init__(self) -> None:
        self.starts: list[datetime] = []
        self.ends: list[datetime] = []

    def add(self, started_at: datetime, ended_at: datetime | None) -> None:
        self.starts.append(started_at)
        if ended_at is not None:
            self.ends.append(ended_at)

    def close(self) -> None:
        self.starts.sort()
        self.ends.sort()

    def around(self, at: datetime, *, slack: timedelta = timedelta(0)) -> int:
        """That ran at this moment, or began within `slack` of it."""
        return bisect_right(self.starts, at + slack) - bisect_left(self.ends, at)


class Days:
    """Sums by day: reclaims and weeks of the 13 weeks before any day."""

    def __init__(self, rows: Sequence[tuple[datetime, int, float]]) -> None:
        self.days = [row[0] for row in rows]
        self.reclaims = [0, *accumulate(row[1] for row in rows)]
        self.weeks = [0.0, *accumulate(row[2] for row in rows)]

    def before(self, at: datetime) -> tuple[int, float]:
        day = at.replace(hour=0, minute=0, second=0, microsecond=0)
        first, last = bisect_left(self.days, at - HISTORY), bisect_left(self.days, day)
        return self.reclaims[last] - self.reclaims[first], self.weeks[last] - self.weeks[first]


NO_DAYS, NO_SPANS = Days(()), Spans()


@dataclass(slots=True)
class Past:
    """Facts of one origin in [since, until), and a day before."""

    origin: str
    since: datetime
    until: datetime
    as_of: datetime
    services: Mapping[int, Service]
    rows: Mapping[int, ServiceRow]
    pools: Mapping[Zone, Sequence[Pool]]
    reclaims: Sequence[Taken]
    of_zone: Mapping[Zone, Sequence[Taken]]
    of_service: Mapping[int, Sequence[Taken]]
    running: Mapping[tuple[str, int], Spans]
    history: Mapping[tuple[str, int], Days]
    replicas: Mapping[str, Sequence[tuple[datetime, Replicas]]]

    @property
    def late_count(self) -> int:
        return sum(one.is_late for one in self.reclaims)

    def stock(self, kind: str, pk: int, *, at: datetime, slack: timedelta = WINDOW) -> Stock:
        reclaims, weeks = self.history.get((kind, pk), NO_DAYS).before(at)
        return Stock(self.running.get((kind, pk), NO_SPANS).around(at, slack=slack), reclaims, weeks)

    def spot_of(self, service_id: int, *, at: datetime) -> int:
        return self.running.get(("service", service_id), NO_SPANS).around(at)

    def replicas_of(self, service: str, *, at: datetime) -> Replicas | None:
        """As a receipt of then keeps them; None: no receipt of the last half hour does."""
        known = self.replicas.get(service, ())
        place = bisect_right(known, at, key=lambda one: one[0]) - 1
        return known[place][1] if place >= 0 and at - known[place][0] <= FRESH else None


def between(reclaims: Sequence[Taken], since: datetime, until: datetime) -> Sequence[Taken]:
    """Those that began in [since, until]. `reclaims` in the order of their beginning."""
    first = bisect_left(reclaims, since, key=lambda one: one.started_at)
    return reclaims[first : bisect_right(reclaims, until, key=lambda one: one.started_at)]


def read_past(origin: str, *, since: datetime, until: datetime, now: datetime) -> Past:
    """Everything at once. The caller may hold a read-only transaction: then it is one snapshot."""
    values = {"origin": origin, "since": since - WARM_UP, "until": until, "history": HISTORY}
    taken = [_taken(origin, row) for row in fetch(_RECLAIMS, values)]
    by_id = {one.id: one for one in taken}
    for pk, evicted_at, running_at in fetch(_MOVES, values):
        if pk in by_id:
            by_id[pk].moves.append((evicted_at, running_at))
    of_zone: dict[Zone, list[Taken]] = defaultdict(list)
    of_service: dict[int, list[Taken]] = defaultdict(list)
    for one in taken:
        of_zone[one.zone].append(one)
        of_service[one.service_id].append(one)
    services = Service.objects.filter(origin=origin).select_related("team", "owner")
    return Past(
        origin=origin,
        since=since,
        until=until,
        as_of=now,
        services={service.pk: service for service in services},
        rows=read_services([origin]),
        pools=_pools(origin),
        reclaims=taken,
        of_zone=of_zone,
        of_service=of_service,
        running=_running(fetch(_RUNNING, values)),
        history=_history(fetch(_HISTORY, values)),
        replicas=_replicas(fetch(_FIGURES, values)),
    )


def _taken(origin: str, row: tuple[object, ...]) -> Taken:
    pk, machine, pool, service, provider, region, zone, *rest = row
    place = Zone(origin, str(provider), str(region), str(zone))
    return Taken(pk, machine, pool, service, place, *rest)  # type: ignore[arg-type]


def _pools(origin: str) -> dict[Zone, list[Pool]]:
    found: dict[Zone, list[Pool]] = defaultdict(list)
    for pool in Pool.objects.filter(origin=origin).order_by("pk"):
        found[Zone(origin, pool.provider, pool.region, pool.zone)].append(pool)
    return found


def _running(
    rows: Iterable[tuple[int, int | None, datetime, datetime | None]],
) -> dict[tuple[str, int], Spans]:
    found: dict[tuple[str, int], Spans] = defaultdict(Spans)
    for service, pool, started_at, ended_at in rows:
        found["service", service].add(started_at, ended_at)
        if pool is not None:
            found["pool", pool].add(started_at, ended_at)
    for spans in found.values():
        spans.close()
    return found


def _history(rows: Iterable[tuple[int, int | None, datetime, int, int]]) -> dict[tuple[str, int], Days]:
    sums: dict[tuple[str, int], list[tuple[datetime, int, float]]] = defaultdict(list)
    for service, pool, day, reclaims, spot in rows:
        sums["service", service].append((day, reclaims, spot / MICROSECONDS_A_WEEK))
        if pool is not None:
            sums["pool", pool].append((day, reclaims, spot / MICROSECONDS_A_WEEK))
    return {key: Days(mine) for key, mine in sums.items()}


def _replicas(rows: Iterable[tuple[object, ...]]) -> dict[str, list[tuple[datetime, Replicas]]]:
    found: dict[str, list[tuple[datetime, Replicas]]] = defaultdict(list)
    for name, at, ready, wanted, needed, empty, left in rows:
        replicas = Replicas(wanted=wanted or 0, ready=ready or 0, needed=needed)  # type: ignore[arg-type]
        replicas.empty_zones, replicas.disruptions_left = list(empty or ()), left  # type: ignore[call-overload,assignment]
        replicas.is_short = needed is not None and (ready or 0) < needed  # type: ignore[operator]
        found[str(name)].append((at, replicas))  # type: ignore[arg-type]
    return found
