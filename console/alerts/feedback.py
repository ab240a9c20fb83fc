"""One click on a page: good, not actionable, or noise. One word a person and group; the last one counts."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.shortcuts import get_object_or_404

from console.accounts.models import User
from console.alerts.handling import NotPossible
from console.alerts.models import AlertGroup, Escalation, Feedback, Verdict
from console.lib.live import announce


@transaction.atomic
def judge(group_id: int, verdict: str, *, by: User, now: datetime) -> AlertGroup:
    """Say whether this page was worth it; the same word again takes it back. Refused where nobody was paged."""
    group = get_object_or_404(AlertGroup, pk=group_id)
    if verdict not in Verdict.values:
        raise NotPossible("Say good, not actionable or noise.")
    if not is_paged(group_id):
        raise NotPossible("Nobody was paged for this.")
    row, is_new = Feedback.objects.select_for_update().get_or_create(
        group=group, person=by, defaults={"verdict": verdict, "at": now}
    )
    if not is_new and row.verdict == verdict:
        row.delete()
    elif not is_new:
        row.verdict, row.at = verdict, now
        row.save(update_fields=["verdict", "at"])
    announce("groups", ids=[group_id])
    return group


def is_paged(group_id: int) -> bool:
    """Whether somebody was, or was to be, paged for it."""
    return Escalation.objects.filter(group=group_id, is_paging=True).exists()


def verdict_of(group_id: int, person: User) -> str:
    """What this person said; empty: nothing."""
    rows = Feedback.objects.filter(group=group_id, person=person)
    return rows.values_list("verdict", flat=True).first() or ""
