"""The one place that decides whom to tell: page, ticket, log or suppress, each with a receipt.

No rules exist yet, so every decision is *log*: it stands on the board and in the group's history.
"""

from __future__ import annotations

from datetime import datetime

from console.alerts.models import AlertGroup, Decision, Receipt
from console.alerts.suppression.consulting import Consulted, consult
from console.alerts.suppression.hiding import write_down
from console.alerts.touched import Touched

NO_RULE = "no-rule"


def decide(touched: Touched, *, now: datetime) -> list[Receipt]:
    """Decide on every touched group. Twice for the same trigger leaves one receipt."""
    consulted = consult(touched.groups, now=now)
    receipts = [_receipt(group, touched, consulted[group.pk], now=now) for group in touched.groups]
    written = Receipt.objects.bulk_create(receipts, ignore_conflicts=True)
    hidden = {pk: Decision.LOG for pk, answer in consulted.items() if answer.suppressed_by is not None}
    write_down(touched, consulted, hidden=hidden, now=now)
    return written


def _receipt(group: AlertGroup, touched: Touched, consulted: Consulted, *, now: datetime) -> Receipt:
    is_hidden = consulted.suppressed_by is not None
    return Receipt(
        origin=group.origin,
        group=group,
        trigger=touched.triggers[group.pk],
        rule=NO_RULE,
        decision=Decision.SUPPRESS if is_hidden else Decision.LOG,
        reason=consulted.words if is_hidden else _reason(group, touched.late_by.get(group.pk, 0.0)),
        inputs=_inputs(group) | {"suppressions": list(consulted.consulted)},
        at=now,
    )


def _reason(group: AlertGroup, late_by: float) -> str:
    if late_by > 0:
        return f"Late by {_spoken(late_by)}: recorded and counted, nobody is told"
    if group.origin != "live":
        return f"Not sent: {group.origin}"
    if not group.is_open:
        return f"Resolved: {group.get_resolution_display()}"
    return "No rule asks for a page or a ticket: shown on the board"


def _inputs(group: AlertGroup) -> dict[str, object]:
    return {
        "severity": group.severity,
        "status": group.status,
        "members": group.member_count,
        "running_out": group.running_out_count,
        "impact": group.impact,
    }


def _spoken(seconds: float) -> str:
    minutes = int(seconds // 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 60 * 48:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes // (60 * 24)} days"
