"""What waves are decided on: the news of a batch, the reclaims around it, and what ran where.

Each function is one statement, however many machines, zones or waves it is asked about.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from console.alerts.detectors.cascade import WINDOW, Reclaim, Stock
from console.alerts.touched import Change
from console.lib.rows import as_table, fetch

RECENT = timedelta(minutes=30)
"""Reclaims that began longer ago open no wave, however new the message."""
HISTORY = timedelta(weeks=13)
UNKNOWN = "-"

_COUNTS = "i.cause = 'spot' AND i.state NOT IN ('at_risk', 'no_action', 'cancelled')"
_NEWS = f"""
SELECT i.id, i.origin, m.provider, m.region, m.zone, i.machine_id, i.pool_id, i.started_at,
       {_COUNTS} AND NOT i.is_late, i.state IN ('at_risk', 'no_action'),
       array(SELECT w.group_id FROM alerts_groupmember w JOIN alerts_alertgroup g ON g.id = w.group_id
             WHERE w.interruption_id = i.id AND g.key LIKE 'wave:%%')
FROM interruptions_interruption i JOIN fleet_machine m ON m.id = i.machine_id
WHERE i.id = ANY(%s) OR i.id IN (
    SELECT merged_into_id FROM interruptions_interruption WHERE id = ANY(%s) AND merged_into_id IS NOT NULL)
ORDER BY i.id
"""  # noqa: S608 - no value is pasted into it
_ZONE = {"place": "int", "origin": "text", "provider": "text", "region": "text", "zone": "text"}
_NEAR = f"""
WITH near AS MATERIALIZED (
    SELECT i.id, i.origin, m.provider, m.region, m.zone, i.machine_id, i.pool_id, i.started_at
    FROM interruptions_interruption i JOIN fleet_machine m ON m.id = i.machine_id
    WHERE i.origin = ANY(%s) AND i.started_at BETWEEN %s AND %s AND {_COUNTS} AND NOT i.is_late
)
SELECT z.place, n.id, n.machine_id, n.pool_id, n.started_at
FROM {{zones}} JOIN near n ON n.started_at BETWEEN z.since AND z.until
 AND (n.origin, n.provider, n.region, n.zone) = (z.origin, z.provider, z.region, z.zone)
ORDER BY n.id
"""  # noqa: S608 - no value is pasted into it
"""Each reclaim's machine is looked up once, however many zones are asked about."""
_POOLS = f"""
SELECT z.place, p.id, p.instance_type, p.os,
       (SELECT count(*) FROM fleet_runninginterval r
        WHERE r.pool_id = p.id AND r.lifecycle = 'spot'
          AND r.started_at <= z.since + %s::interval AND (r.ended_at IS NULL OR r.ended_at >= z.since)),
       EXISTS (SELECT 1 FROM interruptions_interruption i
               WHERE i.pool_id = p.id AND i.started_at BETWEEN z.since AND z.until AND {_COUNTS}),
       past.reclaims, past.weeks
FROM {{zones}}
JOIN fleet_pool p ON p.origin = z.origin AND p.provider = z.provider AND p.region = z.region AND p.zone = z.zone
CROSS JOIN LATERAL (
    SELECT coalesce(sum(d.reclaim_count), 0)::bigint AS reclaims,
           (coalesce(sum(d.spot_microseconds), 0) / 604800e6)::float8 AS weeks
    FROM interruptions_measureday d
    WHERE d.pool_id = p.id AND d.origin = p.origin
      AND d.day >= z.since - %s::interval AND d.day < date_trunc('day', z.since, 'UTC')
) past
ORDER BY p.id
"""  # noqa: S608 - no value is pasted into it
_EXTENTS = f"""
WITH member AS MATERIALIZED (
    SELECT group_id, interruption_id FROM alerts_groupmember WHERE group_id = ANY(%s)
), extent AS MATERIALIZED (
    SELECT w.group_id, count(DISTINCT i.machine_id) AS machines, min(i.started_at) AS first_at,
           max(i.started_at) AS last_at
    FROM member w JOIN interruptions_interruption i ON i.id = w.interruption_id
    WHERE {_COUNTS} GROUP BY w.group_id
)
SELECT group_id, machines, first_at, last_at FROM extent
"""  # noqa: S608 - no value is pasted into it
"""Members first: from the services' side it would read their whole history."""


@dataclass(frozen=True, slots=True, order=True)
class Zone:
    """Where a wave is. Empty: not known."""

    origin: str
    provider: str
    region: str
    zone: str

    @property
    def key(self) -> str:
        return "wave:" + "/".join(part or UNKNOWN for part in (self.provider, self.region, self.zone))

    @classmethod
    def of_key(cls, key: str, *, origin: str) -> Zone:
        parts = key.removeprefix("wave:").split("/", 2)
        return cls(origin, *("" if part == UNKNOWN else part for part in parts))

    @property
    def name(self) -> str:
        return self.zone or self.region or self.provider


@dataclass(slots=True)
class News:
    """What a batch of changes means for waves."""

    fresh: dict[Zone, list[Reclaim]] = field(default_factory=lambda: defaultdict(list))
    """Reclaims that no wave ever held, recent and told in time."""
    of_waves: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    """By wave: its members that changed."""
    hints: list[int] = field(default_factory=list)
    """Those that turned out to be nothing but hints: they leave."""


@dataclass(frozen=True, slots=True)
class PoolNow:
    """A pool of a zone around one moment."""

    id: int
    instance_type: str
    os: str
    stock: Stock
    is_hit: bool

    @property
    def name(self) -> str:
        kind = self.instance_type or "unknown type"
        return kind if self.os in ("", "linux") else f"{kind} {self.os}"


@dataclass(frozen=True, slots=True)
class Extent:
    """What a wave's members add up to."""

    machines: int
    first_at: datetime
    last_at: datetime


def read_news(changes: Sequence[Change], *, now: datetime) -> News:
    """What of these changes is news to waves."""
    ids = [change.interruption_id for change in changes]
    replayed = {change.interruption_id for change in changes if change.is_replay and change.is_new}
    news = News()
    for pk, *place, machine_id, pool_id, started_at, counts, is_hint, waves in fetch(_NEWS, [ids, ids]):
        for wave in waves:
            news.of_waves[wave].append(pk)
        if waves and is_hint:
            news.hints.append(pk)
        is_now = counts and pk not in replayed and started_at >= now - RECENT
        if is_now and not waves and place[1]:
            news.fresh[Zone(*place)].append(Reclaim(pk, machine_id, pool_id, started_at))
    return news


def read_reclaims(fresh: Mapping[Zone, Sequence[Reclaim]]) -> dict[Zone, list[Reclaim]]:
    """Every counted reclaim of these zones that shares a window with a fresh one."""
    spans = {
        zone: (min(r.started_at for r in mine) - WINDOW, max(r.started_at for r in mine) + WINDOW)
        for zone, mine in fresh.items()
    }
    table, values = _zones(spans)
    origins = sorted({zone.origin for zone in spans})
    since, until = min(span[0] for span in spans.values()), max(span[1] for span in spans.values())
    found: dict[Zone, list[Reclaim]] = defaultdict(list)
    zones = list(spans)
    for place, *reclaim in fetch(_NEAR.format(zones=table), [origins, since, until, *values]):
        found[zones[place]].append(Reclaim(*reclaim))
    return found


def read_pools(spans: Mapping[Zone, tuple[datetime, datetime]]) -> dict[Zone, list[PoolNow]]:
    """The pools of zones: what ran as each span began, its history, and whether it was hit in the span."""
    if not spans:
        return {}
    table, values = _zones(spans)
    rows = fetch(_POOLS.format(zones=table), [WINDOW, *values, HISTORY])
    zones = list(spans)
    found: dict[Zone, list[PoolNow]] = defaultdict(list)
    for place, pk, kind, os, running, is_hit, reclaims, weeks in rows:
        found[zones[place]].append(PoolNow(pk, kind, os, Stock(running, reclaims, weeks), is_hit))
    return found


def read_extents(wave_ids: Sequence[int]) -> dict[int, Extent]:
    """What the members of waves add up to, by wave; absent where there are none."""
    rows = fetch(_EXTENTS, [list(wave_ids)])
    return {pk: Extent(machines, first, last) for pk, machines, first, last in rows}


def _zones(spans: Mapping[Zone, tuple[datetime, datetime]]) -> tuple[str, list[object]]:
    """The zones as a table `z`, each with its place in `spans`."""
    rows = [(n, z.origin, z.provider, z.region, z.zone, *span) for n, (z, span) in enumerate(spans.items())]
    return as_table(rows, _ZONE | {"since": "timestamptz", "until": "timestamptz"}, name="z")
