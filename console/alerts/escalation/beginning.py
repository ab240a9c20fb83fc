"""What a decision sets going: a page begins an escalation, a ticket a work item; a log nothing.

Nobody is told here: `firing.py` does it a moment later, in a transaction of its own, so that a roster that
cannot be read never holds up a decision.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from console.alerts.escalation import words
from console.alerts.escalation.bells import ESCALATE
from console.alerts.escalation.following import of_groups, save, whose
from console.alerts.escalation.ledger import Ledger
from console.alerts.escalation.telling import restart
from console.alerts.models import (
    AlertGroup,
    Decision,
    Escalation,
    EscalationState,
    GroupStatus,
    Receipt,
    StepKind,
)
from console.alerts.suppression.consulting import consult
from console.alerts.tickets import opening
from console.lib.bulk import update_rows
from console.notifications.models import NotificationKind
from console.notifications.outbox import Recipient, call_off
from console.oncall.policies import Chosen, choose

LOOK_AGAIN = timedelta(minutes=5)
State = EscalationState


def begin(receipts: Sequence[Receipt], *, now: datetime) -> None:
    """Called by `routing.py` with the receipts that were new, in its transaction. Twice is harmless.

    Each page's receipt then says under `inputs.escalation` which policy holds, why, or why nobody is told.
    """
    pages = {r.group_id: r for r in receipts if r.decision == Decision.PAGE}
    hidden = {r.group_id: r for r in receipts if r.decision == Decision.SUPPRESS}
    if pages or hidden:
        groups = lock([*pages, *hidden])
        escalations = {e.group_id: e for e in of_groups(list(groups))}
        _hold([escalations[pk] for pk in hidden if pk in escalations], now=now)
        _begin_or_join(pages, groups, escalations, now=now)
    opening.open_for([r for r in receipts if r.decision == Decision.TICKET], now=now)


def lock(group_ids: Collection[int]) -> dict[int, AlertGroup]:
    """The rows that guard their escalations. Routing holds them already; whoever pages by hand does not."""
    rows = AlertGroup.objects.filter(pk__in=group_ids).select_for_update(of=("self",)).order_by("pk")
    related = ("service__team", "service__owner", "acknowledged_by", "parent")
    return {group.pk: group for group in rows.select_related(*related)}


def _begin_or_join(
    pages: Mapping[int, Receipt],
    groups: Mapping[int, AlertGroup],
    escalations: Mapping[int, Escalation],
    *,
    now: datetime,
) -> None:
    ledger = Ledger(now)
    fresh: list[AlertGroup] = []
    for pk, receipt in pages.items():
        group = groups[pk]
        if not group.is_open:
            _note(receipt, "Nobody is told: the group is over")
        elif (escalation := escalations.get(pk)) is None:
            fresh.append(group)
        else:
            _join(escalation, receipt, ledger=ledger)
    for escalation in start(fresh, pages, now=now):
        _note(pages[escalation.group_id], _begun(escalation), escalation)
    ledger.write()
    save([escalations[pk] for pk in pages if pk in escalations])
    update_rows([r for r in pages.values() if r.pk], ["inputs"])


def start(
    groups: Sequence[AlertGroup], receipts: Mapping[int, Receipt], *, now: datetime
) -> list[Escalation]:
    """New escalations of locked groups that have none open; due at once, unless something holds them."""
    chosen = {
        origin: choose([whose(group) for group in groups if group.origin == origin], origin=origin)
        for origin in sorted({group.origin for group in groups})
    }
    rows = [_new(group, chosen[group.origin][whose(group)], receipts[group.pk], now=now) for group in groups]
    Escalation.objects.bulk_create(rows)
    if rows:
        transaction.on_commit(ESCALATE.ring)
    return rows


def _new(group: AlertGroup, chosen: Chosen, receipt: Receipt, *, now: datetime) -> Escalation:
    state, due_at = State.RUNNING, now
    if group.status == GroupStatus.ACKNOWLEDGED:
        minutes = chosen.policy.acknowledged_minutes
        state, due_at = State.ACKNOWLEDGED, now + timedelta(minutes=minutes)
    elif group.silenced_until is not None and group.is_silenced(now=now):
        state, due_at = State.SILENCED, group.silenced_until
    return Escalation(
        origin=group.origin,
        group=group,
        state=state,
        policy=chosen.policy.as_json,
        chosen_because=chosen.why,
        begun_by=f"{receipt.rule} on {receipt.trigger}"[:200],
        started_at=now,
        rounds_left=chosen.policy.repeats,
        next_at=due_at,
        due_at=due_at,
    )


def _join(escalation: Escalation, receipt: Receipt, *, ledger: Ledger) -> None:
    """The group pages already: who has it is told; what was held by a suppression or exhausted goes on."""
    group = escalation.group
    escalation.is_paging = True
    match escalation.state:
        case State.ACKNOWLEDGED:
            _tell_holder(escalation, receipt, ledger=ledger)
            _note(receipt, f"{group.holder} has it and is told; nobody else is", escalation)
        case State.SUPPRESSED | State.EXHAUSTED | State.WITH_WAVE:
            restart(escalation, ledger=ledger, why=receipt.reason)
            _note(receipt, _begun(escalation), escalation)
        case State.SILENCED:
            _note(receipt, f"Held until the silence ends: {group.silenced_until:%H:%M} UTC", escalation)
        case _:
            _note(receipt, f"Joins the escalation that runs: {_stands(escalation)}", escalation)


def _tell_holder(escalation: Escalation, receipt: Receipt, *, ledger: Ledger) -> None:
    person_id = escalation.group.acknowledged_by_id
    if person_id is None:
        return
    message = words.update(
        escalation,
        Recipient(person_id, None),
        key=f"receipt-{receipt.pk}",
        text=receipt.reason,
        reason="You have it",
    )
    ledger.messages.append(message)
    ledger.step(escalation, StepKind.TOLD, f"has it: {receipt.reason}", key=message.key)
    ledger.steps[-1].person_id = person_id


def _hold(escalations: Iterable[Escalation], *, now: datetime) -> None:
    """A suppression hides these: nothing more is told until it is over, or until something is decided anew."""
    running = [e for e in escalations if e.state in (State.RUNNING, State.EXHAUSTED, State.WITH_WAVE)]
    if not running:
        return
    ledger = Ledger(now)
    found = consult([e.group for e in running], now=now)
    kinds = [NotificationKind.PAGE, NotificationKind.UPDATE]
    subjects = [words.subject_of(e.group_id) for e in running]
    call_off(subjects, kinds=kinds, reason="Suppressed", now=now)
    for escalation in running:
        mine = found[escalation.group_id]
        escalation.state = State.SUPPRESSED
        escalation.next_at = escalation.due_at = max(mine.until or now, now + LOOK_AGAIN)
        ledger.step(escalation, StepKind.HELD, mine.words or "Suppressed")
    ledger.write()
    save(running)


def _note(receipt: Receipt, text: str, escalation: Escalation | None = None) -> None:
    told: dict[str, object] = {"said": text}
    if escalation is not None:
        policy = escalation.frozen
        told |= {
            "id": escalation.pk,
            "policy": policy.name,
            "version": policy.version,
            "because": escalation.chosen_because,
        }
    receipt.inputs = {**receipt.inputs, "escalation": told}


def _begun(escalation: Escalation) -> str:
    return f"{escalation.frozen.name}, {escalation.chosen_because}: {_stands(escalation)}"


def _stands(escalation: Escalation) -> str:
    if escalation.state == State.RUNNING:
        return f"level {escalation.level} was told" if escalation.level else "level 1 is told at once"
    return str(State(escalation.state).label).lower()
