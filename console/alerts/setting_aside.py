"""What the alert pipeline cannot work on: kept with its reason, shown beside the quarantine, tried again after a fix.

Newer news of the same interruption is worked on as ever; where it goes through, what was set aside is forgotten,
for correlating looks at what an interruption is now and not at what changed. While anything is set aside a
finding stands on the board: a reclaim that no group holds is a reclaim that nobody is told of.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from console.accounts.audit import Actor, record
from console.alerts.detectors.console_failure import ASIDE
from console.alerts.findings import close_finding, open_finding
from console.alerts.models import AlertGroup, SetAside, Severity
from console.alerts.touched import Change, Due
from console.interruptions.models import InterruptionChange
from console.lib.halving import Culprit
from console.lib.live import announce
from console.lib.origin import Origin
from console.lib.passing import is_passing
from console.lib.rows import as_table, run

logger = logging.getLogger(__name__)

FINDING = "set_aside:alert"
MOST_AT_ONCE = 500
MOST_LISTED = 50

_KEEP_CHANGES = """
INSERT INTO alerts_setaside AS s
    (origin, interruption_id, is_new, is_replay, detail, at, last_at, failed_count)
SELECT i.origin, i.id, bool_or(c.is_new), bool_or(c.is_new AND c.is_replay), min(c.detail), %s, %s, 1
FROM {culprits} JOIN interruptions_interruption i ON i.id = c.interruption_id
GROUP BY i.origin, i.id ORDER BY i.id
ON CONFLICT (interruption_id) DO UPDATE SET is_new = s.is_new OR excluded.is_new,
    is_replay = s.is_replay OR excluded.is_replay, detail = excluded.detail, last_at = excluded.last_at,
    failed_count = s.failed_count + 1
"""
_KEEP_GROUPS = """
INSERT INTO alerts_setaside AS s (origin, group_id, is_new, is_replay, detail, at, last_at, failed_count)
SELECT g.origin, g.id, false, false, c.detail, %s, %s, 1
FROM {culprits} JOIN alerts_alertgroup g ON g.id = c.id ORDER BY g.id
ON CONFLICT (group_id) DO UPDATE SET detail = excluded.detail, last_at = excluded.last_at,
    failed_count = s.failed_count + 1
"""
_NOT_DUE = "UPDATE alerts_alertgroup SET due_at = NULL WHERE id = ANY(%s)"
_FORGET_CHANGES = "DELETE FROM alerts_setaside WHERE interruption_id = ANY(%s)"
_FORGET_GROUPS = "DELETE FROM alerts_setaside WHERE group_id = ANY(%s)"


@dataclass(frozen=True, slots=True)
class Again:
    """What is tried again: a person's wish, by id; or all of an origin."""

    origin: str
    only: Sequence[int] | None = None

    def rows(self) -> QuerySet[SetAside]:
        rows = SetAside.objects.filter(origin=self.origin)
        return rows if self.only is None else rows.filter(pk__in=self.only)


def put_changes_aside(culprits: Sequence[Culprit[Change]], now: datetime) -> None:
    """Keep the interruptions of these changes, once each."""
    rows = [(c.item.interruption_id, c.item.is_new, c.item.is_replay, _kept(c.detail)) for c in culprits]
    columns = {"interruption_id": "bigint", "is_new": "boolean", "is_replay": "boolean", "detail": "text"}
    table, values = as_table(rows, columns, name="c")
    run(_KEEP_CHANGES.format(culprits=table), [now, now, *values])
    tell(now=now)


def put_groups_aside(culprits: Sequence[Culprit[Due]], now: datetime) -> None:
    """Keep these groups and let time alone not come back to them; news of their machines still does."""
    rows = [(culprit.item.id, _kept(culprit.detail)) for culprit in culprits]
    table, values = as_table(rows, {"id": "bigint", "detail": "text"}, name="c")
    run(_KEEP_GROUPS.format(culprits=table), [now, now, *values])
    run(_NOT_DUE, [[culprit.item.id for culprit in culprits]])
    tell(now=now)


def _kept(detail: str) -> str:
    return detail.replace("\x00", "\ufffd")[:500]


def forget_changes(interruption_ids: Sequence[int], *, now: datetime) -> None:
    """Newer news of these interruptions went through."""
    if run(_FORGET_CHANGES, [list(interruption_ids)]):
        tell(now=now)


def forget_groups(group_ids: Sequence[int], *, now: datetime) -> None:
    """These groups could be looked at after all."""
    if run(_FORGET_GROUPS, [list(group_ids)]):
        tell(now=now)


def tell(*, now: datetime) -> None:
    """Let the board's finding say how much is set aside, or close it; told by the same transaction.

    Telling uses what may be broken itself: where it fails the work is set aside all the same.
    """
    count = SetAside.objects.filter(origin=Origin.LIVE).count()
    _unless_broken(lambda: _say(count, now=now))
    announce("quarantine", "groups")


def _say(count: int, *, now: datetime) -> None:
    if not count:
        close_finding(FINDING, text="Nothing is set aside any more", now=now)
        return
    things = "1 thing is" if count == 1 else f"{count} things are"
    text = f"{things} set aside: a reclaim or a group that alerting fails on. See the quarantine."
    title = "Alerting set work aside"
    open_finding(FINDING, title=title, text=text, severity=Severity.ERROR, now=now, condition=ASIDE)


def _unless_broken(act: Callable[[], None]) -> None:
    try:
        with transaction.atomic():
            act()
    except Exception as error:
        if is_passing(error):
            raise
        logger.exception("alerts.set_aside_untold")


def list_set_aside(origin: str) -> list[SetAside]:
    """For the page: the oldest first."""
    rows = Again(origin).rows().select_related("interruption__machine", "group").order_by("pk")
    return list(rows[:MOST_LISTED])


@transaction.atomic
def try_again(wanted: Again, *, by: Actor, now: datetime) -> int:
    """Queue what was set aside once more. Returns how many; what fails again comes back with its reason."""
    rows = list(wanted.rows().order_by("pk").select_for_update()[:MOST_AT_ONCE])
    if not rows:
        return 0
    InterruptionChange.objects.bulk_create(
        InterruptionChange(
            interruption_id=row.interruption_id, at=now, is_new=row.is_new, is_replay=row.is_replay
        )
        for row in rows
        if row.interruption_id is not None
    )
    groups = [row.group_id for row in rows if row.group_id is not None]
    AlertGroup.objects.open().filter(pk__in=groups).update(due_at=now)
    SetAside.objects.filter(pk__in=[row.pk for row in rows]).delete()
    after = {"items": len(rows), "interruptions": [r.interruption_id for r in rows if r.interruption_id][:50]}
    record(by, action="set_aside.try_again", subject_kind="set_aside", after=after, now=now)
    tell(now=now)
    return len(rows)
