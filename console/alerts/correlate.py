"""Which group an interruption belongs to: it joins its service's open group, or opens it.

Identity of a group is its key (`metrics.md` section 3): `service:<id>` for reclaims,
`wave:<provider>/<region>/<zone>` for cascades over them. The database holds that one is open a key.
Groups are locked once, in id order, after those that were missing have been opened.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db.models import Q

from console.alerts import history
from console.alerts.models import AlertEvent, AlertGroup, AlertGroupQuerySet, EventKind, GroupMember
from console.alerts.opening import add_members, new_group, service_key
from console.alerts.settle import refresh
from console.alerts.touched import Change, Touched
from console.fleet.models import Service
from console.interruptions.models import HINT_STATES, Interruption
from console.runbooks.checklist import start_many


def correlate(changes: Sequence[Change], *, now: datetime) -> Touched:
    """Open or join groups for what changed, and bring every touched group's figures up to date."""
    interruptions = _interruptions({change.interruption_id for change in changes})
    replayed = {change.interruption_id for change in changes if change.is_replay and change.is_new}
    memberships = _memberships(interruptions)
    moved = [m for i in interruptions if (m := memberships.get(i.pk)) and _has_left(i, m)]
    homeless = [i for i in interruptions if i.pk not in memberships] + [m.interruption for m in moved]
    joining = [i for i in homeless if i.state not in HINT_STATES]
    late = [i for i in joining if i.is_late or i.pk in replayed]
    current = [i for i in joining if not (i.is_late or i.pk in replayed)]

    opened = _open_missing(current, now=now)
    groups = _lock(current, [m.group_id for m in memberships.values()])
    _leave(moved, now=now)
    _join(current, groups, opened, now=now)
    touched = refresh(list(groups.values()), now=now, is_news=True)
    closed = history.join(late, now=now)
    everything = [*touched, *closed]
    return Touched(
        groups=everything,
        triggers={group.pk: f"change:{changes[-1].id}" for group in everything},
        late_by=history.lateness(late, closed),
    )


def _interruptions(ids: Iterable[int]) -> list[Interruption]:
    return list(Interruption.objects.filter(pk__in=list(ids)).select_related("service").order_by("pk"))


def _memberships(interruptions: Sequence[Interruption]) -> dict[int, GroupMember]:
    """The newest membership in a service group of each interruption that has one."""
    members = GroupMember.objects.filter(
        interruption__in=interruptions, group__key__startswith="service:"
    ).select_related("group", "interruption__service")
    return {member.interruption_id: member for member in members.order_by("pk")}


def _has_left(interruption: Interruption, member: GroupMember) -> bool:
    """Whether it turned out to be another service's, or nothing but a hint, while its group is open."""
    is_elsewhere = member.group.key != service_key(interruption.service_id)
    return member.group.is_open and (is_elsewhere or interruption.state in HINT_STATES)


def _open_missing(interruptions: Sequence[Interruption], *, now: datetime) -> set[tuple[str, str]]:
    """Open the groups that are not there yet. Somebody else may be first: then theirs is used."""
    wanted: dict[tuple[str, str], Service] = {
        (i.origin, service_key(i.service_id)): i.service for i in interruptions
    }
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
    return set(missing)


def _open_groups(keys: Iterable[tuple[str, str]]) -> AlertGroupQuerySet:
    by_origin: dict[str, list[str]] = defaultdict(list)
    for origin, key in keys:
        by_origin[origin].append(key)
    matches = Q(pk__in=[])
    for origin, wanted in by_origin.items():
        matches |= Q(origin=origin, key__in=wanted)
    return AlertGroup.objects.open().filter(matches)


def _lock(interruptions: Sequence[Interruption], ids: Sequence[int]) -> dict[int, AlertGroup]:
    keys = {(i.origin, service_key(i.service_id)) for i in interruptions}
    wanted = set(_open_groups(keys).values_list("pk", flat=True)) | set(ids)
    groups = AlertGroup.objects.filter(pk__in=wanted).select_for_update().order_by("pk")
    return {group.pk: group for group in groups}


def _leave(members: Sequence[GroupMember], *, now: datetime) -> None:
    counts: dict[int, int] = defaultdict(int)
    for member in members:
        counts[member.group_id] += 1
    GroupMember.objects.filter(pk__in=[member.pk for member in members]).delete()
    AlertEvent.objects.bulk_create(
        AlertEvent(
            group_id=group_id,
            at=now,
            kind=EventKind.LEFT,
            text=f"{count} attributed elsewhere",
            data={"count": count},
        )
        for group_id, count in sorted(counts.items())
    )


def _join(
    interruptions: Sequence[Interruption],
    groups: dict[int, AlertGroup],
    opened: set[tuple[str, str]],
    *,
    now: datetime,
) -> None:
    """Put each into its service's open group, and say so in the group's history."""
    open_by_key = {(group.origin, group.key): group for group in groups.values() if group.is_open}
    joined: dict[int, list[Interruption]] = defaultdict(list)
    for interruption in interruptions:
        group = open_by_key[interruption.origin, service_key(interruption.service_id)]
        joined[group.pk].append(interruption)
    add_members(joined, now=now)
    events = []
    for pk, members in sorted(joined.items()):
        group = groups[pk]
        is_new = (group.origin, group.key) in opened and group.member_count == 0
        kind = EventKind.TRIGGERED if is_new else EventKind.JOINED
        text = "1 machine" if len(members) == 1 else f"{len(members)} machines"
        data = {"count": len(members), "interruptions": [i.pk for i in members[:50]]}
        events.append(AlertEvent(group=group, at=now, kind=kind, text=text, data=data))
    AlertEvent.objects.bulk_create(events)
