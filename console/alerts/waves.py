"""Waves: a cascade of a pool or zone is one group over the groups of the services that it hits.

Called after `correlate`, in its transaction, with the same changes. At most one wave is open for a zone: the
partial unique index holds it, so of two workers that see one cascade the second joins the first one's wave.
Locks are taken in one order everywhere: service groups, then waves. Where a service's group is held by another
worker it is not waited for: that worker puts it under the wave itself, or the wave's next change does.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from console.alerts import handing_down
from console.alerts.detectors.cascade import QUIET, USUAL, Cascade, Limits, Reclaim, find_cascade
from console.alerts.escalation import following as escalations
from console.alerts.models import AlertEvent, AlertGroup, EventKind, GroupMember
from console.alerts.rules_in_force import InForce
from console.alerts.settle import refresh
from console.alerts.silences import carry_over
from console.alerts.touched import Change, Touched
from console.alerts.wave_opening import lock, open_missing
from console.alerts.wave_reading import (
    Extent,
    PoolNow,
    Zone,
    read_extents,
    read_news,
    read_pools,
    read_reclaims,
)
from console.alerts.wave_words import reason_of, scope_of, title_of
from console.lib.rows import columns_of, fetch, run

_ADOPT = """
WITH wanted AS (
    SELECT DISTINCT ON (s.id) s.id, w.group_id AS wave_id
    FROM alerts_groupmember w
    JOIN alerts_groupmember m ON m.interruption_id = w.interruption_id
    JOIN alerts_alertgroup s ON s.id = m.group_id AND s.key LIKE 'service:%%' AND s.status <> 'resolved'
    LEFT JOIN alerts_alertgroup p ON p.id = s.parent_id
    WHERE w.group_id = ANY(%s) AND w.interruption_id = ANY(%s) AND (p.id IS NULL OR p.status = 'resolved')
      AND s.kept_apart_from_id IS DISTINCT FROM w.group_id
    ORDER BY s.id, w.group_id
), held AS (
    SELECT id FROM alerts_alertgroup WHERE id IN (SELECT id FROM wanted) ORDER BY id FOR UPDATE SKIP LOCKED
)
UPDATE alerts_alertgroup g SET parent_id = wanted.wave_id, version = g.version + 1
FROM wanted JOIN held USING (id) WHERE g.id = wanted.id RETURNING g.id
"""

_NAME = """
UPDATE alerts_alertgroup g SET title = n.title, pool_id = n.pool_id
FROM unnest(%s::bigint[], %s::text[], %s::bigint[]) AS n (id, title, pool_id) WHERE g.id = n.id
"""
_ADD = """
INSERT INTO alerts_groupmember (group_id, interruption_id, joined_at, reason)
SELECT w.wave_id, w.interruption_id, %s, w.reason
FROM unnest(%s::bigint[], %s::bigint[], %s::text[]) AS w (wave_id, interruption_id, reason)
WHERE NOT EXISTS (SELECT FROM alerts_groupmember m
                  WHERE m.group_id = w.wave_id AND m.interruption_id = w.interruption_id)
ON CONFLICT DO NOTHING RETURNING group_id
"""


@dataclass(slots=True)
class Around:
    """The fresh reclaims of a zone, all others near them, its pools, and the cascade they are, if any."""

    fresh: Sequence[Reclaim]
    reclaims: Sequence[Reclaim]
    pools: Sequence[PoolNow]
    cascade: Cascade | None


@dataclass(slots=True)
class Joining:
    """What is about to be added to one wave."""

    reclaims: dict[int, Reclaim] = field(default_factory=dict)
    scope: str = ""


def follow(changes: Sequence[Change], *, rule: InForce | None, now: datetime) -> Touched:
    """Open, widen and fill waves for what changed, and bring the figures of every wave concerned up to date.

    `rule`: the one about cascades. None is in force: no wave opens, those that are open go on.
    """
    news = read_news(changes, now=now)
    if not news.fresh and not news.of_waves:
        return Touched()
    limits = Limits.of(rule.limits) if rule else USUAL
    zones = _look_around(news.fresh, limits) if news.fresh else {}
    firing = {zone: a.cascade for zone, a in zones.items() if a.cascade is not None} if rule else {}
    opened = open_missing(firing, cooldown=rule.cooldown, now=now) if rule else set()
    waves = lock(list(zones), list(news.of_waves))
    carry_over([w for w in waves.values() if (w.origin, w.key) in opened and not w.member_count], now=now)
    _let_go(news.hints, waves, now=now)
    joining = _choose(waves, zones, opened, limits, now=now)
    _join(joining, waves, now=now)
    concerned = [pk for pk in {*news.of_waves, *joining} if pk in waves]
    touched = [waves[pk] for pk in sorted(concerned)]
    _name([wave for wave in touched if wave.is_open])
    changed = [pk for ids in news.of_waves.values() for pk in ids]
    adopted = fetch(_ADOPT, [concerned, changed + [pk for wave in joining.values() for pk in wave.reclaims]])
    handing_down.inherit([pk for (pk,) in adopted], now=now)
    escalations.follow([pk for (pk,) in adopted], now=now)
    refresh(touched, now=now, is_news=True)
    return Touched(groups=touched, triggers={wave.pk: f"change:{changes[-1].id}" for wave in touched})


def _look_around(fresh: Mapping[Zone, Sequence[Reclaim]], limits: Limits) -> dict[Zone, Around]:
    reclaims = read_reclaims(fresh)
    spans = {
        zone: (min(r.started_at for r in near), max(r.started_at for r in near))
        for zone, near in reclaims.items()
    }
    pools = read_pools(spans)
    zones = {}
    for zone, near in reclaims.items():
        stocks = {pool.id: pool.stock for pool in pools.get(zone, ())}
        cascade = find_cascade(near, stocks, fresh={r.id for r in fresh[zone]}, limits=limits)
        zones[zone] = Around(fresh[zone], near, pools.get(zone, []), cascade)
    return zones


def _let_go(hints: Sequence[int], waves: Mapping[int, AlertGroup], *, now: datetime) -> None:
    """What turned out to be nothing but a hint leaves every wave, closed ones too; their history says so."""
    if not hints:
        return
    members = GroupMember.objects.filter(group__in=waves, interruption__in=hints)
    left: dict[int, list[int]] = defaultdict(list)
    for group_id, interruption_id in members.order_by("group", "interruption").values_list(
        "group", "interruption"
    ):
        left[group_id].append(interruption_id)
    members.delete()
    AlertEvent.objects.bulk_create(
        AlertEvent(
            group_id=group_id,
            at=now,
            kind=EventKind.LEFT,
            text=f"{len(ids)} turned out not to be reclaims",
            data={"count": len(ids), "interruptions": ids[:50]},
        )
        for group_id, ids in left.items()
    )


def _choose(
    waves: Mapping[int, AlertGroup],
    zones: Mapping[Zone, Around],
    opened: set[tuple[str, str]],
    limits: Limits,
    *,
    now: datetime,
) -> dict[int, Joining]:
    """Which reclaims join which open wave; a wave of one pool becomes its zone's where more than it is hit."""
    open_waves = {(wave.origin, wave.key): wave for wave in waves.values() if wave.is_open}
    found = {zone: wave for zone in zones if (wave := open_waves.get((zone.origin, zone.key)))}
    extents = read_extents([wave.pk for wave in found.values()]) if found else {}
    joining: dict[int, Joining] = {}
    events = []
    for zone, wave in sorted(found.items()):
        around, cascade = zones[zone], zones[zone].cascade
        is_wider = cascade is not None and wave.pool_id not in (None, cascade.pool_id)
        if is_wider:
            wave.pool_id = None
        scope = scope_of(zone, wave.pool_id, around.pools)
        members = members_of(wave.pool_id, around, extents.get(wave.pk))
        if members:
            joining[wave.pk] = Joining({r.id: r for r in members}, scope)
        if cascade is not None and ((zone.origin, zone.key) in opened or is_wider):
            kind = EventKind.TRIGGERED if wave.pk not in extents else EventKind.JOINED
            data = figures_of(cascade, scope)
            text = reason_of(cascade, scope, limits)
            events.append(AlertEvent(group=wave, at=now, kind=kind, text=text, data=data))
    AlertEvent.objects.bulk_create(events)
    return joining


def members_of(pool_id: int | None, around: Around, extent: Extent | None) -> list[Reclaim]:
    """Those of the scope that lie in the cascade's window or the wave, and on, until 10 minutes are quiet."""
    since, until = [], []
    if extent is not None:
        since, until = [extent.first_at - QUIET], [extent.last_at]
    if around.cascade is not None:
        since.append(around.cascade.since)
        until.append(around.cascade.until)
    if not since:
        return []
    mine = [r for r in around.reclaims if pool_id is None or r.pool_id == pool_id]
    members, first, last = [], min(since), max(until)
    for reclaim in sorted(mine, key=lambda r: (r.started_at, r.id)):
        if first <= reclaim.started_at <= last + QUIET:
            members.append(reclaim)
            last = max(last, reclaim.started_at)
    return members


def figures_of(cascade: Cascade, scope: str) -> dict[str, Any]:
    return {
        "rule": "cascade",
        "scope": scope,
        "reclaimed": cascade.reclaimed,
        "running": cascade.running,
        "expected": cascade.expected,
        "chance": cascade.chance,
        "since": cascade.since.isoformat(),
        "until": cascade.until.isoformat(),
    }


def _join(joining: Mapping[int, Joining], waves: Mapping[int, AlertGroup], *, now: datetime) -> None:
    """Add the members; what another worker added meanwhile stays as it is."""
    if not joining:
        return
    wanted = [
        (wave_pk, pk, f"In the wave of {wave.scope}"[:200])
        for wave_pk, wave in sorted(joining.items())
        for pk in sorted(wave.reclaims)
    ]
    fresh = fetch(_ADD, [now, *columns_of(wanted, ("bigint", "bigint", "text"))])
    counts = Counter(pk for (pk,) in fresh)
    AlertEvent.objects.bulk_create(
        AlertEvent(
            group_id=pk,
            at=now,
            kind=EventKind.JOINED,
            text="1 machine" if count == 1 else f"{count} machines",
            data={"count": count},
        )
        for pk, count in sorted(counts.items())
        if waves[pk].member_count
    )


def _name(waves: Sequence[AlertGroup]) -> None:
    """Titles with the newest figures."""
    if not waves:
        return
    extents = read_extents([wave.pk for wave in waves])
    zones = {wave.pk: Zone.of_key(wave.key, origin=wave.origin) for wave in waves}
    pools = read_pools({zones[pk]: (extent.first_at, extent.last_at) for pk, extent in extents.items()})
    for wave in waves:
        if extent := extents.get(wave.pk):
            zone = zones[wave.pk]
            wave.title = title_of(zone, wave.pool_id, extent, pools.get(zone, []))
    named = [(wave.pk, wave.title, wave.pool_id) for wave in waves]
    run(_NAME, columns_of(named, ("bigint", "text", "bigint")))
