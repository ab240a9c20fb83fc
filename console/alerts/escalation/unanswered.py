"""Alerts that nobody answered, and escalations that fail.

What nobody answered is said by the group itself and by a banner on every page; a second group about it would only
stand in the way. Escalating that fails is a critical finding, which closes when everybody who was due was told.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import F

from console.alerts.findings import close_finding, open_finding
from console.alerts.models import AlertGroup, AlertGroupQuerySet, Escalation, EscalationState, Severity

FAILED = "escalation_failed"


def unanswered(origin: str) -> AlertGroupQuerySet:
    """Open groups whose whole policy was told, and nobody has them yet."""
    exhausted = Escalation.objects.filter(state=EscalationState.EXHAUSTED, group__origin=origin)
    return AlertGroup.objects.open().filter(pk__in=exhausted.values("group"))


def settle(*, now: datetime) -> None:
    """Close the finding about failing once nothing failed is left. One query where there is none."""
    has_failed = AlertGroup.objects.open().filter(key=FAILED).exists()
    if has_failed and not Escalation.objects.open().filter(due_at__gt=F("next_at")).exists():
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
