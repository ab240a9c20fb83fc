"""A silence outlasts the group it was set on: what closes and opens again before its end stays quiet.

A group that re-opens kept its silence. A new group of the same key takes over that of the one before it, and says so
in its history; the one before is only read, so no lock on it is needed.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from console.alerts.models import AlertEvent, AlertGroup, EventKind
from console.lib.rows import fetch

_BEFORE = """
SELECT g.id, b.id, b.silenced_until, b.silenced_by_id
FROM alerts_alertgroup g
CROSS JOIN LATERAL (
    SELECT p.id, p.silenced_until, p.silenced_by_id FROM alerts_alertgroup p
    WHERE p.origin = g.origin AND p.key = g.key AND p.id < g.id AND p.resolution <> 'late'
    ORDER BY p.id DESC LIMIT 1
) b
WHERE g.id = ANY(%s) AND b.silenced_until > %s
ORDER BY g.id
"""


def carry_over(opened: Collection[AlertGroup], *, now: datetime) -> None:
    """Silence groups that were opened just now as the ones before them were. The caller holds their locks."""
    if not opened:
        return
    by_id = {group.pk: group for group in opened}
    events = []
    for pk, before, until, person in fetch(_BEFORE, [list(by_id), now]):
        group = by_id[pk]
        group.silenced_until, group.silenced_by_id = until, person
        group.due_at = min(until, group.due_at) if group.due_at else until
        text = f"Carried over from #{before}, which closed before its silence ended"
        data = {"until": until.isoformat(), "from": before}
        events.append(AlertEvent(group=group, at=now, kind=EventKind.SILENCED, text=text, data=data))
    silenced = [event.group for event in events]
    AlertGroup.objects.bulk_update(silenced, ["silenced_until", "silenced_by", "due_at"])
    AlertEvent.objects.bulk_create(events)


def keep(group: AlertGroup, *, now: datetime) -> str:
    """A group that opens again: a silence that still lasts goes on, and the text says so; one that is over is gone."""
    until = group.silenced_until
    if until is None:
        return ""
    if until <= now:
        group.silenced_until = None
        return ""
    group.due_at = min(until, group.due_at) if group.due_at else until
    return f"Its silence goes on until {until:%-d %b %H:%M} UTC."
