"""An escalation follows its group: taken, it stops; given back, it goes on; over, everybody who heard is told.

Called by everything that changes a group's state, in its transaction and under the group's lock, and once more
before anything is told (`firing.py`). Twice is harmless.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from console.alerts import outward
from console.alerts.escalation import words
from console.alerts.escalation.bells import ESCALATE
from console.alerts.escalation.ledger import Ledger
from console.alerts.escalation.telling import restart
from console.alerts.models import (
    AlertGroup,
    Escalation,
    EscalationState,
    EventKind,
    GroupStatus,
    Resolution,
    StepKind,
)
from console.fleet.models import Criticality
from console.lib.bulk import update_rows
from console.notifications.models import Notification, NotificationKind, NotificationState
from console.notifications.outbox import Recipient, call_off, heard_of
from console.oncall.policies import Whose, choose

SAVED = (
    "state",
    "policy",
    "is_paging",
    "pass_number",
    "level",
    "rounds_left",
    "told_count",
    "next_at",
    "due_at",
    "reminded_at",
    "ended_at",
)
WAVE_LOOKED_AT_EVERY = timedelta(minutes=1)
STOPPED = (NotificationKind.PAGE, NotificationKind.REMINDER, NotificationKind.UPDATE)
BY_HAND = "by-hand"
"""The rule that a page of a person names."""
State = EscalationState


def follow(group_ids: Collection[int], *, now: datetime) -> None:
    """Bring the escalations of these locked groups in line with what the groups are now."""
    if not group_ids:
        return
    watch(group_ids, now=now)
    escalations = of_groups(group_ids)
    spoken_for = under_a_wave_that_pages(escalations)
    wanted_of = [(e, _wanted(e, is_spoken_for=e.group_id in spoken_for, now=now)) for e in escalations]
    changed = [(e, wanted) for e, wanted in wanted_of if wanted is not None]
    if changed:
        ledger = Ledger(now)
        _stop_messages(changed, ledger=ledger)
        ending = [e for e, wanted in changed if wanted in (State.HEALED, State.ENDED)]
        _tell_over(ending, ledger=ledger)
        for escalation, wanted in changed:
            _change(escalation, wanted, ledger=ledger)
        ledger.write()
        save([e for e, _ in changed])
    outward.tell_groups(group_ids, now=now)


def of_groups(group_ids: Collection[int]) -> list[Escalation]:
    """The open escalations of these groups, with what messages are worded from."""
    rows = Escalation.objects.open().filter(group__in=group_ids)
    related = ("group__service", "group__acknowledged_by", "group__resolved_by", "group__parent")
    return list(rows.select_related(*related).order_by("group_id"))


def save(escalations: Sequence[Escalation]) -> None:
    update_rows(escalations, SAVED)


def watch(group_ids: Collection[int], *, now: datetime) -> None:
    """Somebody took a group that nobody was paged for: they are reminded of it all the same."""
    taken = AlertGroup.objects.filter(pk__in=group_ids, status=GroupStatus.ACKNOWLEDGED)
    alone = taken.exclude(escalations__in=Escalation.objects.open())
    groups = list(alone.select_related("service__team", "service__owner", "parent").order_by("pk"))
    for origin in sorted({group.origin for group in groups}):
        mine = [group for group in groups if group.origin == origin and not _is_held_by_wave(group)]
        chosen = choose([whose(group) for group in mine], origin=origin)
        Escalation.objects.bulk_create(
            (
                Escalation(
                    origin=origin,
                    group=group,
                    state=State.ACKNOWLEDGED,
                    policy=(policy := chosen[whose(group)].policy).as_json,
                    chosen_because=chosen[whose(group)].why,
                    begun_by="acknowledged",
                    is_paging=False,
                    started_at=now,
                    rounds_left=policy.repeats,
                    next_at=(ends_at := now + timedelta(minutes=policy.acknowledged_minutes)),
                    due_at=ends_at,
                )
                for group in mine
            ),
            ignore_conflicts=True,
        )


def whose(group: AlertGroup) -> Whose:
    """By what its policy is chosen."""
    return group.service, group.service.team if group.service else None


def keep(group: AlertGroup, *, now: datetime) -> bool:
    """Whoever has it says so: the time begins anew. False: no reminder was due for it."""
    rows = [e for e in of_groups([group.pk]) if e.state == State.ACKNOWLEDGED]
    for escalation in rows:
        _grant(escalation, now=now)
    call_off([words.subject_of(group.pk)], kinds=[NotificationKind.REMINDER], reason="Answered", now=now)
    save(rows)
    return bool(rows)


def reopen(group: AlertGroup, *, by: str, now: datetime) -> None:
    """Somebody says that it is not over: whoever was told so hears it, and the escalation goes on.

    Where somebody has it already, it only watches over that.
    """
    escalation = Escalation.objects.newest_of([group.pk]).select_related("group__service").first()
    if escalation is None or escalation.is_open or not escalation.is_paging:
        return
    ledger = Ledger(now)
    subject = words.subject_of(group.pk)
    heard = heard_of([subject], kinds=[NotificationKind.HEALED])[subject]
    call_off([subject], kinds=[NotificationKind.HEALED], reason=f"Re-opened by {by}", now=now)
    restart(escalation, ledger=ledger, why=f"Re-opened by {by}")
    escalation.told_count = 0
    ledger.messages += [
        words.update(
            escalation,
            recipient,
            key=f"{escalation.pass_number}:reopened",
            text=f"Re-opened by {by}: it is not over.",
            reason="You were told that it is over",
        )
        for recipient in sorted(heard, key=words.key_of)
    ]
    if group.status == GroupStatus.ACKNOWLEDGED:
        escalation.state = State.ACKNOWLEDGED
        _grant(escalation, now=now)
    ledger.write()
    save([escalation])


def under_a_wave_that_pages(escalations: Sequence[Escalation]) -> set[int]:
    """The groups that are not told of by themselves meanwhile: their open wave is.

    A critical service below its need always is, as `routing.py` has it; so is what a person began.
    """
    begun = [e for e in escalations if not e.begun_by.startswith(BY_HAND)]
    children = {e.group_id: e.group for e in begun if e.group.parent and e.group.parent.is_open}
    if not children:
        return set()
    waves = {group.parent_id for group in children.values()}
    telling = set(
        Escalation.objects.open().filter(group__in=waves, is_paging=True).values_list("group", flat=True)
    )
    return {
        pk
        for pk, group in children.items()
        if group.parent_id in telling and not _is_critical_below_need(group)
    }


def _is_critical_below_need(group: AlertGroup) -> bool:
    if group.below_need_since is None:
        return False
    critical = Criticality.CRITICAL
    is_own = group.service is not None and group.service.criticality == critical
    return is_own or group.merged.filter(service__criticality=critical).exists()


def _wanted(escalation: Escalation, *, is_spoken_for: bool, now: datetime) -> EscalationState | None:
    """The state it should be in; None: it is, and stays as it is."""
    group, state = escalation.group, State(escalation.state)
    if not group.is_open:
        return State.HEALED if group.resolution == Resolution.HEALED else State.ENDED
    if group.status == GroupStatus.ACKNOWLEDGED:
        has_end = escalation.next_at is not None or _is_held_by_wave(group)
        return None if state == State.ACKNOWLEDGED and has_end else State.ACKNOWLEDGED
    if not escalation.is_paging:
        return State.ENDED
    if group.is_silenced(now=now) and state != State.SUPPRESSED:
        is_held = state == State.SILENCED and escalation.next_at == group.silenced_until
        return None if is_held else State.SILENCED
    if is_spoken_for and state not in (State.SUPPRESSED, State.EXHAUSTED):
        return None if state == State.WITH_WAVE else State.WITH_WAVE
    if state in (State.ACKNOWLEDGED, State.SILENCED, State.WITH_WAVE):
        return State.RUNNING
    return None


_WHY_RUNNING = {
    State.SILENCED: "The silence is over",
    State.WITH_WAVE: "No wave is told of for it any more",
    State.ACKNOWLEDGED: "Nobody has it any more",
}


def _change(escalation: Escalation, wanted: EscalationState, *, ledger: Ledger) -> None:
    group, now = escalation.group, ledger.now
    match wanted:
        case State.RUNNING:
            restart(escalation, ledger=ledger, why=_WHY_RUNNING[State(escalation.state)])
            transaction.on_commit(ESCALATE.ring)
        case State.ACKNOWLEDGED:
            escalation.state = wanted
            _grant(escalation, now=now)
            ledger.step(escalation, StepKind.HELD, f"{group.holder} has it")
        case State.SILENCED:
            if escalation.state != State.SILENCED:
                ledger.step(escalation, StepKind.HELD, f"Silenced until {group.silenced_until:%H:%M} UTC")
            escalation.state = wanted
            escalation.next_at = escalation.due_at = group.silenced_until
        case State.WITH_WAVE:
            escalation.state = wanted
            look_at_wave_again(escalation, now=now)
            ledger.step(escalation, StepKind.HELD, f"Its wave #{group.parent_id} is told of for it")
        case _:
            escalation.state, escalation.ended_at = wanted, now
            escalation.next_at = escalation.due_at = escalation.reminded_at = None


def _grant(escalation: Escalation, *, now: datetime) -> None:
    """The acknowledgement lasts from now on; under a wave that somebody has, as long as the wave's."""
    escalation.reminded_at = None
    if _is_held_by_wave(escalation.group):
        look_at_wave_again(escalation, now=now)
        return
    lasts = timedelta(minutes=escalation.frozen.acknowledged_minutes)
    escalation.next_at = escalation.due_at = now + lasts


def look_at_wave_again(escalation: Escalation, *, now: datetime) -> None:
    """Nothing is planned as long as its wave stands; a wave that closes does not lock what was under it."""
    escalation.next_at, escalation.due_at = None, now + WAVE_LOOKED_AT_EVERY


def _is_held_by_wave(group: AlertGroup) -> bool:
    return group.parent is not None and group.parent.status == GroupStatus.ACKNOWLEDGED


def _stop_messages(changed: Sequence[tuple[Escalation, EscalationState]], *, ledger: Ledger) -> None:
    """Call off what is still to be sent, and say what was on its way already."""
    stopping = [(e, wanted) for e, wanted in changed if wanted != State.RUNNING]
    subjects = {words.subject_of(e.group_id): e for e, _ in stopping}
    by_reason: dict[str, list[str]] = defaultdict(list)
    for escalation, wanted in stopping:
        by_reason[_stop_reason(escalation.group, wanted)].append(words.subject_of(escalation.group_id))
    for reason, mine in sorted(by_reason.items()):
        call_off(mine, kinds=STOPPED, reason=reason, now=ledger.now)
    on_their_way: dict[str, list[str]] = defaultdict(list)
    waiting: dict[str, int] = defaultdict(int)
    for row in _stopped_or_sending(subjects, now=ledger.now):
        if row.state == NotificationState.SENDING:
            on_their_way[row.subject].append(str(row.person or row.channel))
        else:
            waiting[row.subject] += 1
    for subject, escalation in subjects.items():
        if waiting[subject] or on_their_way[subject]:
            text = _called_off(waiting[subject], on_their_way[subject])
            ledger.event(escalation.group, EventKind.CALLED_OFF, text, sending=on_their_way[subject])
            ledger.step(escalation, StepKind.CALLED_OFF, text)


def _stopped_or_sending(subjects: Collection[str], *, now: datetime) -> list[Notification]:
    """Looked at after the calling off: what a sender took up first is not among the stopped."""
    is_stopped = Q(state=NotificationState.CALLED_OFF, settled_at=now)
    rows = Notification.objects.filter(subject__in=subjects, kind__in=STOPPED)
    rows = rows.filter(is_stopped | Q(state=NotificationState.SENDING))
    return list(rows.select_related("person", "channel").order_by("pk"))


def _stop_reason(group: AlertGroup, wanted: EscalationState) -> str:
    if wanted == State.ACKNOWLEDGED:
        return f"Acknowledged by {group.holder}"
    if wanted == State.WITH_WAVE:
        return f"Its wave #{group.parent_id} is told of for it"
    return "Silenced" if wanted == State.SILENCED else "It is over"


def _called_off(waiting: int, on_their_way: Sequence[str]) -> str:
    """`2 messages called off. Already on its way, and not to be stopped: to Bob`."""
    told = [f"{waiting} message{'' if waiting == 1 else 's'} called off"] if waiting else []
    if on_their_way:
        told.append(
            f"Already on {'its' if len(on_their_way) == 1 else 'their'} way: to {', '.join(on_their_way)}"
        )
    return ". ".join(told)


def _tell_over(ending: Sequence[Escalation], *, ledger: Ledger) -> None:
    """Everyone who heard that it broke hears that it is over, also where it was silenced meanwhile."""
    paging = {words.subject_of(e.group_id): e for e in ending if e.is_paging}
    if not paging:
        return
    for subject, heard in heard_of(list(paging), kinds=[NotificationKind.PAGE]).items():
        escalation = paging[subject]
        for recipient in sorted(heard, key=words.key_of):
            _say_over(escalation, recipient, ledger=ledger)


def _say_over(escalation: Escalation, recipient: Recipient, *, ledger: Ledger) -> None:
    message = words.over(escalation, recipient)
    ledger.messages.append(message)
    ledger.step(escalation, StepKind.OVER, words.how_it_ended(escalation.group)[0], key=message.key)
    step = ledger.steps[-1]
    step.person_id, step.channel_id = recipient.person_id, recipient.channel_id
