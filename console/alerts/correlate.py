"""Which group an interruption belongs to: it joins its service's open group, or opens it.

Identity of a group is its key (`metrics.md` section 3): `service:<id>` for reclaims,
`wave:<provider>/<region>/<zone>` for cascades over them. The database holds that one is open a key.
Groups are locked in id order, after those that were missing have been opened; what was read before is read again
then. Where two interruptions turned out to be one, the survivor inherits the memberships of the other, so that its
groups, their history and their notes stay within reach.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from console.alerts import history, movers
from console.alerts.inheriting import inherit
from console.alerts.models import AlertEvent, AlertGroup, AlertGroupQuerySet, EventKind, GroupMember
from console.alerts.movers import Movers
from console.alerts.opening import GroupKey, Led, add_members, led_elsewhere, new_group, service_key
from console.alerts.reclaims import Membership, Reclaim, read_memberships, read_reclaims
from console.alerts.settle import refresh
from console.alerts.silences import carry_over
from console.alerts.touched import Change, Touched
from console.fleet.models import Service
from console.runbooks.checklist import start_many
from console.runbooks.models import Execution


@dataclass(frozen=True, slots=True)
class Places:
    """Who leaves which group and who needs one, as the memberships stood when they were read."""

    memberships: Mapping[int, Sequence[Membership]]
    moved: Sequence[tuple[Reclaim, Membership]]
    current: Sequence[Reclaim]
    late: Sequence[Reclaim]

    @property
    def group_ids(self) -> list[int]:
        return [m.group_id for mine in self.memberships.values() for m in mine]


@dataclass(slots=True)
class Held:
    """Every group concerned, locked; the keys of those that were opened, and where merged ones lead."""

    groups: dict[int, AlertGroup]
    opened: set[GroupKey]
    led: dict[GroupKey, Led]


def correlate(changes: Sequence[Change], *, now: datetime) -> Touched:
    """Open or join groups for what changed, and bring every touched group's figures up to date."""
    reclaims = read_reclaims({change.interruption_id for change in changes})
    inherit(reclaims)
    services = Service.objects.in_bulk({reclaim.service_id for reclaim in reclaims})
    replayed = {change.interruption_id for change in changes if change.is_replay and change.is_new}
    places, held = _take(reclaims, services, replayed, now=now)
    groups, opened = held.groups, held.opened
    because = movers.read([reclaim.id for reclaim, _ in places.moved])
    carry_over([g for g in groups.values() if (g.origin, g.key) in opened and not g.member_count], now=now)
    _leave(places.moved, services, because, now=now)
    _join(places.current, services, held, because, now=now)
    touched = refresh(list(groups.values()), now=now, is_news=True)
    closed = history.join(places.late, services, now=now)
    everything = [*touched, *closed]
    return Touched(
        groups=everything,
        triggers={group.pk: f"change:{changes[-1].id}" for group in everything},
        late_by=history.lateness(places.late, closed),
    )


def _take(
    reclaims: Sequence[Reclaim], services: Mapping[int, Service], replayed: Collection[int], *, now: datetime
) -> tuple[Places, Held]:
    """Read where the machines are, lock that, and see that it is so still.

    In between somebody may close a group, or move machines by hand. Then the locks are let go before others are
    taken, so that nobody waits for each other.
    """
    places = _places(reclaims, replayed)
    while True:
        wanted = {(r.origin, service_key(r.service_id)): services[r.service_id] for r in places.current}
        before = transaction.savepoint()
        led = led_elsewhere(wanted)
        own = {key: service for key, service in wanted.items() if key not in led}
        opened = _open_missing(own, now=now)
        groups = _lock(own, [*places.group_ids, *(merged.target_id for merged in led.values())])
        are_open = {(group.origin, group.key) for group in groups.values() if group.is_open}
        again = _places(reclaims, replayed)
        if set(own) <= are_open and led == led_elsewhere(wanted) and places == again:
            transaction.savepoint_commit(before)
            return places, Held(groups, opened, led)
        transaction.savepoint_rollback(before)
        places = again


def _places(reclaims: Sequence[Reclaim], replayed: Collection[int]) -> Places:
    memberships = read_memberships(reclaims)
    moved = [(r, m) for r in reclaims for m in memberships.get(r.id, ()) if _has_left(r, m)]
    left = {membership.id for _, membership in moved}
    homeless = [r for r in reclaims if all(m.id in left for m in memberships.get(r.id, ()))]
    joining = [r for r in homeless if not r.is_hint]
    late = [r for r in joining if r.is_late or r.id in replayed]
    current = [r for r in joining if not (r.is_late or r.id in replayed)]
    return Places(memberships, moved, current, late)


def _has_left(reclaim: Reclaim, membership: Membership) -> bool:
    """Whether it turned out to be another service's while its group is open, or to be nothing but a hint.

    Where a person put it, it stays. A hint is in no group, closed ones among them: their counts are of reclaims,
    and their history says who left.
    """
    is_elsewhere = membership.key != service_key(reclaim.service_id)
    return reclaim.is_hint or (membership.is_open and is_elsewhere and not membership.is_placed)


def _open_missing(wanted: Mapping[GroupKey, Service], *, now: datetime) -> set[GroupKey]:
    """Open the groups that are not there yet. Somebody else may be first: then theirs is used."""
    there = set(_open_groups(wanted).values_list("origin", "key"))
    missing = sorted(set(wanted) - there)
    if missing:
        executions = start_many([(wanted[key], key[0]) for key in missing], now=now)
        AlertGroup.objects.bulk_create(
            (
                new_group(wanted[key], origin=key[0], execution=execution, triggered_at=now, now=now)
                for key, execution in zip(missing, executions, strict=True)
            ),
            ignore_conflicts=True,
        )
        started = [execution.pk for execution in executions if execution is not None]
        Execution.objects.filter(pk__in=started, alert_group=None).delete()
    return set(missing)


def _open_groups(keys: Iterable[GroupKey]) -> AlertGroupQuerySet:
    by_origin: dict[str, list[str]] = defaultdict(list)
    for origin, key in keys:
        by_origin[origin].append(key)
    matches = Q(pk__in=[])
    for origin, wanted in by_origin.items():
        matches |= Q(origin=origin, key__in=wanted)
    return AlertGroup.objects.open().filter(matches)


def _lock(keys: Iterable[GroupKey], ids: Sequence[int]) -> dict[int, AlertGroup]:
    wanted = set(_open_groups(keys).values_list("pk", flat=True)) | set(ids)
    groups = AlertGroup.objects.filter(pk__in=wanted).select_for_update(of=("self",)).order_by("pk")
    return {group.pk: group for group in groups.select_related("service")}


def _leave(
    moved: Sequence[tuple[Reclaim, Membership]],
    services: Mapping[int, Service],
    because: Movers,
    *,
    now: datetime,
) -> None:
    gone: dict[int, list[Reclaim]] = defaultdict(list)
    for reclaim, membership in moved:
        gone[membership.group_id].append(reclaim)
    if not gone:
        return
    GroupMember.objects.filter(pk__in=[membership.id for _, membership in moved]).delete()
    AlertEvent.objects.bulk_create(
        AlertEvent(
            group_id=group_id,
            at=now,
            kind=EventKind.LEFT,
            text=_where_to(left, services, because),
            data={"count": len(left), "interruptions": [reclaim.id for reclaim in left[:50]]},
        )
        for group_id, left in sorted(gone.items())
    )


def _where_to(left: Sequence[Reclaim], services: Mapping[int, Service], because: Movers) -> str:
    """`2 attributed to Checkout by tags learnt at 14:03 UTC`: where to look for the machines that left, and why."""
    names = sorted({services[reclaim.service_id].name for reclaim in left if not reclaim.is_hint})
    whither = f"attributed to {', '.join(names)}" if names else "turned out not to be reclaims"
    return f"{len(left)} {whither}{because.words(left) if names else ''}"


def _join(
    reclaims: Sequence[Reclaim],
    services: Mapping[int, Service],
    held: Held,
    because: Movers,
    *,
    now: datetime,
) -> None:
    """Put each into its service's open group, or where that was merged into, and say so in the group's history."""
    homes = {(group.origin, group.key): group.pk for group in held.groups.values() if group.is_open}
    homes |= {key: merged.target_id for key, merged in held.led.items()}
    joined: dict[int, list[Reclaim]] = defaultdict(list)
    for reclaim in reclaims:
        joined[homes[reclaim.origin, service_key(reclaim.service_id)]].append(reclaim)
    add_members(joined, services, now=now, led=held.led)
    events = []
    for pk, members in sorted(joined.items()):
        group = held.groups[pk]
        is_new = (group.origin, group.key) in held.opened and group.member_count == 0
        kind = EventKind.TRIGGERED if is_new else EventKind.JOINED
        text = "1 machine" if len(members) == 1 else f"{len(members)} machines"
        came = [reclaim for reclaim in members if reclaim.id in because]
        if came:
            text += f", {len(came)} attributed here{because.words(came)}"
        data = {"count": len(members), "interruptions": [reclaim.id for reclaim in members[:50]]}
        events.append(AlertEvent(group=group, at=now, kind=kind, text=text, data=data))
    AlertEvent.objects.bulk_create(events)
