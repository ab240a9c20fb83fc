"""What is done to a wave is done to the groups under it (`docs/decisions/0005`): taken, given back, kept quiet.

Only what came with the wave is taken back with it: a child that somebody took or silenced by itself stays so.
Closing is not handed down; each child closes by its own rules.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from console.accounts.models import User
from console.alerts.models import AlertEvent, AlertGroup, EventKind, GroupStatus

HandDown = Callable[[AlertGroup, AlertGroup, User | None, datetime], AlertEvent | None]
"""Child, wave, who, when: changes the child, and says what to write in its history; None: nothing to do."""


def lock_children(wave_id: int) -> list[AlertGroup]:
    """The open groups under a wave, locked. Before the wave itself, as everywhere (`waves.py`)."""
    return list(AlertGroup.objects.open().filter(parent=wave_id).select_for_update().order_by("pk"))


def acknowledge(child: AlertGroup, wave: AlertGroup, user: User | None, now: datetime) -> AlertEvent | None:
    if child.status != GroupStatus.TRIGGERED:
        return None
    child.status, child.acknowledged_at, child.acknowledged_by = GroupStatus.ACKNOWLEDGED, now, user
    child.acknowledged_by_label = wave.acknowledged_by_label
    return _told(EventKind.ACKNOWLEDGED, wave)


def give(child: AlertGroup, wave: AlertGroup, user: User | None, now: datetime) -> AlertEvent | None:
    """Whoever was given the wave has its children, and not whoever gave it."""
    return acknowledge(child, wave, wave.acknowledged_by, now)


def unacknowledge(child: AlertGroup, wave: AlertGroup, user: User | None, now: datetime) -> AlertEvent | None:
    if child.status != GroupStatus.ACKNOWLEDGED or not _came_with(child, EventKind.ACKNOWLEDGED, wave):
        return None
    child.status, child.acknowledged_at, child.acknowledged_by = GroupStatus.TRIGGERED, None, None
    child.acknowledged_by_label = ""
    return _told(EventKind.UNACKNOWLEDGED, wave)


def silence(child: AlertGroup, wave: AlertGroup, user: User | None, now: datetime) -> AlertEvent | None:
    """As long as the wave's silence lasts; a longer one of its own stays."""
    until = wave.silenced_until
    is_own = child.is_silenced(now=now) and not _came_with(child, EventKind.SILENCED, wave)
    if until is None or until == child.silenced_until:
        return None
    if is_own and child.silenced_until is not None and child.silenced_until > until:
        return None
    child.silenced_until, child.silenced_by = until, user
    child.due_at = min(until, child.due_at) if child.due_at else until
    return _told(EventKind.SILENCED, wave, until=until.isoformat())


def unsilence(child: AlertGroup, wave: AlertGroup, user: User | None, now: datetime) -> AlertEvent | None:
    if child.silenced_until is None or not _came_with(child, EventKind.SILENCED, wave):
        return None
    child.silenced_until = None
    return _told(EventKind.UNSILENCED, wave)


def inherit(child_ids: Sequence[int], *, now: datetime) -> None:
    """Groups that came under a wave just now are taken and silenced as it is. The caller holds their locks."""
    events = []
    children = AlertGroup.objects.filter(pk__in=child_ids).select_related(
        "parent__acknowledged_by", "parent__silenced_by"
    )
    for child in children.order_by("pk"):
        wave = child.parent
        if wave is None:
            continue
        told: list[AlertEvent | None] = []
        if wave.status == GroupStatus.ACKNOWLEDGED:
            told.append(acknowledge(child, wave, wave.acknowledged_by, now))
        if wave.is_silenced(now=now):
            told.append(silence(child, wave, wave.silenced_by, now))
        for event in filter(None, told):
            event.group, event.at = child, now
            events.append(event)
        if any(told):
            child.save()
    AlertEvent.objects.bulk_create(events)


def give_back(child: AlertGroup, wave: AlertGroup, user: User | None, *, now: datetime) -> None:
    """A locked group that leaves its wave loses what came with it. The caller saves the group."""
    for act in (unacknowledge, unsilence):
        if (event := act(child, wave, user, now)) is not None:
            event.group, event.at, event.by = child, now, user
            event.save()


def _told(kind: EventKind, wave: AlertGroup, **data: str) -> AlertEvent:
    return AlertEvent(kind=kind, text=f"With its wave #{wave.pk}", data={"wave": wave.pk, **data})


def _came_with(child: AlertGroup, kind: EventKind, wave: AlertGroup) -> bool:
    """Whether the newest act of this kind was the wave's."""
    newest = child.events.filter(kind=kind).order_by("-pk").first()
    return newest is not None and newest.data.get("wave") == wave.pk
