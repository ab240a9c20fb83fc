"""Deciding anew which interruptions some machines had, and writing the difference.

Used by recording (something was heard) and by settling (time has passed). The caller holds the machines'
row locks. Afterwards, under the locks of the services concerned, episodes and replacements are brought up
to date, and a change row for each interruption tells the alert pipeline.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType

from console.feeds.normalised import Kind
from console.interruptions import stored, writing
from console.interruptions.episode_rebuilding import rebuild_episodes
from console.interruptions.episodes import Stretch, extend_episodes
from console.interruptions.known import Span, Told, tell
from console.interruptions.observing import Statement, write_down
from console.interruptions.plan import Machine, Plan, plan_machine, renumber
from console.interruptions.pod_moves import match_pods
from console.interruptions.records import Reported, attach_records
from console.interruptions.replacements import match_replacements, reach_of
from console.interruptions.stored import Row
from console.lib.rows import fetch, run

RECORDS_BEFORE = timedelta(hours=2)
"""How long before the first news of a batch its machines' records may have to move."""

_MACHINES = """
SELECT id, service_id, pool_id, provider, account, region, instance_id, node_name,
       greatest(heartbeat_at, listed_at), first_seen_at, last_seen_at,
       ARRAY(SELECT ended_at FROM fleet_runninginterval WHERE machine_id = m.id AND ended_at IS NOT NULL)
FROM fleet_machine m WHERE id = ANY(%s)
"""
_LOCK_SERVICES = "SELECT id FROM fleet_service WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"


def decide(
    spans: Sequence[Span],
    *,
    origin: str,
    now: datetime,
    fresh: Mapping[int, Statement] = MappingProxyType({}),
    reported: Sequence[Reported] = (),
    moved: Mapping[int, Collection[int]] = MappingProxyType({}),
) -> None:
    """Partition the machines of `spans` again and write what differs from what is stored.

    `fresh` are the statements to be stored, by id; `moved` machines that changed their service or that two
    became, with the services that they were of.
    """
    machine_ids = sorted({span.machine_id for span in spans} | {record.machine_id for record in reported})
    if not machine_ids:
        write_down(fresh, homes={})
        moved_pods = match_pods((), told={}, fresh=fresh, origin=origin)
        writing.report_changes(dict.fromkeys(moved_pods, False), replayed=frozenset(), now=now)
        return
    machines = _machines(machine_ids)
    told = tell(spans, fresh, machines=machines, now=now)
    rows = stored.rows_of(told)
    plan = _plan(told, machines, rows, origin=origin, now=now)
    ids = {row.stored.key: pk for pk, row in rows.items()} | _insert(plan, machines, now=now)
    _write(plan, told, ids, fresh, now=now)
    touched = _attach(spans, reported, has_news=bool(plan.opened or plan.updated), now=now)
    launches = _launches(told, machines, fresh, moved)
    regrouped = {s.machine_id for s in fresh.values() if s.event.group} | moved.keys()
    _bring_up_to_date(plan, ids, rows, launches, regrouped, origin=origin)
    opened = {ids[wanted.key] for wanted in plan.opened}
    changed = {ids[wanted.key] for wanted in plan.written} | set(plan.absorbed) | touched
    changed |= match_pods(changed, told=told, fresh=fresh, origin=origin)
    writing.report_changes(
        {pk: pk in opened for pk in changed}, replayed=_replayed(plan, ids, fresh), now=now
    )


def _machines(ids: Sequence[int]) -> dict[int, Machine]:
    return {row[0]: Machine(*row) for row in fetch(_MACHINES, [list(ids)])}


def _plan(
    told: Mapping[int, Told],
    machines: Mapping[int, Machine],
    rows: Mapping[int, Row],
    *,
    origin: str,
    now: datetime,
) -> Plan:
    ordinals = stored.highest_ordinals(list(told))
    plan = Plan(origin=origin)
    for machine_id, one in told.items():
        plan_machine(plan, one, machines[machine_id], rows, last_ordinal=ordinals.get(machine_id, 0), now=now)
    return plan


def _write(
    plan: Plan,
    told: Mapping[int, Told],
    ids: Mapping[str, int],
    fresh: Mapping[int, Statement],
    *,
    now: datetime,
) -> None:
    """Write what interruptions that were there are now, and where each observation belongs."""
    writing.update(plan.updated, now=now)
    new: dict[int, int] = {}
    homes: list[tuple[int, datetime, int | None]] = []
    for key, reclaim in plan.members.items():
        home, before = ids[key], told[plan.machine_of[key]].homes
        for member in reclaim.members:
            if member.id in fresh:
                new[member.id] = home
            elif before.get(member.id) != home:
                homes.append((member.id, member.received_at, home))
    homes += [(seen.id, seen.received_at, None) for seen in plan.homeless]
    write_down(fresh, homes=new)
    writing.assign(homes)
    writing.alias({key: ids[leads_to] for key, leads_to in plan.aliases.items()}, origin=plan.origin)
    writing.absorb({pk: ids[key] for pk, key in plan.absorbed.items()}, now=now)


def _insert(plan: Plan, machines: Mapping[int, Machine], *, now: datetime) -> dict[str, int]:
    ids = writing.insert(plan.opened, now=now)
    while taken := [wanted for wanted in plan.opened if wanted.key not in ids]:
        renamed = {wanted.key: renumber(plan, wanted, machines[wanted.machine_id]) for wanted in taken}
        plan.opened = [renamed.get(wanted.key, wanted) for wanted in plan.opened]
        ids |= writing.insert(list(renamed.values()), now=now)
    return ids


def _attach(
    spans: Sequence[Span], reported: Sequence[Reported], *, has_news: bool, now: datetime
) -> set[int]:
    """Tie nodes' records to the interruptions they fall into. Returns interruptions with new records."""
    if not reported and not has_news:
        return set()
    machine_ids = sorted({span.machine_id for span in spans} | {record.machine_id for record in reported})
    since = min([span.first_at for span in spans] + [record.happened_at for record in reported], default=now)
    return attach_records(
        machine_ids, since=since - RECORDS_BEFORE, told_of=sorted({record.machine_id for record in reported})
    )


def _launches(
    told: Mapping[int, Told],
    machines: Mapping[int, Machine],
    fresh: Mapping[int, Statement],
    moved: Mapping[int, Collection[int]],
) -> list[Stretch]:
    """Where new machines came up: they may serve what their services lost."""
    launched = {s.machine_id for s in fresh.values() if s.event.kind == Kind.REPLACEMENT_LAUNCHED}
    return [
        Stretch(service_id, seen.occurred_at, seen.occurred_at)
        for pk in told
        if pk in launched or pk in moved
        for seen in told[pk].seen.values()
        if seen.kind == Kind.REPLACEMENT_LAUNCHED
        for service_id in {machines[pk].service_id, *moved.get(pk, ())}
    ]


def _bring_up_to_date(
    plan: Plan,
    ids: Mapping[str, int],
    rows: Mapping[int, Row],
    launches: Sequence[Stretch],
    regrouped: Collection[int | None],
    *,
    origin: str,
) -> None:
    """Episodes and replacements of the services that something happened to, one worker at a time.

    `regrouped` are machines whose scaling group may be known by now: their interruptions may be served by others.
    """
    written = [Stretch(w.service_id, w.started_at, w.started_at) for w in plan.written]
    upset = [rows[pk] for pk in (*plan.upset(rows), *plan.absorbed)]
    before = [Stretch(row.service_id, row.started_at, row.started_at) for row in upset]
    stretches = _widest([*written, *before])
    regained = {pk for pk, row in rows.items() if row.machine_id in regrouped}
    reach = [reach_of(w.service_id, w.started_at, w.over_at) for w in plan.written]
    reach += [
        reach_of(rows[pk].service_id, rows[pk].started_at, rows[pk].over_at)
        for pk in {*plan.updated, *plan.absorbed, *regained}
    ]
    concerned = _widest([*reach, *launches])
    if not concerned:
        return
    run(_LOCK_SERVICES, [sorted({stretch.service_id for stretch in concerned})])
    if upset:
        left = {row.episode_id for row in upset if row.episode_id is not None}
        rebuild_episodes(stretches, origin=origin, left=left)
    elif written:
        extend_episodes([ids[w.key] for w in plan.written], shrunk=plan.shrunk(rows), origin=origin)
    match_replacements(concerned, origin=origin)


def _widest(stretches: Sequence[Stretch]) -> list[Stretch]:
    """Stretches of one service that lie within an hour of each other, as one."""
    widest: list[Stretch] = []
    for stretch in sorted(stretches, key=lambda s: (s.service_id, s.since)):
        last = widest[-1] if widest else None
        is_near = (
            last is not None
            and last.service_id == stretch.service_id
            and stretch.since - last.until <= timedelta(hours=1)
        )
        if last is not None and is_near:
            widest[-1] = Stretch(last.service_id, last.since, max(last.until, stretch.until))
        else:
            widest.append(stretch)
    return widest


def _replayed(plan: Plan, ids: Mapping[str, int], fresh: Mapping[int, Statement]) -> frozenset[int]:
    """Interruptions known from nothing but an archive's replay."""
    replayed = {pk for pk, statement in fresh.items() if statement.is_replay}
    if not replayed:
        return frozenset()
    return frozenset(
        ids[wanted.key]
        for wanted in plan.opened
        if all(member.id in replayed for member in plan.members[wanted.key].members)
    )
