"""Where a group's escalation stands, for programs: who was told, who is next and when."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Router, Schema

from console.accounts.api_auth import TokenAuth, token_of
from console.accounts.models import Scope
from console.alerts.escalation.plan import plan_of
from console.alerts.models import AlertGroup
from console.alerts.queries import steps_of

router = Router(tags=["alert groups"])
READ = TokenAuth(Scope.READ)


class AheadOut(Schema):
    """One thing to come; `at` null: not before something else happens."""

    at: datetime | None
    what: str
    whom: str


class StepOut(Schema):
    """One thing that was done; `due_at` where it had been planned for a moment."""

    at: datetime
    due_at: datetime | None
    kind: str
    level: int
    pass_number: int
    to: str | None
    why: str
    notification_key: str


class EscalationOut(Schema):
    """The newest escalation of a group. `state` null: nobody was ever to be told."""

    state: str | None
    policy: str | None
    version: int | None
    chosen_because: str
    level: int
    next_at: datetime | None
    ahead: list[AheadOut]
    steps: list[StepOut]


@router.get("/alert-groups/{int:pk}/escalation", response=EscalationOut, auth=READ)
def group_escalation(request: HttpRequest, pk: int) -> EscalationOut:
    """The plan ahead and what was done, the newest first."""
    rows = AlertGroup.objects.of_origin(token_of(request).origin)
    group = get_object_or_404(rows.select_related("service", "acknowledged_by", "parent"), pk=pk)
    plan = plan_of(group, now=timezone.now())
    escalation = plan.escalation if plan else None
    return EscalationOut(
        state=escalation.state if escalation else None,
        policy=plan.policy.name if plan else None,
        version=plan.policy.version if plan else None,
        chosen_because=escalation.chosen_because if escalation else "",
        level=escalation.level if escalation else 0,
        next_at=escalation.next_at if escalation else None,
        ahead=[AheadOut(at=one.at, what=one.what, whom=one.whom) for one in plan.ahead] if plan else [],
        steps=[
            StepOut(
                at=step.at,
                due_at=step.due_at,
                kind=step.kind,
                level=step.level,
                pass_number=step.pass_number,
                to=str(step.person or step.channel or "") or None,
                why=step.why,
                notification_key=step.notification_key,
            )
            for step in steps_of(group)
        ],
    )
