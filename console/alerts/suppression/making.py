"""Making a suppression: checked, written with its first windows, audited."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from console.accounts.audit import record
from console.alerts.handling import By
from console.alerts.models import Suppression, SuppressionScope
from console.alerts.suppression.draft import Draft, check_allowed
from console.alerts.suppression.expanding import expand
from console.lib.live import announce


@transaction.atomic
def make(draft: Draft, *, by: By, now: datetime) -> Suppression:
    """Raises `Refused`. What it covers and is open is looked at within a second, by the alerts queue."""
    draft.check(now=now)
    check_allowed(draft, by.user, now=now)
    suppression = Suppression.objects.create(
        origin=draft.origin,
        kind=draft.kind,
        name=draft.name.strip(),
        reason=draft.reason.strip(),
        author=by.user,
        author_label=by.label,
        team=draft.team,
        starts_at=draft.starts_at,
        ends_at=None if draft.rule else draft.starts_at + draft.duration,
        rrule=str(draft.rule) if draft.rule else "",
        duration=draft.duration,
        time_zone=draft.time_zone,
        share=draft.share,
        needs_signature=draft.needs_signature,
        created_at=now,
        expanded_until=draft.starts_at,
    )
    for scope in draft.scopes:
        scope.suppression = suppression
    SuppressionScope.objects.bulk_create(draft.scopes)
    expand(suppression, now=now)
    after = picture(suppression) | {"scopes": [scope.text for scope in draft.scopes]}
    record(by.actor, action="suppression.create", subject=suppression, after=after, now=now)
    announce("suppressions")
    return suppression


def picture(suppression: Suppression) -> dict[str, object]:
    """A suppression as the audit trail shows it."""
    return {
        "kind": suppression.kind,
        "reason": suppression.reason,
        "starts_at": suppression.starts_at.isoformat(),
        "ends_at": suppression.ends_at.isoformat() if suppression.ends_at else None,
        "rrule": suppression.rrule,
        "minutes": int(suppression.duration.total_seconds() // 60),
        "time_zone": suppression.time_zone,
        "share": suppression.share,
        "needs_signature": suppression.needs_signature,
    }
