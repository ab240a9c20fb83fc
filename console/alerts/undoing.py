"""Taking an act back within ten seconds, as if it had not been.

Before an act the groups it reaches and their escalations are read under their locks, and kept. Taking it back looks
whether they still are as the act left them, and puts each where it was: an escalation goes on from its level and its
deadline, messages that were called off wait again, and whoever heard of the act meanwhile hears that it was undone.
What changed since stays, and the answer says why.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import models, transaction

from console.accounts.audit import record
from console.accounts.models import User
from console.alerts import handing_down
from console.alerts.escalation import following, resuming
from console.alerts.handling import By
from console.alerts.models import (
    AlertEvent,
    AlertGroup,
    Escalation,
    EventKind,
    GroupStatus,
    Undo,
    UndoPart,
)
from console.lib.live import announce

FOR = timedelta(seconds=10)
ON_THE_WAY = timedelta(seconds=5)
"""What was asked for in time may still take so long to arrive."""
KEPT_FOR = timedelta(days=1)
STATE = (
    "status",
    "acknowledged_at",
    "acknowledged_by",
    "acknowledged_by_label",
    "silenced_until",
    "silenced_by",
    "resolved_at",
    "resolved_by",
    "resolution",
)
BESIDE = ("due_at",)
"""Put back with the state, but free to move without it."""
Kept = dict[str, Any]


class TooLate(Exception):
    """It cannot be taken back any more; the text says why and what to do instead."""


@dataclass(slots=True)
class Recorder:
    """Keeps what one request does, group by group. The row that can be taken back is written with the first."""

    verb: str
    by: By
    now: datetime
    undo: Undo | None = field(default=None, init=False)

    def run(self, group_id: int, act: Callable[[], AlertGroup]) -> AlertGroup:
        """Act on one group in one transaction. What changes nothing leaves nothing to take back.

        Raises whatever the act raises; then nothing is kept.
        """
        if (person := self.by.user) is None:
            return act()
        with transaction.atomic():
            children = [child.pk for child in handing_down.lock_children(group_id)]
            ids = [*children, group_id]
            list(AlertGroup.objects.filter(pk=group_id).select_for_update().values_list("pk"))
            before, told = _groups(ids), _escalations(ids)
            group = act()
            after, now_told = _groups(ids), _escalations(ids)
            changed = [pk for pk in ids if pk in before and _differs(before[pk], after[pk])]
            if changed:
                kept = [_keep(pk, before[pk], after[pk], told.get(pk), now_told.get(pk)) for pk in changed]
                UndoPart.objects.create(
                    undo=self._row(person), origin=group.origin, group_id=group_id, kept=kept
                )
        return group

    def _row(self, person: User) -> Undo:
        if self.undo is None or not Undo.objects.filter(pk=self.undo.pk).exists():
            self.undo = Undo.objects.create(person=person, verb=self.verb, at=self.now, until=self.now + FOR)
        return self.undo


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was taken back, and what was not with the reason of each."""

    undone: Sequence[int]
    kept: Sequence[tuple[AlertGroup, str]]


def take_back(undo_id: int, *, by: By, now: datetime) -> Outcome:
    """Put everything of an act where it was. Twice is harmless. Raises `TooLate`."""
    undo = Undo.objects.filter(pk=undo_id, person=by.user).first()
    if undo is None:
        raise TooLate("There is nothing of yours to undo here. Use the group's own buttons.")
    if now > undo.until + ON_THE_WAY:
        raise TooLate("Ten seconds are over. Use the group's own buttons to change it back.")
    undone: list[int] = []
    kept: list[tuple[AlertGroup, str]] = []
    for part in undo.parts.select_related("group").order_by("group_id"):
        if why := _take_back_part(part.pk, undo, by=by, now=now):
            kept.append((part.group, why))
        else:
            undone.append(part.group_id)
    return Outcome(undone, kept)


def forget(*, now: datetime) -> None:
    """What cannot be taken back any more needs no keeping: the history tells it."""
    Undo.objects.filter(until__lt=now - KEPT_FOR).delete()


@transaction.atomic
def _take_back_part(part_id: int, undo: Undo, *, by: By, now: datetime) -> str:
    """Why not; empty: it is as it was before. Locks groups under a wave before the wave, as everywhere."""
    asked = UndoPart.objects.get(pk=part_id)
    kept: dict[int, Kept] = {one["group"]: one for one in asked.kept}
    groups = _locked([*(pk for pk in kept if pk != asked.group_id), asked.group_id])
    part = UndoPart.objects.select_for_update().get(pk=part_id)
    if part.undone_at is not None:
        return ""
    for pk, one in kept.items():
        if why := _why_not(groups.get(pk), one):
            return why
    events = [_restore(groups[pk], one, undo, by=by, now=now) for pk, one in kept.items()]
    AlertEvent.objects.bulk_create(events)
    resuming.resume(
        {pk: one["escalation"] for pk, one in kept.items()}, acted_at=undo.at, by=by.name, now=now
    )
    following.follow(list(kept), now=now)
    part.undone_at = now
    part.save(update_fields=["undone_at"])
    announce("groups", ids=list(kept))
    return ""


def _locked(ids: Sequence[int]) -> dict[int, AlertGroup]:
    *children, last = ids
    rows = AlertGroup.objects.select_for_update(of=("self",)).select_related("acknowledged_by")
    found = {group.pk: group for group in rows.filter(pk__in=children).order_by("pk")} if children else {}
    return found | {group.pk: group for group in rows.filter(pk=last)}


def _why_not(group: AlertGroup | None, kept: Kept) -> str:
    if group is None:
        return "It is no longer there."
    if _differs(_frozen(group, STATE), kept["after"]):
        holder = f" {group.holder} has it now." if group.status == GroupStatus.ACKNOWLEDGED else ""
        return f"It was changed since.{holder} Look at it before you change it back."
    is_opened = not group.is_open and kept["before"]["status"] != GroupStatus.RESOLVED
    if is_opened and AlertGroup.objects.open().filter(origin=group.origin, key=group.key).exists():
        return "A newer group of the same key is open. Work that one."
    return ""


def _restore(group: AlertGroup, kept: Kept, undo: Undo, *, by: By, now: datetime) -> AlertEvent:
    before, after = kept["before"], kept["after"]
    was = group.status
    for name, value in _thawed(before, AlertGroup).items():
        if name not in BESIDE or _frozen(group, BESIDE)[name] == after[name]:
            setattr(group, name, value)
    group.version += 1
    group.save()
    told = {"status": was}, {"status": group.status, "undone": undo.verb}
    record(by.actor, action="alert_group.undo", subject=group, before=told[0], after=told[1], now=now)
    return AlertEvent(
        group=group,
        at=now,
        kind=_kind(before, after),
        by=by.user,
        by_label=by.label,
        text=f"Undone: {undo.verb} of {undo.at:%H:%M:%S} UTC",
        data={"undo": undo.pk},
    )


def _kind(before: Kept, after: Kept) -> EventKind:
    if before["status"] != after["status"]:
        if after["status"] == GroupStatus.RESOLVED:
            return EventKind.REOPENED
        return {
            GroupStatus.TRIGGERED: EventKind.UNACKNOWLEDGED,
            GroupStatus.ACKNOWLEDGED: EventKind.ACKNOWLEDGED,
            GroupStatus.RESOLVED: EventKind.RESOLVED,
        }[GroupStatus(before["status"])]
    if before["silenced_until"] != after["silenced_until"]:
        return EventKind.SILENCED if before["silenced_until"] else EventKind.UNSILENCED
    return EventKind.ACKNOWLEDGED


def _groups(ids: Collection[int]) -> dict[int, Kept]:
    return {group.pk: _frozen(group, STATE + BESIDE) for group in AlertGroup.objects.filter(pk__in=ids)}


def _escalations(ids: Collection[int]) -> dict[int, Escalation]:
    return {one.group_id: one for one in Escalation.objects.newest_of(ids)}


def _keep(pk: int, before: Kept, after: Kept, told: Escalation | None, now_told: Escalation | None) -> Kept:
    """An escalation that the act itself began has nothing to go back to: following the group ends it."""
    escalation = None
    if told is not None and now_told is not None and told.pk == now_told.pk:
        escalation = {
            "id": told.pk,
            "before": _frozen(told, following.SAVED),
            "after": _frozen(now_told, following.SAVED),
        }
    return {"group": pk, "before": before, "after": after, "escalation": escalation}


def _differs(one: Kept, other: Kept) -> bool:
    return any(one[column] != other[column] for column in _columns(AlertGroup, STATE))


def _frozen(row: models.Model, names: Sequence[str]) -> Kept:
    """Columns as JSON holds them; times to the microsecond."""
    values = {column: getattr(row, column) for column in _columns(type(row), names)}
    return {name: one.isoformat() if isinstance(one, datetime) else one for name, one in values.items()}


def _columns(model: type[models.Model], names: Sequence[str]) -> list[str]:
    by_name = {field.name: field.attname for field in model._meta.concrete_fields}
    return [by_name[name] for name in names]


def _thawed(values: Kept, model: type[models.Model]) -> dict[str, Any]:
    columns = {field.attname: field for field in model._meta.concrete_fields}
    return {
        name: datetime.fromisoformat(value)
        if value is not None and isinstance(columns[name], models.DateTimeField)
        else value
        for name, value in values.items()
    }
