"""Writing the windows of repeating suppressions as rows, five weeks ahead. Twice is harmless."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction

from console.alerts.models import Suppression, SuppressionOccurrence
from console.alerts.suppression.recurrence import AHEAD, Rule, Window, moment, wall_clock, windows

EVERY = timedelta(days=1)


def expand(suppression: Suppression, *, now: datetime) -> None:
    """Write what starts until `AHEAD`, and when to go on. The caller holds the row."""
    if not suppression.rrule:
        once = Window(suppression.starts_at, suppression.starts_at + suppression.duration)
        _write(suppression, [once])
        suppression.expanded_until, suppression.expand_at = once.ends_at, None
    else:
        rule, zone, until = Rule.parse(suppression.rrule), ZoneInfo(suppression.time_zone), now + AHEAD
        since = max(suppression.expanded_until, now - suppression.duration)
        found = windows(
            rule,
            first=suppression.starts_at,
            duration=suppression.duration,
            zone=zone,
            since=since,
            until=until,
        )
        _write(suppression, found)
        goes_on = any(
            moment(wall, zone) >= until for wall in rule.starts(wall_clock(suppression.starts_at, zone), zone)
        )
        suppression.expanded_until = max(suppression.expanded_until, until)
        suppression.expand_at = now + EVERY if goes_on else None
    suppression.save(update_fields=["expanded_until", "expand_at"])


def expand_due(*, now: datetime) -> int:
    """Go on with those whose time has come, one a transaction. Returns how many."""
    count = 0
    while _expand_one(now=now):
        count += 1
    return count


@transaction.atomic
def _expand_one(*, now: datetime) -> bool:
    due = Suppression.objects.due(now=now).order_by("expand_at", "pk")
    suppression = due.select_for_update(skip_locked=True, no_key=True).first()
    if suppression is None:
        return False
    expand(suppression, now=now)
    return True


def _write(suppression: Suppression, found: Iterable[Window]) -> None:
    SuppressionOccurrence.objects.bulk_create(
        (
            SuppressionOccurrence(
                origin=suppression.origin,
                suppression=suppression,
                starts_at=window.starts_at,
                ends_at=window.ends_at,
                due_at=window.starts_at,
            )
            for window in found
        ),
        ignore_conflicts=True,
    )
