"""What a decision leaves behind where suppressions were looked at: the ledger, and the flag on each group."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from console.alerts.models import AlertEvent, AlertGroup, Decision, EventKind, SuppressionHit
from console.alerts.suppression.consulting import Consulted
from console.alerts.touched import Touched
from console.lib.live import announce
from console.lib.rows import as_table, run

_FLAG = """
UPDATE alerts_alertgroup g SET suppressed_until = f.until, suppressed_by_id = f.suppression_id
FROM {flags} WHERE g.id = f.id
"""


def write_down(
    touched: Touched,
    consulted: Mapping[int, Consulted],
    *,
    hidden: Mapping[int, Decision],
    now: datetime,
) -> None:
    """After the receipts, in their transaction. Twice for the same trigger leaves one line of the ledger.

    `hidden`: by group id, where the receipt says *suppress* for this reason: what it would have said without.
    """
    hits = [
        SuppressionHit(
            occurrence_id=window,
            group=group,
            trigger=touched.triggers[group.pk],
            decision=hidden[group.pk],
            at=now,
        )
        for group in sorted(touched.groups, key=lambda group: group.pk)
        if group.pk in hidden and (window := consulted[group.pk].occurrence) is not None
    ]
    SuppressionHit.objects.bulk_create(hits, ignore_conflicts=True)
    _flag(touched, consulted, now=now)
    if hits:
        announce("suppressions")


def _flag(touched: Touched, consulted: Mapping[int, Consulted], *, now: datetime) -> None:
    """Write on each group what hides it now, where that changed, and tell its history."""
    changed, events = [], []
    for group in touched.groups:
        answer = consulted[group.pk]
        if (group.suppressed_by_id, group.suppressed_until) == (answer.suppressed_by, answer.until):
            continue
        event = _event(group, answer, now=now)
        if event is not None:
            events.append(event)
        group.suppressed_by_id, group.suppressed_until = answer.suppressed_by, answer.until
        changed.append((group.pk, answer.suppressed_by, answer.until))
    if changed:
        columns = {"id": "bigint", "suppression_id": "bigint", "until": "timestamptz"}
        table, values = as_table(sorted(changed), columns, name="f")
        run(_FLAG.format(flags=table), values)
        AlertEvent.objects.bulk_create(events)


def _event(group: AlertGroup, answer: Consulted, *, now: datetime) -> AlertEvent | None:
    if answer.suppressed_by is None:
        if not group.is_open:
            return None
        return AlertEvent(group=group, at=now, kind=EventKind.RELEASED, text="Nothing hides it any more")
    data = {"suppression": answer.suppressed_by}
    return AlertEvent(group=group, at=now, kind=EventKind.SUPPRESSED, text=answer.words, data=data)
