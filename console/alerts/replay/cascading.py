"""Cascades of a world: waves over its service groups, and services that are hit alone. The judgement is the detector's.

What `waves.py` and `service_cascades.py` do with rows and locks is done here with what is in memory.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from console.alerts.detectors.cascade import (
    USUAL,
    WINDOW,
    Cascade,
    Limits,
    Reclaim,
    find_cascade,
    find_service_cascade,
)
from console.alerts.opening import service_key
from console.alerts.replay.past import Past, Taken, between
from console.alerts.replay.store import Groups, Held
from console.alerts.rules_in_force import InForce, Rules
from console.alerts.wave_opening import go_on
from console.alerts.wave_reading import RECENT, Extent, PoolNow, Zone
from console.alerts.wave_words import title_of
from console.alerts.waves import Around, members_of


def follow_waves(
    groups: Groups, changed: Iterable[Taken], *, rule: InForce | None, now: datetime
) -> list[Held]:
    """Open, widen and fill waves; the waves and the groups under them that something happened to."""
    touched: dict[int, Held] = {}
    fresh: dict[Zone, list[Taken]] = defaultdict(list)
    for one in changed:
        if (wave := groups.wave_of.get(one.id)) is not None:
            touched[wave.group.pk] = wave
        elif one.zone.provider and one.counts(now) and one.started_at >= now - RECENT:
            fresh[one.zone].append(one)
    limits = Limits.of(rule.limits) if rule else USUAL
    for zone, mine in sorted(fresh.items()):
        for held in _of_zone(groups, zone, mine, rule, limits, now=now):
            touched[held.group.pk] = held
    for held in touched.values():
        _name(held, groups.past, now=now)
    return list(touched.values())


def _of_zone(
    groups: Groups, zone: Zone, fresh: Sequence[Taken], rule: InForce | None, limits: Limits, *, now: datetime
) -> list[Held]:
    around, by_id = _look_around(groups.past, zone, fresh, limits, now=now)
    wave = groups.open(zone.key)
    if wave is None and rule is not None and around.cascade is not None:
        wave = _open(groups, zone, around.cascade, rule, now=now)
    if wave is None:
        return []
    cascade = around.cascade if rule else None
    if cascade is not None and wave.group.pool_id not in (None, cascade.pool_id):
        wave.group.pool_id = None
    around.cascade = cascade
    joining = members_of(wave.group.pool_id, around, _extent(wave))
    children = []
    for reclaim in joining:
        if reclaim.id not in wave.members:
            children += _put_under(groups, wave, by_id[reclaim.id])
    return [wave, *children] if joining or children else []


def _look_around(
    past: Past, zone: Zone, fresh: Sequence[Taken], limits: Limits, *, now: datetime
) -> tuple[Around, dict[int, Taken]]:
    since = min(one.started_at for one in fresh) - WINDOW
    until = max(one.started_at for one in fresh) + WINDOW
    near = [
        one for one in between(past.of_zone[zone], since, until) if one.heard_at <= now and one.counts(now)
    ]
    reclaims = [_slim(one) for one in near]
    pools = _pools(past, zone, near)
    stocks = {pool.id: pool.stock for pool in pools}
    cascade = find_cascade(reclaims, stocks, fresh={one.id for one in fresh}, limits=limits)
    return Around([_slim(one) for one in fresh], reclaims, pools, cascade), {one.id: one for one in near}


def _slim(one: Taken) -> Reclaim:
    return Reclaim(one.id, one.machine_id, one.pool_id, one.started_at)


def _pools(past: Past, zone: Zone, near: Sequence[Taken]) -> list[PoolNow]:
    if not near:
        return []
    since, hit = min(one.started_at for one in near), {one.pool_id for one in near}
    return [
        PoolNow(pool.pk, pool.instance_type, pool.os, past.stock("pool", pool.pk, at=since), pool.pk in hit)
        for pool in past.pools.get(zone, ())
    ]


def _open(groups: Groups, zone: Zone, cascade: Cascade, rule: InForce, *, now: datetime) -> Held:
    """A new wave, or the one that closed within the cooldown."""
    closed = groups.by_key.get(zone.key)
    ended_at = closed.group.resolved_at if closed else None
    if closed is not None and ended_at is not None and ended_at > now - rule.cooldown:
        go_on(closed.group, cooldown=rule.cooldown, now=now)
        groups.open_again(closed, now=now)
        return closed
    return groups.wave(zone, pool_id=cascade.pool_id, now=now)


def _extent(wave: Held) -> Extent | None:
    if not wave.members:
        return None
    times = [one.started_at for one in wave.members.values()]
    return Extent(len({one.machine_id for one in wave.members.values()}), min(times), max(times))


def _put_under(groups: Groups, wave: Held, one: Taken) -> list[Held]:
    """The reclaim joins the wave, and its service's open group comes under it unless it is under another one."""
    wave.members[one.id] = one
    groups.wave_of[one.id] = wave
    child = groups.of_reclaim.get(one.id)
    if child is None or not child.is_open or child.is_under_wave:
        return []
    child.parent = wave
    return [child]


def _name(wave: Held, past: Past, *, now: datetime) -> None:
    """With the pools as they were known then: what was heard of later, or does not count, leaves a sibling quiet."""
    extent = _extent(wave)
    if wave.zone is None or extent is None or not wave.is_open:
        return
    near = between(past.of_zone[wave.zone], extent.first_at, extent.last_at)
    known = [one for one in near if one.heard_at <= now and one.counts(now)]
    pools = _pools(past, wave.zone, known)
    wave.group.title = title_of(wave.zone, wave.group.pool_id, extent, pools)


def follow_services(groups: Groups, changed: Iterable[Taken], *, rules: Rules, now: datetime) -> list[Held]:
    """The groups of services that are hit at once in many places, and were not marked so before."""
    if not rules.of("cascade"):
        return []
    fresh: dict[int, list[Taken]] = defaultdict(list)
    for one in changed:
        if one.counts(now) and one.started_at >= now - RECENT and one.id not in groups.wave_of:
            fresh[one.service_id].append(one)
    marked = []
    for service, mine in fresh.items():
        held = groups.open(service_key(service))
        if held is None or held.group.cascaded_at is not None:
            continue
        rule = rules.choose("cascade", groups.past.rows.get(service))
        if rule is not None and _is_hit(groups, service, mine, rule, now=now):
            held.group.cascaded_at = now
            marked.append(held)
    return marked


def _is_hit(groups: Groups, service: int, fresh: Sequence[Taken], rule: InForce, *, now: datetime) -> bool:
    since = min(one.started_at for one in fresh) - WINDOW
    until = max(one.started_at for one in fresh) + WINDOW
    near = [
        _slim(one)
        for one in between(groups.past.of_service[service], since, until)
        if one.heard_at <= now and one.counts(now) and one.id not in groups.wave_of
    ]
    if len({one.machine_id for one in near}) < 2:
        return False
    stock = groups.past.stock("service", service, at=now)
    limits = Limits.of(rule.limits)
    return find_service_cascade(near, stock, fresh={one.id for one in fresh}, limits=limits) is not None
