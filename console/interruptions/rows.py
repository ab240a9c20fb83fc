"""One interruption as a dense line of a board: plain values, ready for the template."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count
from django.urls import reverse

from console.interruptions.models import Interruption, Move, State

STAGES = ("Noticed", "Cordoned", "Draining", "Hook", "Gone", "Rescheduled")
"""The stepper of a reclaim, in the words of the boards."""
_STAGE_OF_STATE = {
    State.AT_RISK: 0,
    State.NOTICED: 0,
    State.CORDONED: 1,
    State.DRAINING: 2,
    State.SHUTTING_DOWN: 3,
    State.SHUT_DOWN: 3,
    State.ENDED: 4,
    State.PRESUMED: 4,
    State.CANCELLED: 0,
    State.NO_ACTION: 0,
}
GONE, RESCHEDULED = len(STAGES) - 2, len(STAGES) - 1


@dataclass(frozen=True, slots=True)
class InterruptionRow:
    """What `components/_interruption_row.html` shows."""

    id: int
    url: str
    key: str
    machine: str
    state: str
    state_label: str
    service: str
    service_url: str
    impact: str
    pool: str
    region: str
    stage_index: int
    stage_label: str
    witnesses: int
    owner: str
    notice_at: datetime | None
    deadline_at: datetime | None
    ended_at: datetime | None
    started_at: datetime
    cause: str

    @property
    def spare(self) -> timedelta | None:
        """From the end to the deadline: positive is time to spare, negative an overrun."""
        if self.ended_at is None or self.deadline_at is None:
            return None
        return self.deadline_at - self.ended_at


def stage_of(interruption: Interruption, *, pending: int = 0) -> int:
    """How far along the stepper: 0 noticed … 5 rescheduled, which it is once no move is pending."""
    stage = _STAGE_OF_STATE[State(interruption.state)]
    if interruption.running_at is not None and not pending and stage >= GONE:
        return RESCHEDULED
    return stage


def _stage_label(stage: int, *, pending: int) -> str:
    if stage == GONE and pending:
        return f"Gone, {pending} move{'' if pending == 1 else 's'} pending"
    return STAGES[stage]


def _pending_moves(interruptions: Sequence[Interruption]) -> dict[int, int]:
    """Workloads that left a gone machine and do not run again yet, by interruption; asked only where some left."""
    left = [i.pk for i in interruptions if i.evicted_at and _STAGE_OF_STATE[State(i.state)] == GONE]
    if not left:
        return {}
    waiting = Move.objects.filter(interruption__in=left, running_at=None).values_list("interruption")
    return {int(pk): count for pk, count in waiting.annotate(count=Count("pk")).order_by()}


def interruption_row(interruption: Interruption, *, impact: str = "", pending: int = 0) -> InterruptionRow:
    """Needs `service__team`, `machine` and `pool` selected along."""
    stage = stage_of(interruption, pending=pending)
    service = interruption.service
    return InterruptionRow(
        id=interruption.pk,
        url=reverse("dashboards:interruption_detail", args=[interruption.pk]),
        key=interruption.key,
        machine=str(interruption.machine),
        state=interruption.state,
        state_label=interruption.get_state_display(),
        service=service.name,
        service_url=reverse("fleet:service_detail", args=[service.slug]),
        impact=f"{interruption.machine} · {impact}" if impact else str(interruption.machine),
        pool=str(interruption.pool) if interruption.pool else interruption.region or interruption.provider,
        region=interruption.region,
        stage_index=stage,
        stage_label=_stage_label(stage, pending=pending),
        witnesses=interruption.witness_count,
        owner=service.team.name if service.team else "",
        notice_at=interruption.notice_at,
        deadline_at=interruption.deadline_at,
        ended_at=interruption.ended_at,
        started_at=interruption.started_at,
        cause=interruption.get_cause_display(),
    )


def interruption_rows(
    interruptions: Iterable[Interruption], *, impacts: dict[int, str] | None = None
) -> Sequence[InterruptionRow]:
    """Rows with the impact on each service, by service id; one query for all moves."""
    said, rows = impacts or {}, list(interruptions)
    pending = _pending_moves(rows)
    return [
        interruption_row(i, impact=said.get(i.service_id, ""), pending=pending.get(i.pk, 0)) for i in rows
    ]
