"""Waiting imports are claimed by compare-and-set; one whose worker fell silent is claimed again."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from console.accounts.audit import Actor
from console.costs import keeping_files
from console.costs.importing import work
from console.costs.models import BillingImport, ImportState
from console.lib.rows import fetch

SILENT_AFTER = timedelta(seconds=60)
_FREE = "(state = 'waiting' OR (state = 'running' AND heartbeat_at < %(silent)s))"
_CLAIM = f"""
UPDATE costs_billingimport SET state = 'running', started_at = coalesce(started_at, %(now)s),
  heartbeat_at = %(now)s, attempt = attempt + 1, progress_count = 0
WHERE batch = (SELECT batch FROM costs_billingimport WHERE {_FREE} ORDER BY id LIMIT 1) AND {_FREE}
RETURNING id
"""  # noqa: S608 - the text above


def claim(*, now: datetime) -> list[BillingImport]:
    """The oldest batch that nobody works, now ours; empty where there is none."""
    found = fetch(_CLAIM, {"now": now, "silent": now - SILENT_AFTER})
    return list(
        BillingImport.objects.filter(pk__in=[pk for (pk,) in found])
        .select_related("created_by")
        .order_by("pk")
    )


def work_waiting(var: Path, *, now: datetime) -> int:
    """Work until nothing can be claimed. How many files were worked."""
    count = 0
    while batch := claim(now=now):
        count += len(batch)
        person = batch[0].created_by
        by = Actor.person(person) if person else Actor.console("billing import")
        work(batch, {row.pk: keeping_files.path_of(row, var) for row in batch}, by=by, now=now)
        for row in batch:
            if row.state not in (ImportState.TO_CONFIRM, ImportState.RUNNING):
                keeping_files.forget(row, var)
    return count
