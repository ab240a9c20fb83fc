"""Groups that nobody answered, and escalations that fail, each as a critical finding on every board.

The finding follows the facts: it opens where an escalation is exhausted, and closes when somebody has the group.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import F

from console.alerts.escalation.beginning import UNANSWERED
from console.alerts.findings import Finding, close_finding, close_findings, open_finding, open_findings
from console.alerts.models import AlertGroup, AlertGroupQuerySet, Escalation, EscalationState, Severity

FAILED = "escalation_failed"


def open_unanswered() -> AlertGroupQuerySet:
    """The open findings about groups that nobody answered."""
    return AlertGroup.objects.open().filter(key__startswith=UNANSWERED)


def settle(*, now: datetime) -> None:
    """Open what is missing and close what is over. Two queries where nothing is to be done."""
    exhausted = Escalation.objects.filter(state=EscalationState.EXHAUSTED).select_related("group__service")
    alone = {f"{UNANSWERED}{e.group_id}": e.group for e in exhausted.order_by("group_id")}
    findings = open_unanswered() | AlertGroup.objects.open().filter(key=FAILED)
    told = {finding.key: finding for finding in findings.order_by("pk")}
    open_findings([_finding(key, alone[key]) for key in sorted(alone.keys() - told.keys())], now=now)
    over = sorted(told.keys() - alone.keys() - {FAILED})
    close_findings({(told[key].origin, key): "Somebody has it, or it is over" for key in over}, now=now)
    if FAILED in told and not Escalation.objects.open().filter(due_at__gt=F("next_at")).exists():
        close_finding(FAILED, text="Everybody who was due was told after all", now=now)


def say_failed(count: int, detail: str, *, now: datetime) -> None:
    """Somebody may not have been told. One finding, however many fail: it may be what fails itself."""
    whose = "1 alert" if count == 1 else f"{count} alerts"
    open_finding(
        FAILED,
        title="Escalating fails",
        text=f"Whoever is next for {whose} was not told; it is tried again in 5 minutes. {detail}",
        severity=Severity.CRITICAL,
        now=now,
    )


def _finding(key: str, group: AlertGroup) -> Finding:
    return Finding(
        key=key,
        title=f"Nobody answered: {group.title}"[:200],
        text=f"Everybody on its policy was told, and every administrator. {group.impact}",
        severity=Severity.CRITICAL,
        origin=group.origin,
        detector="console_failure",
    )
