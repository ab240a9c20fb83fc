"""Deadlines of escalations: the next level, a reminder, an acknowledgement that ends, a silence that is over.

A deadline is a column, claimed by the lock on its group: whoever acknowledges holds the same lock, so that after
an acknowledgement commits nothing of an older level is written any more. A broker that lost everything costs a
sweep; what is told late says how late.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from console.alerts import handing_down
from console.alerts.escalation import unanswered, words
from console.alerts.escalation.following import follow, look_at_wave_again, save
from console.alerts.escalation.ledger import Ledger
from console.alerts.escalation.telling import Teller, restart
from console.alerts.models import (
    AlertEvent,
    AlertGroup,
    Escalation,
    EscalationState,
    EventKind,
    GroupStatus,
    StepKind,
)
from console.alerts.suppression.consulting import consult
from console.alerts.working_off import Pipeline, work_off
from console.lib.halving import Culprit
from console.lib.live import announce
from console.lib.rows import fetch

MOST_DUE = 250
GRACE = timedelta(minutes=5)
"""How long whoever has a group may take to answer the reminder."""
AFTER_FAILURE = timedelta(minutes=5)
LOOK_AGAIN = timedelta(minutes=5)
State = EscalationState

_DUE = """
SELECT e.id, e.group_id, e.state = 'acknowledged' AND e.reminded_at IS NOT NULL AND g.key LIKE 'wave:%%'
FROM alerts_escalation e JOIN alerts_alertgroup g ON g.id = e.group_id
WHERE e.due_at <= %s ORDER BY e.due_at, e.id LIMIT %s
"""
_CHILDREN = "SELECT id, parent_id FROM alerts_alertgroup WHERE parent_id = ANY(%s) AND status <> 'resolved'"
_LOCK = "SELECT id FROM alerts_alertgroup WHERE id = ANY(%s) ORDER BY id FOR UPDATE SKIP LOCKED"
_STILL_DUE = "SELECT id FROM alerts_escalation WHERE id = ANY(%s) AND due_at <= %s"


@dataclass(frozen=True, slots=True)
class Due:
    """An escalation whose time has come; its group is locked by this worker."""

    id: int
    group_id: int


def escalate(*, now: datetime) -> int:
    """Tell whatever is due, batch by batch, and keep the findings about what nobody answered. How many were due."""
    handled = 0
    while batch := work_off(ESCALATIONS, now=now):
        handled += batch
    unanswered.settle(now=now)
    return handled


def _claim(now: datetime) -> list[Due]:
    """Groups that somebody else holds are left for the next sweep. A wave that is given back takes its groups along."""
    due = fetch(_DUE, [now, MOST_DUE])
    if not due:
        return []
    waves = [group_id for _, group_id, is_given_back in due if is_given_back]
    children = fetch(_CHILDREN, [waves]) if waves else []
    wanted = {group_id for _, group_id, _ in due} | {child for child, _ in children}
    held = {pk for (pk,) in fetch(_LOCK, [sorted(wanted)])}
    out_of_reach = {wave for child, wave in children if child not in held}
    mine = [Due(pk, group) for pk, group, _ in due if group in held and group not in out_of_reach]
    still = {pk for (pk,) in fetch(_STILL_DUE, [[one.id for one in mine], now])}
    return [one for one in mine if one.id in still]


def _work(due: Sequence[Due], now: datetime) -> None:
    """First what the groups are now, whoever changed them; then what is due of that."""
    follow([one.group_id for one in due], now=now)
    rows = Escalation.objects.filter(pk__in=[one.id for one in due], due_at__lte=now)
    related = ("group__service__team", "group__acknowledged_by", "group__parent")
    escalations = _put_off_under_waves(list(rows.select_related(*related).order_by("group_id")), now=now)
    if not escalations:
        return
    ledger = Ledger(now)
    _look_at_suppressed([e for e in escalations if e.state == State.SUPPRESSED], ledger=ledger)
    for escalation in escalations:
        if escalation.state == State.ACKNOWLEDGED:
            _remind_or_give_back(escalation, ledger=ledger)
        elif escalation.state == State.EXHAUSTED:
            escalation.next_at = escalation.due_at = None
    running = [e for e in escalations if e.state == State.RUNNING]
    if running:
        teller = Teller(running, ledger=ledger)
        for escalation in running:
            teller.advance(escalation)
    ledger.write()
    save(escalations)
    announce("groups", ids=[e.group_id for e in escalations])


def _put_off_under_waves(escalations: Sequence[Escalation], *, now: datetime) -> list[Escalation]:
    """What waits for its wave still, as `follow` has just found, goes on waiting; the others are returned.

    Saved at once: a wave that is given back in the same batch takes its groups along.
    """
    waiting = [
        e for e in escalations if e.next_at is None and e.state in (State.ACKNOWLEDGED, State.WITH_WAVE)
    ]
    for escalation in waiting:
        look_at_wave_again(escalation, now=now)
    save(waiting)
    return [e for e in escalations if e not in waiting]


def _look_at_suppressed(escalations: Sequence[Escalation], *, ledger: Ledger) -> None:
    if not escalations:
        return
    found = consult([e.group for e in escalations], now=ledger.now)
    for escalation in escalations:
        mine = found[escalation.group_id]
        group = escalation.group
        if mine.suppressed_by is None:
            restart(escalation, ledger=ledger, why="The suppression is over")
            if group.silenced_until is not None and group.is_silenced(now=ledger.now):
                escalation.state = State.SILENCED
                escalation.next_at = escalation.due_at = group.silenced_until
        else:
            later = max(mine.until or ledger.now, ledger.now + LOOK_AGAIN)
            escalation.next_at = escalation.due_at = later


def _remind_or_give_back(escalation: Escalation, *, ledger: Ledger) -> None:
    group, now = escalation.group, ledger.now
    if group.silenced_until is not None and group.is_silenced(now=now):
        escalation.next_at = escalation.due_at = group.silenced_until
    elif escalation.reminded_at is None:
        _remind(escalation, ledger=ledger)
    else:
        _give_back(escalation, ledger=ledger)


def _remind(escalation: Escalation, *, ledger: Ledger) -> None:
    group, now = escalation.group, ledger.now
    due_at = escalation.next_at or now
    escalation.reminded_at = now
    escalation.next_at = escalation.due_at = now + GRACE
    text = f"{group.holder} was asked: still on it? Given back at {words.clock(now + GRACE, now=now)}"
    key = ""
    if group.acknowledged_by_id is not None:
        message = words.reminder(
            escalation, group.acknowledged_by_id, due_at=due_at, until=escalation.next_at
        )
        ledger.messages.append(message)
        key = message.key
    else:
        text = f"{group.holder} has it and cannot be asked. Given back at {words.clock(now + GRACE, now=now)}"
    ledger.step(escalation, StepKind.REMINDED, text, key=key, due_at=due_at)
    ledger.steps[-1].person_id = group.acknowledged_by_id
    ledger.event(group, EventKind.REMINDED, text)


def _give_back(escalation: Escalation, *, ledger: Ledger) -> None:
    """The acknowledgement ends: nobody has it, and the escalation goes on."""
    group, now = escalation.group, ledger.now
    since = group.acknowledged_at or now
    why = f"{group.holder} had it since {words.clock(since, now=now)} and did not answer the reminder"
    holder = group.acknowledged_by_id
    _untake(group)
    ledger.event(group, EventKind.EXPIRED, why)
    if group.is_wave:
        _give_children_back(group, ledger=ledger)
    if escalation.is_paging:
        restart(escalation, ledger=ledger, why=why)
    else:
        escalation.state, escalation.ended_at = State.ENDED, now
        escalation.next_at = escalation.due_at = None
    ledger.step(escalation, StepKind.EXPIRED, why)
    ledger.steps[-1].person_id = holder


def _untake(group: AlertGroup) -> None:
    group.status, group.acknowledged_at = GroupStatus.TRIGGERED, None
    group.acknowledged_by, group.acknowledged_by_label = None, ""
    group.version += 1
    group.save(
        update_fields=["status", "acknowledged_at", "acknowledged_by", "acknowledged_by_label", "version"]
    )


def _give_children_back(wave: AlertGroup, *, ledger: Ledger) -> None:
    """Those that came with the wave go with it. The claim holds their locks."""
    given: list[int] = []
    for child in AlertGroup.objects.open().filter(parent=wave.pk).order_by("pk"):
        event: AlertEvent | None = handing_down.unacknowledge(child, wave, None, ledger.now)
        if event is not None:
            event.group, event.at = child, ledger.now
            ledger.events.append(event)
            child.version += 1
            child.save()
            given.append(child.pk)
    follow(given, now=ledger.now)


def _put_aside(culprits: Sequence[Culprit[Due]], now: datetime) -> None:
    """An escalation that cannot be worked on is tried again soon, and a finding stands on the board."""
    ids = [culprit.item.id for culprit in culprits]
    Escalation.objects.open().filter(pk__in=ids).update(due_at=now + AFTER_FAILURE)
    unanswered.say_failed(len(ids), culprits[0].detail, now=now)


def _finish(due: Sequence[Due], now: datetime) -> None:
    Escalation.objects.filter(pk__in=[one.id for one in due], put_off_count__gt=0).update(put_off_count=0)


ESCALATIONS = Pipeline(
    name="escalate",
    queue="alerts_escalation",
    claim=_claim,
    work=_work,
    put_aside=_put_aside,
    finish=_finish,
)
