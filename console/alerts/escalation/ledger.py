"""What one turn of escalations writes, gathered and stored together: messages, steps, lines of history."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from console.alerts.models import AlertEvent, AlertGroup, Escalation, EscalationStep, EventKind, StepKind
from console.notifications.outbox import Message, put
from console.oncall.reaching import Reach


@dataclass(slots=True)
class Ledger:
    """Stored by `write`, in the caller's transaction."""

    now: datetime
    messages: list[Message] = field(default_factory=list)
    steps: list[EscalationStep] = field(default_factory=list)
    events: list[AlertEvent] = field(default_factory=list)

    def step(
        self,
        escalation: Escalation,
        kind: StepKind,
        why: str,
        *,
        reach: Reach | None = None,
        key: str = "",
        due_at: datetime | None = None,
    ) -> None:
        self.steps.append(
            EscalationStep(
                group_id=escalation.group_id,
                escalation=escalation,
                at=self.now,
                due_at=due_at,
                kind=kind,
                pass_number=escalation.pass_number,
                level=escalation.level,
                person_id=reach.person_id if reach else None,
                channel_id=reach.channel_id if reach else None,
                why=why[:300],
                notification_key=key,
            )
        )

    def event(self, group: AlertGroup, kind: EventKind, text: str, **data: object) -> None:
        self.events.append(AlertEvent(group=group, at=self.now, kind=kind, text=text, data=data))

    def write(self) -> None:
        if self.messages:
            put(self.messages, now=self.now)
        EscalationStep.objects.bulk_create(self.steps)
        AlertEvent.objects.bulk_create(self.events)
