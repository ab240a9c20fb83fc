"""What people do with a group: acknowledge, resolve, silence, note, and take it back.

Each verb locks the row, changes it at most once (a second click changes nothing), and leaves a line in the
group's history and one in the audit trail. What is done to a wave reaches the groups under it (`handing_down.py`);
the escalation follows in the same transaction (`escalation/following.py`), so that taking a group stops its pages.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from console.accounts.audit import Actor, record
from console.accounts.models import User
from console.alerts import handing_down, silences
from console.alerts.escalation import by_hand, following
from console.alerts.escalation.by_hand import CannotTell
from console.alerts.handing_down import HandDown
from console.alerts.models import AlertEvent, AlertGroup, EventKind, GroupStatus, Resolution
from console.alerts.settle import NO_NEWS_AFTER
from console.lib.live import announce
from console.oncall.people import can_be_on_call

LONGEST_SILENCE = timedelta(days=7)


class StillFiring(Exception):
    """Machines of the group still run out; resolving needs to be said twice."""

    def __init__(self, running_out: int) -> None:
        word = "machine is" if running_out == 1 else "machines are"
        super().__init__(f"{running_out} {word} still running out.")
        self.running_out = running_out


class NotPossible(Exception):
    """The group is not in a state in which this can be done; the text says what to do instead."""


@dataclass(frozen=True, slots=True)
class By:
    """Who acts: the person (null for a program) and the actor that the audit trail names."""

    user: User | None
    actor: Actor

    @property
    def label(self) -> str:
        """Names the program; empty for a person, who is named by the account."""
        return "" if self.user else self.actor.label

    @property
    def name(self) -> str:
        """The person or the program, as texts name them."""
        return str(self.user) if self.user else self.actor.label


def acknowledge(group_id: int, *, by: By, now: datetime) -> AlertGroup:
    """Somebody has it."""

    def change(group: AlertGroup) -> AlertEvent | None:
        if group.status == GroupStatus.ACKNOWLEDGED:
            return None
        _must_be_open(group)
        group.status, group.acknowledged_at = GroupStatus.ACKNOWLEDGED, now
        group.acknowledged_by, group.acknowledged_by_label = by.user, by.label
        return AlertEvent(kind=EventKind.ACKNOWLEDGED)

    return _act(
        group_id, "alert_group.acknowledge", change, by=by, now=now, hand_down=handing_down.acknowledge
    )


def unacknowledge(group_id: int, *, by: By, now: datetime) -> AlertGroup:
    """Nobody has it after all."""

    def change(group: AlertGroup) -> AlertEvent | None:
        if group.status == GroupStatus.TRIGGERED:
            return None
        _must_be_open(group)
        group.status, group.acknowledged_at = GroupStatus.TRIGGERED, None
        group.acknowledged_by, group.acknowledged_by_label = None, ""
        return AlertEvent(kind=EventKind.UNACKNOWLEDGED)

    return _act(
        group_id, "alert_group.unacknowledge", change, by=by, now=now, hand_down=handing_down.unacknowledge
    )


def assign(group_id: int, person_id: int, *, by: By, now: datetime) -> AlertGroup:
    """Give it to somebody, who is told and has it from now on. Refused for whoever may not act."""
    group = AlertGroup.objects.only("origin").get(pk=group_id)
    person = can_be_on_call(group.origin).filter(pk=person_id).first()
    if person is None:
        raise NotPossible("Nobody of that name may act on alerts. Choose another.")
    given: list[int] = []

    def change(group: AlertGroup) -> AlertEvent | None:
        _must_be_open(group)
        if group.status == GroupStatus.ACKNOWLEDGED and group.acknowledged_by_id == person.pk:
            return None
        given.append(group.pk)
        group.status, group.acknowledged_at = GroupStatus.ACKNOWLEDGED, now
        group.acknowledged_by, group.acknowledged_by_label = person, ""
        return AlertEvent(kind=EventKind.ACKNOWLEDGED, text=f"Given to {person} by {by.name}")

    with transaction.atomic():
        group = _act(group_id, "alert_group.assign", change, by=by, now=now, hand_down=handing_down.give)
        if given:
            following.keep(group, now=now)
            if by.user != person:
                by_hand.tell_given(group, person, by=by.name, now=now)
    return group


def resolve(group_id: int, *, by: By, now: datetime, is_sure: bool = False) -> AlertGroup:
    """It is over. While machines still run out this raises `StillFiring`, unless `is_sure`."""

    def change(group: AlertGroup) -> AlertEvent | None:
        if not group.is_open:
            return None
        if group.running_out_count and not is_sure:
            raise StillFiring(group.running_out_count)
        group.status, group.resolution = GroupStatus.RESOLVED, Resolution.BY_HAND
        group.resolved_at, group.resolved_by = now, by.user
        group.due_at = None
        return AlertEvent(kind=EventKind.RESOLVED, data={"running_out": group.running_out_count})

    return _act(group_id, "alert_group.resolve", change, by=by, now=now)


def reopen(group_id: int, *, by: By, now: datetime) -> AlertGroup:
    """It was not over. Refused where a newer group of the same key is open: that one is worked instead.

    It stays open for half an hour, or until there is news, although every machine may have healed.
    """

    def change(group: AlertGroup) -> AlertEvent | None:
        if group.is_open:
            return None
        if group.merged_into_id is not None:
            raise NotPossible(
                f"Its machines are in #{group.merged_into_id}. Take the merge back, or work that one."
            )
        if AlertGroup.objects.open().filter(origin=group.origin, key=group.key).exists():
            raise NotPossible("A newer group of this service is open. Work that one.")
        is_held = group.acknowledged_at is not None
        group.status = GroupStatus.ACKNOWLEDGED if is_held else GroupStatus.TRIGGERED
        group.resolution, group.resolved_at, group.resolved_by = "", None, None
        group.last_news_at, group.due_at = now, now + NO_NEWS_AFTER
        following.reopen(group, by=by.name, now=now)
        return AlertEvent(kind=EventKind.REOPENED, text=silences.keep(group, now=now))

    return _act(group_id, "alert_group.reopen", change, by=by, now=now)


def escalate(group_id: int, *, by: By, now: datetime) -> AlertGroup:
    """Tell the next level now. Whoever has the group keeps it."""

    def change(group: AlertGroup) -> AlertEvent | None:
        _must_be_open(group)
        try:
            return by_hand.escalate_now(group, by=by.name, now=now)
        except CannotTell as refusal:
            raise NotPossible(str(refusal)) from refusal

    return _act(group_id, "alert_group.escalate", change, by=by, now=now)


def page(group_id: int, person_id: int, *, text: str = "", by: By, now: datetime) -> AlertGroup:
    """Page somebody by name, whoever is on call."""
    person = User.objects.filter(pk=person_id).first()
    if person is None:
        raise NotPossible("There is no such person. Choose another.")

    def change(group: AlertGroup) -> AlertEvent | None:
        _must_be_open(group)
        try:
            return by_hand.page(group, person, text=text.strip()[:200], by=by.name, now=now)
        except CannotTell as refusal:
            raise NotPossible(str(refusal)) from refusal

    return _act(group_id, "alert_group.page", change, by=by, now=now)


def keep(group_id: int, *, by: By, now: datetime) -> AlertGroup:
    """Whoever has it still does: the acknowledgement lasts anew."""

    def change(group: AlertGroup) -> AlertEvent | None:
        if group.status != GroupStatus.ACKNOWLEDGED:
            raise NotPossible("Nobody has it. Acknowledge it instead.")
        following.keep(group, now=now)
        return AlertEvent(kind=EventKind.NOTE, text=f"{group.holder} still has it")

    return _act(group_id, "alert_group.keep", change, by=by, now=now)


def silence(group_id: int, *, until: datetime, by: By, now: datetime) -> AlertGroup:
    """Keep it quiet for a time; it stays on the board, marked."""
    if not now < until <= now + LONGEST_SILENCE:
        raise NotPossible("A silence ends in the future, at most 7 days ahead.")

    def change(group: AlertGroup) -> AlertEvent | None:
        _must_be_open(group)
        if group.silenced_until == until:
            return None
        group.silenced_until, group.silenced_by = until, by.user
        group.due_at = min(until, group.due_at) if group.due_at else until
        return AlertEvent(kind=EventKind.SILENCED, data={"until": until.isoformat()})

    return _act(group_id, "alert_group.silence", change, by=by, now=now, hand_down=handing_down.silence)


def unsilence(group_id: int, *, by: By, now: datetime) -> AlertGroup:
    """Let it speak again."""

    def change(group: AlertGroup) -> AlertEvent | None:
        if group.silenced_until is None:
            return None
        group.silenced_until = None
        return AlertEvent(kind=EventKind.UNSILENCED)

    return _act(group_id, "alert_group.unsilence", change, by=by, now=now, hand_down=handing_down.unsilence)


def add_note(group_id: int, text: str, *, by: By, now: datetime) -> AlertGroup:
    """Write a line into the group's history. It can be added to, never changed."""
    if not text.strip():
        raise NotPossible("A note needs some text.")

    def change(group: AlertGroup) -> AlertEvent | None:
        return AlertEvent(kind=EventKind.NOTE, text=text.strip())

    return _act(group_id, "alert_group.note", change, by=by, now=now)


def _must_be_open(group: AlertGroup) -> None:
    if not group.is_open:
        raise NotPossible("The group is resolved. Re-open it first.")


def _act(
    group_id: int,
    action: str,
    change: Callable[[AlertGroup], AlertEvent | None],
    *,
    by: By,
    now: datetime,
    hand_down: HandDown | None = None,
) -> AlertGroup:
    with transaction.atomic():
        children = handing_down.lock_children(group_id) if hand_down else []
        group = AlertGroup.objects.select_for_update().get(pk=group_id)
        if not _change(group, action, change, by=by, now=now):
            return group
        changed = [group.pk]
        for child in children:

            def with_wave(child: AlertGroup) -> AlertEvent | None:
                return hand_down(child, group, by.user, now) if hand_down else None

            if _change(child, action, with_wave, by=by, now=now):
                changed.append(child.pk)
        following.follow(changed, now=now)
        announce("groups", ids=changed)
    return group


def _change(
    group: AlertGroup,
    action: str,
    change: Callable[[AlertGroup], AlertEvent | None],
    *,
    by: By,
    now: datetime,
) -> bool:
    """Change one locked group and write it down. False: there was nothing to do."""
    before = _state(group)
    event = change(group)
    if event is None:
        return False
    group.version += 1
    group.save()
    event.group, event.at = group, now
    event.by, event.by_label = by.user, by.label
    event.save()
    record(by.actor, action=action, subject=group, before=before, after=_state(group), now=now)
    return True


def _state(group: AlertGroup) -> dict[str, object]:
    until = group.silenced_until
    return {
        "status": group.status,
        "resolution": group.resolution,
        "silenced_until": until.isoformat() if until else None,
    }
