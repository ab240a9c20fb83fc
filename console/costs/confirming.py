"""Agreeing that a closed month is told anew: the batch waits again, this time with the word of a person."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from console.accounts.audit import Actor, record
from console.costs.models import BillingImport, ImportState
from console.costs.tasks import WORK


def confirm(row: BillingImport, *, by: Actor, now: datetime) -> bool:
    """False where the batch no longer asks: somebody confirmed it before."""
    with transaction.atomic():
        asked = BillingImport.objects.filter(batch=row.batch, state=ImportState.TO_CONFIRM)
        if not asked.update(
            state=ImportState.WAITING, finished_at=None, message="", is_restatement_confirmed=True
        ):
            return False
        record(by, action="billing.confirm_restatement", subject=row, before={"asked": row.message}, now=now)
        transaction.on_commit(WORK.ring)
    return True
