"""Flapping: what opens again and again is told of once in half an hour, and shown as what it is.

A key (a service, a zone, a rule's subject) that opened four times within an hour flaps. Where somebody was told of it
already, its newest opening stays quiet until half an hour after that; if it is open then, it is decided on anew. What
gets worse than what was told speaks at once. It ends by itself: an opening that is not the fourth within an hour is as
any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from console.alerts.models import AlertGroup
from console.alerts.receipts import Told
from console.lib.rows import as_table, fetch, run

OPENINGS = 4
WITHIN = timedelta(hours=1)
TOLD_EVERY = timedelta(minutes=30)

_HISTORY = """
SELECT o.id, opened.times, told.decision, told.severity, told.at, told.rule
FROM alerts_alertgroup o
CROSS JOIN LATERAL (
    SELECT array_agg(e.at ORDER BY e.at) AS times FROM alerts_alertgroup s JOIN alerts_alertevent e ON e.group_id = s.id
    WHERE s.origin = o.origin AND s.key = o.key AND (s.resolved_at IS NULL OR s.resolved_at > %(since)s)
      AND s.resolution <> 'late' AND e.kind IN ('triggered', 'reopened')
      AND e.by_id IS NULL AND e.by_label = '' AND e.at > %(since)s
      AND e.at <= %(now)s
) opened
LEFT JOIN LATERAL (
    SELECT r.decision, r.severity, r.at, r.rule FROM alerts_alertgroup s JOIN alerts_receipt r ON r.group_id = s.id
    WHERE s.origin = o.origin AND s.key = o.key AND (s.resolved_at IS NULL OR s.resolved_at > %(since)s)
      AND r.decision IN ('page', 'ticket') AND r.at > %(since)s AND r.at <= %(now)s
    ORDER BY r.at DESC, r.id DESC LIMIT 1
) told ON true
WHERE o.id = ANY(%(ids)s)
"""
_WRITTEN = {
    "id": "bigint",
    "opening_count": "int",
    "flapping_until": "timestamptz",
    "flapping_severity": "text",
    "flapping_decision": "text",
    "due_at": "timestamptz",
}
_SET = ", ".join(f"{name} = f.{name}" for name in _WRITTEN if name != "id")


def mark(groups: Sequence[AlertGroup], *, now: datetime) -> None:
    """Look at those of these locked groups that opened just now; whoever flaps is marked, in the row and in memory."""
    opened = {group.pk: group for group in groups if _may_have_opened(group, now=now)}
    if not opened:
        return
    changed = []
    for pk, times, *told in fetch(_HISTORY, {"ids": list(opened), "since": now - WITHIN, "now": now}):
        has_just_opened = times and times[-1] == now
        if has_just_opened and judge(opened[pk], times, Told(*told) if told[0] else None, now=now):
            changed.append(opened[pk])
    if not changed:
        return
    rows = [tuple(getattr(group, "pk" if name == "id" else name) for name in _WRITTEN) for group in changed]
    table, values = as_table(rows, _WRITTEN, name="f")
    run(f"UPDATE alerts_alertgroup g SET {_SET} FROM {table} WHERE g.id = f.id", values)  # noqa: S608


def judge(group: AlertGroup, openings: Sequence[datetime], told: Told | None, *, now: datetime) -> bool:
    """Mark a group that opened just now. `openings` of its key, this one among them; `told`: of the key last.

    False: nothing differs. Pure: replay calls it too.
    """
    count = sum(now - WITHIN < at <= now for at in openings)
    quiet_until = told.at + TOLD_EVERY if told else now
    is_flapping = count >= OPENINGS and quiet_until > now
    if not is_flapping and group.flapping_until is None:
        return False
    group.opening_count = min(count, 32_767)
    group.flapping_until = quiet_until if is_flapping else None
    group.flapping_severity, group.flapping_decision = (
        (told.severity, told.decision) if told and is_flapping else ("", "")
    )
    if is_flapping:
        group.due_at = min(quiet_until, group.due_at) if group.due_at else quiet_until
    return True


def _may_have_opened(group: AlertGroup, *, now: datetime) -> bool:
    """A new one, or one that opened once more under its cooldown, now or before."""
    is_again = group.cooldown_until is not None and group.cooldown_until > now
    return group.is_open and (group.triggered_at == now or is_again)
