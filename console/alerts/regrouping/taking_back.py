"""Taking an act of regrouping back: what it moved and is still where it was put goes back to where it was.

In reverse order: what was arranged further since is taken back first. What came for a merged group's key meanwhile
goes with its machines.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from console.alerts import handing_down
from console.alerts.escalation import following
from console.alerts.handling import By, NotPossible
from console.alerts.models import AlertGroup, GroupStatus, Regrouping, RegroupingAct
from console.alerts.regrouping.placing import close_into, finish, lock, machines, move, placed_by
from console.alerts.settle import NO_NEWS_AFTER


@transaction.atomic
def take_back(pk: int, *, by: By, now: datetime) -> Regrouping:
    """As if it had not been. Twice is harmless; refused where its groups went on since, saying what to do."""
    source_id, target_id = Regrouping.objects.values_list("source", "target").get(pk=pk)
    source, target = lock(source_id, target_id)
    regrouping = Regrouping.objects.select_for_update().get(pk=pk)
    if regrouping.taken_back_at is not None:
        return regrouping
    texts = _BACK[RegroupingAct(regrouping.act)](regrouping, source, target, by, now)
    regrouping.taken_back_at, regrouping.taken_back_by = now, by.name[:200]
    regrouping.save(update_fields=["taken_back_at", "taken_back_by"])
    finish(regrouping, [source, target], texts, by=by, now=now, verb="regroup_undo")
    return regrouping


def _merge(one: Regrouping, source: AlertGroup, target: AlertGroup, by: By, now: datetime) -> list[str]:
    _must_go_on(target)
    if source.is_open or source.merged_into_id != target.pk:
        raise NotPossible(f"#{source.pk} went on since. Take that back first.")
    if AlertGroup.objects.open().filter(origin=source.origin, key=source.key).exists():
        raise NotPossible(
            f"A newer group of {source.service or source.title} is open. Move the machines there."
        )
    led = AlertGroup.objects.filter(pk__in=one.led, merged_into=target)
    through = Regrouping.objects.filter(source__in=led, act=RegroupingAct.MERGE, taken_back_at=None)
    count = _put_back(one, source, target, [one.pk, *through.values_list("pk", flat=True)], now=now)
    led.update(merged_into=source)
    if source.cascaded_at is not None and target.cascaded_at == source.cascaded_at:
        target.cascaded_at = None
        target.save(update_fields=["cascaded_at"])
    _go_on(source, by=by, now=now)
    return [
        f"Taken back: on its own again, with {machines(count)}",
        f"Taken back: {machines(count)} went back to #{source.pk} {source.title}",
    ]


def _move(one: Regrouping, source: AlertGroup, target: AlertGroup, by: By, now: datetime) -> list[str]:
    _must_go_on(target, source)
    count = _put_back(one, source, target, [one.pk], now=now)
    return [
        f"Taken back: {machines(count)} came back from #{target.pk} {target.title}",
        f"Taken back: {machines(count)} went back to #{source.pk} {source.title}",
    ]


def _split(one: Regrouping, source: AlertGroup, target: AlertGroup, by: By, now: datetime) -> list[str]:
    texts = _move(one, source, target, by, now)
    if not target.members.exists():
        close_into(target, source, now=now)
    return texts


def _stand(one: Regrouping, group: AlertGroup, wave: AlertGroup, by: By, now: datetime) -> list[str]:
    _must_go_on(group)
    was_put = wave.pk if one.act == RegroupingAct.ATTACH else None
    if group.parent_id != was_put:
        raise NotPossible(f"#{group.pk} was put elsewhere since. Take that back first.")
    if one.act == RegroupingAct.ATTACH:
        handing_down.give_back(group, wave, by.user, now=now)
    group.parent, group.kept_apart_from = _group(one.parent_before), _group(one.kept_apart_before)
    group.version += 1
    group.save()
    if one.act == RegroupingAct.DETACH:
        handing_down.inherit([group.pk], now=now)
        group.refresh_from_db()
    where = f"under #{group.parent_id} {group.parent.title}" if group.parent else "on its own"
    return [f"Taken back: {where} again", f"Taken back: #{group.pk} {group.title} is {where} again"]


def _group(pk: int | None) -> AlertGroup | None:
    return AlertGroup.objects.filter(pk=pk).first() if pk is not None else None


_BACK: dict[RegroupingAct, Callable[[Regrouping, AlertGroup, AlertGroup, By, datetime], list[str]]] = {
    RegroupingAct.MERGE: _merge,
    RegroupingAct.MOVE: _move,
    RegroupingAct.SPLIT: _split,
    RegroupingAct.ATTACH: _stand,
    RegroupingAct.DETACH: _stand,
}


def _put_back(
    one: Regrouping, source: AlertGroup, target: AlertGroup, acts: list[int], *, now: datetime
) -> int:
    """With the reasons of before; what came since has its own. How many."""
    before = {pk: (reason, act) for pk, reason, act in one.members}
    members = [
        (pk, *before.get(pk, (reason, None if act == one.pk else act)))
        for pk, reason, act in placed_by(acts, target)
    ]
    move(members, source=target, target=source, now=now)
    return len(members)


def _go_on(group: AlertGroup, *, by: By, now: datetime) -> None:
    """Open again as it was, and its escalation with it."""
    is_held = group.acknowledged_at is not None
    group.status = GroupStatus.ACKNOWLEDGED if is_held else GroupStatus.TRIGGERED
    group.resolution, group.resolved_at, group.resolved_by, group.merged_into = "", None, None, None
    group.last_news_at, group.due_at = now, now + NO_NEWS_AFTER
    group.save()
    following.reopen(group, by=by.name, now=now)


def _must_go_on(*groups: AlertGroup) -> None:
    for group in groups:
        if not group.is_open and group.merged_into_id is not None:
            raise NotPossible(
                f"#{group.pk} was merged into #{group.merged_into_id} since. Take that back first."
            )
        if not group.is_open:
            raise NotPossible(f"#{group.pk} has closed since. Re-open it first.")
