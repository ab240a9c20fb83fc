"""What people do to an escalation by hand: tell the next level now, or page somebody by name.

Each runs under the group's lock, in the caller's transaction, and leaves a receipt as every page does.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from console.accounts.models import User
from console.alerts.escalation import words
from console.alerts.escalation.beginning import lock, start
from console.alerts.escalation.following import BY_HAND as RULE
from console.alerts.escalation.following import of_groups, save
from console.alerts.escalation.ledger import Ledger
from console.alerts.escalation.telling import Teller, restart
from console.alerts.models import (
    AlertEvent,
    AlertGroup,
    Decision,
    Escalation,
    EscalationState,
    EscalationStep,
    EventKind,
    GroupStatus,
    Receipt,
    StepKind,
)
from console.notifications.outbox import Recipient
from console.oncall.policies import Frozen, Level, Target
from console.oncall.reaching import Reach

TWICE_WITHIN = timedelta(minutes=2)
ANSWER_WITHIN = 10
"""Minutes that somebody paged by name has, before every administrator hears that nobody answered."""
State = EscalationState


class CannotTell(Exception):
    """Nobody is told by this; the text says what to do instead."""


def escalate_now(group: AlertGroup, *, by: str, now: datetime) -> AlertEvent:
    """Tell the next level without waiting. Who has the group keeps it."""
    mine = lock([group.pk])[group.pk]
    if mine.is_silenced(now=now):
        raise CannotTell("It is silenced. Lift the silence first, or page somebody by name.")
    ledger = Ledger(now)
    escalation = next(iter(of_groups([group.pk])), None)
    if escalation is None:
        escalation = _start(mine, by=by, now=now)
    because = f"{by} escalated it"
    if mine.status == GroupStatus.ACKNOWLEDGED:
        because = f"{by} asks for help; {mine.holder} has it"
    _advance(escalation, because=because, ledger=ledger)
    ledger.write()
    save([escalation])
    return AlertEvent(kind=EventKind.ESCALATED, text="Without waiting")


def page(group: AlertGroup, person: User, *, text: str, by: str, now: datetime) -> AlertEvent:
    """Page one person now, whoever is on call."""
    if not person.is_active:
        raise CannotTell(f"{person} has left.")
    mine = lock([group.pk])[group.pk]
    lately = EscalationStep.objects.filter(
        group=group, person=person, kind=StepKind.BY_HAND, at__gt=now - TWICE_WITHIN
    )
    if lately.exists():
        raise CannotTell(f"{person} was paged by hand a moment ago.")
    ledger = Ledger(now)
    escalation = next(iter(of_groups([group.pk])), None) or _start(mine, person=person, by=by, now=now)
    escalation.is_paging = True
    because = f"{by} pages you" + (f": “{text}”" if text else "")
    reach = Reach(str(person), "paged by name", person_id=person.pk)
    message = words.page(
        escalation, reach, because=because, due_at=None, now=now, step=f"hand-{int(now.timestamp())}"
    )
    ledger.messages.append(message)
    ledger.step(escalation, StepKind.BY_HAND, because, reach=reach, key=message.key)
    ledger.write()
    save([escalation])
    return AlertEvent(kind=EventKind.TOLD, text=f"Paged {person} by name" + (f": {text}" if text else ""))


def tell_given(group: AlertGroup, person: User, *, by: str, now: datetime) -> None:
    """Somebody gave the group to this person, who hears of it and has it from now on."""
    ledger = Ledger(now)
    for escalation in of_groups([group.pk]):
        because = f"{by} gave it to you"
        reach = Reach(str(person), because, person_id=person.pk)
        message = words.update(
            escalation,
            Recipient(person.pk, None),
            key=f"given-{int(now.timestamp())}",
            text=f"{because}: you have it now. Say so on its page if you cannot take it.",
            reason=because,
        )
        ledger.messages.append(message)
        ledger.step(escalation, StepKind.BY_HAND, because, reach=reach, key=message.key)
    ledger.write()


def _advance(escalation: Escalation, *, because: str, ledger: Ledger) -> None:
    """Told on top of whatever the escalation waits for, which then stays as it was where somebody has it."""
    escalation.is_paging = True
    if escalation.state in (State.EXHAUSTED, State.SUPPRESSED):
        restart(escalation, ledger=ledger, why=because)
    is_held = escalation.state in (State.ACKNOWLEDGED, State.WITH_WAVE)
    waits_for = escalation.next_at, escalation.due_at
    escalation.next_at = None  # nothing was due, so nothing is late
    is_told = Teller([escalation], ledger=ledger).advance(escalation, because=because, may_repeat=not is_held)
    if is_held:
        if not is_told:
            raise CannotTell("Everybody on the policy was told already. Page somebody by name.")
        escalation.next_at, escalation.due_at = waits_for


def _start(group: AlertGroup, *, by: str, now: datetime, person: User | None = None) -> Escalation:
    """An escalation that a person begins: of the group's policy, or of one name."""
    receipt = Receipt.objects.create(
        origin=group.origin,
        group=group,
        trigger=f"{RULE}:{now:%Y-%m-%dT%H:%M:%S.%f}",
        rule=RULE,
        decision=Decision.PAGE,
        reason=f"{by} pages {person}" if person else f"{by} escalated it",
        inputs={"severity": group.severity, "status": group.status, "impact": group.impact},
        at=now,
    )
    (escalation,) = start([group], {group.pk: receipt}, now=now)
    if person is not None and escalation.state == State.RUNNING:
        level = Level(ANSWER_WITHIN, (Target("person", person.pk, str(person)),))
        escalation.policy = Frozen("Paged by name", (level,)).as_json
        escalation.chosen_because, escalation.rounds_left = f"{by} paged {person} by name", 0
        escalation.level = escalation.told_count = 1
        escalation.next_at = escalation.due_at = now + timedelta(minutes=ANSWER_WITHIN)
        escalation.save()
    return escalation
