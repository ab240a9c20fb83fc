"""What people do to the shape of groups: merge, move, split, attach, detach. Each in one transaction, twice harmless.

Machines that a person put somewhere stay there, whatever they are attributed to, while that group is open
(`correlate.py`). A merged group leads what else comes for its key into the one that it was merged into.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NoReturn

from django.db import transaction

from console.alerts import handing_down
from console.alerts.handling import By, NotPossible
from console.alerts.models import AlertGroup, Regrouping, RegroupingAct
from console.alerts.regrouping.placing import (
    MOST_MEMBERS,
    close_into,
    finish,
    lock,
    machines,
    members_in,
    move,
    new_regrouping,
    told,
)


@transaction.atomic
def merge(source_id: int, target_id: int, *, reason: str, by: By, now: datetime) -> Regrouping:
    """All machines of one open group of a service go into another, which answers for them from now on.

    Its pages stop, and whoever heard of it is told where it goes on.
    """
    source, target = lock(source_id, target_id)
    is_merged = source.merged_into_id == target.pk and not source.is_open
    if is_merged and (done := _done_before(RegroupingAct.MERGE, source, target)) is not None:
        return done
    _must_be_two_open(source, target)
    members = members_in(source)
    regrouping = new_regrouping(
        RegroupingAct.MERGE, source, target, reason=reason, by=by, now=now, members=members
    )
    _carry(regrouping, f"Came with #{source.pk}, merged", by=by, now=now)
    regrouping.led = list(source.merged.order_by("pk").values_list("pk", flat=True))
    regrouping.save(update_fields=["led"])
    source.merged.update(merged_into=target)
    _carry_cascade(source, target)
    close_into(source, target, now=now)
    texts = [
        f"Merged into #{target.pk} {target.title}{told(reason)}",
        f"{machines(len(members))} of #{source.pk} {source.title} merged in{told(reason)}",
    ]
    finish(regrouping, [source, target], texts, by=by, now=now)
    return regrouping


@transaction.atomic
def move_members(
    source_id: int, target_id: int, interruptions: Collection[int], *, reason: str, by: By, now: datetime
) -> Regrouping:
    """Chosen machines of one open group go into another open one."""
    source, target = lock(source_id, target_id)
    _must_be_two_open(source, target)
    members = _chosen(source, interruptions, otherwise="Merge the groups instead.")
    regrouping = new_regrouping(
        RegroupingAct.MOVE, source, target, reason=reason, by=by, now=now, members=members
    )
    _carry(regrouping, f"Moved here from #{source.pk}", by=by, now=now)
    texts = [
        f"{machines(len(members))} moved to #{target.pk} {target.title}{told(reason)}",
        f"{machines(len(members))} moved here from #{source.pk} {source.title}{told(reason)}",
    ]
    finish(regrouping, [source, target], texts, by=by, now=now)
    return regrouping


@transaction.atomic
def split(
    source_id: int, interruptions: Collection[int], *, title: str = "", reason: str, by: By, now: datetime
) -> Regrouping:
    """Chosen machines of an open group become a group of their own, which nobody has yet."""
    (source,) = lock(source_id)
    _must_be_open_of_service(source)
    members = _chosen(source, interruptions, otherwise="They are a group already.")
    target = _split_off(source, title, now=now)
    regrouping = new_regrouping(
        RegroupingAct.SPLIT, source, target, reason=reason, by=by, now=now, members=members
    )
    _carry(regrouping, f"Split off from #{source.pk}", by=by, now=now)
    texts = [
        f"{machines(len(members))} split off into #{target.pk} {target.title}{told(reason)}",
        f"Split off from #{source.pk} {source.title} with {machines(len(members))}{told(reason)}",
    ]
    finish(regrouping, [source, target], texts, by=by, now=now)
    return regrouping


@transaction.atomic
def attach(group_id: int, wave_id: int, *, reason: str, by: By, now: datetime) -> Regrouping:
    """A group comes under a wave: it is taken and kept quiet as the wave is, which is told of for it."""
    group, wave = lock(group_id, wave_id)
    _must_be_of_one_origin(group, wave)
    if not wave.is_wave or group.is_wave:
        raise NotPossible(
            "Only a wave has groups under it, and no wave stands under another. Merge them instead."
        )
    _must_be_open(group, wave)
    if group.parent_id == wave.pk:
        return _done_before(RegroupingAct.ATTACH, group, wave) or _refuse(
            f"It stands under #{wave.pk} already."
        )
    regrouping = new_regrouping(RegroupingAct.ATTACH, group, wave, reason=reason, by=by, now=now)
    _stand(group, wave, None, regrouping)
    handing_down.inherit([group.pk], now=now)
    group.refresh_from_db()
    texts = [
        f"Put under the wave #{wave.pk} {wave.title}{told(reason)}",
        f"#{group.pk} {group.title} put under this wave{told(reason)}",
    ]
    finish(regrouping, [group, wave], texts, by=by, now=now)
    return regrouping


@transaction.atomic
def detach(group_id: int, *, reason: str, by: By, now: datetime) -> Regrouping:
    """A group no longer stands under its wave, is told of by itself, and is not put back there."""
    parent_id = AlertGroup.objects.filter(pk=group_id).values_list("parent", flat=True).first()
    if parent_id is None:
        (group,) = lock(group_id)
        return _done_before(RegroupingAct.DETACH, group, group.kept_apart_from) or _refuse(
            "It stands under no wave."
        )
    group, wave = lock(group_id, parent_id)
    if group.parent_id != wave.pk:
        raise NotPossible("It was put elsewhere meanwhile. Look again.")
    _must_be_open(group)
    regrouping = new_regrouping(RegroupingAct.DETACH, group, wave, reason=reason, by=by, now=now)
    handing_down.give_back(group, wave, by.user, now=now)
    _stand(group, None, wave, regrouping)
    texts = [
        f"Taken out from under the wave #{wave.pk} {wave.title}{told(reason)}",
        f"#{group.pk} {group.title} taken out from under this wave{told(reason)}",
    ]
    finish(regrouping, [group, wave], texts, by=by, now=now)
    return regrouping


def _done_before(act: RegroupingAct, source: AlertGroup, target: AlertGroup | None) -> Regrouping | None:
    """The same, asked for twice: what was done the first time, where it still stands."""
    done = Regrouping.objects.filter(source=source, target=target, act=act, taken_back_at=None)
    return done.order_by("-pk").first()


def _refuse(text: str) -> NoReturn:
    raise NotPossible(text)


def _carry(regrouping: Regrouping, what: str, *, by: By, now: datetime) -> None:
    """Its members into its target, each with who put it there, when and why."""
    why = f"{what} by {by.name} at {now:%-d %b %H:%M} UTC{told(regrouping.reason)}"[:200]
    members = [(pk, why, regrouping.pk) for pk, _, _ in regrouping.members]
    move(members, source=regrouping.source, target=regrouping.target, now=now)


def _carry_cascade(source: AlertGroup, target: AlertGroup) -> None:
    """A cascade of the one is one of the other from now on, and as bad."""
    if source.cascaded_at is not None and target.cascaded_at is None:
        target.cascaded_at = source.cascaded_at
        target.save(update_fields=["cascaded_at"])


def _stand(
    group: AlertGroup, under: AlertGroup | None, apart_from: AlertGroup | None, regrouping: Regrouping
) -> None:
    regrouping.parent_before, regrouping.kept_apart_before = group.parent_id, group.kept_apart_from_id
    regrouping.save(update_fields=["parent_before", "kept_apart_before"])
    group.parent, group.kept_apart_from, group.version = under, apart_from, group.version + 1
    group.save()


def _split_off(source: AlertGroup, title: str, *, now: datetime) -> AlertGroup:
    """Its key is its own: what else comes for the service joins the group that it was split from."""
    title = " ".join(title.split()) or f"{source.title}, split off"
    return AlertGroup.objects.create(
        origin=source.origin,
        key=f"{source.key}:split-{now:%Y%m%d%H%M%S%f}",
        service=source.service,
        team_id=source.team_id,
        parent_id=source.parent_id,
        kept_apart_from_id=source.kept_apart_from_id,
        title=title[:200],
        severity=source.severity,
        triggered_at=now,
        last_news_at=now,
    )


def _chosen(
    source: AlertGroup, interruptions: Collection[int], *, otherwise: str
) -> list[tuple[int, str, int | None]]:
    if not interruptions:
        raise NotPossible("Choose some machines first.")
    if len(interruptions) > MOST_MEMBERS:
        raise NotPossible(f"Choose at most {MOST_MEMBERS:,} machines.")
    members = members_in(source, interruptions)
    if not members:
        raise NotPossible(f"None of these machines is in #{source.pk} any more.")
    if len(members) == source.members.count():
        raise NotPossible(f"These are all machines of #{source.pk}. {otherwise}")
    return members


def _must_be_two_open(source: AlertGroup, target: AlertGroup) -> None:
    if source.pk == target.pk:
        raise NotPossible("Choose another group than this one.")
    _must_be_of_one_origin(source, target)
    for group in (source, target):
        _must_be_open_of_service(group)


def _must_be_of_one_origin(one: AlertGroup, other: AlertGroup) -> None:
    if one.origin != other.origin:
        raise NotPossible(
            f"#{one.pk} is of {one.origin} data and #{other.pk} of {other.origin}: they never mix."
        )


def _must_be_open_of_service(group: AlertGroup) -> None:
    if group.is_wave:
        raise NotPossible(
            f"#{group.pk} is a wave: its machines are where they were lost. Put groups under it, or take them out."
        )
    if group.is_finding:
        raise NotPossible(f"#{group.pk} is a finding and has no machines. It can be put under a wave.")
    _must_be_open(group)


def _must_be_open(*groups: AlertGroup) -> None:
    for group in groups:
        if group.merged_into_id is not None and not group.is_open:
            raise NotPossible(f"#{group.pk} was merged into #{group.merged_into_id}. Work that one.")
        if not group.is_open:
            raise NotPossible(f"#{group.pk} is resolved. Re-open it first.")
