"""Which group an interruption belongs to: it joins its service's open group, or opens it.

Identity of a group is its key (`metrics.md` section 3): `service:<id>` for reclaims,
`wave:<provider>/<region>/<zone>` for cascades over them. The database holds that one is open a key.
Groups are locked in id order, after those that were missing have been opened. Where two interruptions turned
out to be one, the survivor inherits the memberships of the other, so that its groups, their history and
their notes stay within reach.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db.models import Q

from console.alerts import history
from console.alerts.inheriting import inherit
from console.alerts.models import AlertEvent, AlertGroup, AlertGroupQuerySet, EventKind, GroupMember
from console.alerts.opening import add_members, new_group, service_key
from console.alerts.settle import refresh
from console.alerts.touched import Change, Touched
from console.fleet.models import Service
from console.interruptions.models import HINT_STATES, Interruption
from console.runbooks.checklist import start_many
from console.runbooks.models import Execution


def correlate(changes: Sequence[Change], *, now: datetime) -> Touched:
    """Open or join groups for what changed, and bring every touched group's figures up to date."""
    interruptions = _interruptions({change.interruption_id for change in changes})
    inherit(interruptions)
    replayed = {change.interruption_id for change in changes if change.is_replay and change.is_new}
    memberships = _memberships(interruptions)
    moved = [m for i in interruptions for m in memberships.get(i.pk, ()) if _has_left(i, m)]
    left = {m.pk for m in moved}
    homeless = [i for i in interruptions if all(m.pk in left for m in memberships.get(i.pk, ()))]
    joining = [i for i in homeless if i.state not in HINT_STATES]
    late = [i for i in joining if i.is_late or i.pk in replayed]
    current = [i for i in joining if not (i.is_late or i.pk in replayed)]

    groups, opened = _open_and_lock(current, [m.group_id for ms in memberships.values() for m in ms], now=now)
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
    """Those that changed; for one that turned out to be another also that other."""
    changed = Interruption.objects.filter(pk__in=list(ids))
    survivors = changed.exclude(merged_into=None).values("merged_into")
    wanted = Interruption.objects.filter(Q(pk__in=changed.values("pk")) | Q(pk__in=survivors))
    return list(wanted.select_related("service").order_by("pk"))


def _memberships(interruptions: Sequence[Interruption]) -> dict[int, list[GroupMember]]:
    """By interruption: its membership in each open service group, else the newest one in a closed one."""
    members = GroupMember.objects.filter(
        interruption__in=interruptions, group__key__startswith="service:"
    ).select_related("group", "interruption__service")
    found: dict[int, list[GroupMember]] = defaultdict(list)
    for member in members.order_by("pk"):
        found[member.interruption_id].append(member)
    return {pk: [m for m in mine if m.group.is_open] or mine[-1:] for pk, mine in found.items()}


def _has_left(interruption: Interruption, member: GroupMember) -> bool:
    """Whether it turned out to be another service's, or nothing but a hint, while its group is open."""
    is_elsewhere = member.group.key != service_key(interruption.service_id)
    return member.group.is_open and (is_elsewhere or interruption.state in HINT_STATES)


def _open_and_lock(
    interruptions: Sequence[Interruption], ids: Sequence[int], *, now: datetime
) -> tuple[dict[int, AlertGroup], set[tuple[str, str]]]:
    """Every group concerned, locked; and the keys of those that were opened.

    Between opening and locking somebody may resolve one: then it is opened once more.
    """
    wanted = {(i.origin, service_key(i.service_id)) for i in interruptions}
    opened: set[tuple[str, str]] = set()
    while True:
        opened |= _open_missing(interruptions, now=now)
        groups = _lock(interruptions, ids)
        if wanted <= {(group.origin, group.key) for group in groups.values() if group.is_open}:
            return groups, opened


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
        started = [execution.pk for execution in executions if execution is not None]
        Execution.objects.filter(pk__in=started, alert_group=None).delete()
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
    gone: dict[int, list[GroupMember]] = defaultdict(list)
    for member in members:
        gone[member.group_id].append(member)
    GroupMember.objects.filter(pk__in=[member.pk for member in members]).delete()
    AlertEvent.objects.bulk_create(
        AlertEvent(
            group_id=group_id,
            at=now,
            kind=EventKind.LEFT,
            text=_where_to(left),
            data={"count": len(left), "interruptions": [member.interruption_id for member in left[:50]]},
        )
        for group_id, left in sorted(gone.items())
    )


def _where_to(left: Sequence[GroupMember]) -> str:
    """`2 attributed to Checkout`: where the machines that left are to be looked for."""
    names = sorted({m.interruption.service.name for m in left if m.interruption.state not in HINT_STATES})
    whither = f"attributed to {', '.join(names)}" if names else "turned out not to be reclaims"
    return f"{len(left)} {whither}"


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
