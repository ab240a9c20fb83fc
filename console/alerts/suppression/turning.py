"""What happens as a window begins and as it ends: the groups it covers are decided on again.

| when | what | why twice is harmless |
| --- | --- | --- |
| it begins | open groups that it hides get a receipt that says so | unique (group, rule, trigger) |
| it ends, or is cancelled | it is marked: from then on it hides nothing | a row lock; the mark stays |
| right after | what it hid and still fires is decided on again: a held page goes out | the lock, and the trigger |

Marking and deciding are two transactions. A decision under way holds the window (`consulting.py`) until its ledger is
written; the second transaction waits for those, and no new ones come, so nothing hidden is overlooked.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from console.alerts import routing
from console.alerts.models import AlertGroup, AlertGroupQuerySet, SuppressionHit, SuppressionOccurrence
from console.alerts.suppression.consulting import consult
from console.alerts.touched import Touched
from console.lib.live import announce

logger = logging.getLogger(__name__)

MOST_AT_ONCE = 500
"""Groups decided on in one statement."""


def turn(*, now: datetime) -> int:
    """Begin and end what is due, one window a transaction. Returns how many steps were taken."""
    steps = 0
    while _step(now=now):
        steps += 1
    return steps


def _step(*, now: datetime) -> bool:
    return _begin_or_mark(now=now) or _release(now=now)


@transaction.atomic
def _begin_or_mark(*, now: datetime) -> bool:
    due = SuppressionOccurrence.objects.due(now=now).filter(released_at=None).order_by("due_at", "pk")
    found = due.select_related("suppression").select_for_update(of=("self",), skip_locked=True, no_key=True)
    occurrence = found.first()
    if occurrence is None:
        return False
    occurrence.begun_at = occurrence.begun_at or now
    if occurrence.ends_at <= now:
        occurrence.released_at = occurrence.due_at = now
        occurrence.save(update_fields=["begun_at", "released_at", "due_at"])
        return True
    occurrence.due_at = occurrence.ends_at
    occurrence.save(update_fields=["begun_at", "due_at"])
    count = _look_at_open_groups(occurrence, now=now)
    logger.info("suppression.begun", extra={"occurrence": occurrence.pk, "groups": count})
    announce("suppressions", "groups", "strip")
    return True


def _look_at_open_groups(occurrence: SuppressionOccurrence, *, now: datetime) -> int:
    """Those that it hides from now on get their receipt; those that it hides already have one.

    What was on its way to people stays on its way.
    """
    rows = AlertGroup.objects.of_origin(occurrence.origin).open()
    hidden = 0
    for groups in _locked(rows):
        answers = consult(groups, now=now)
        mine = [
            group
            for group in groups
            if (answer := answers[group.pk]).occurrence == occurrence.pk
            and (group.suppressed_by_id, group.suppressed_until) != (answer.suppressed_by, answer.until)
        ]
        trigger = f"suppressed:{occurrence.pk}"
        routing.decide(Touched(mine, {group.pk: trigger for group in mine}), now=now)
        hidden += len(mine)
    return hidden


@transaction.atomic
def _release(*, now: datetime) -> bool:
    due = SuppressionOccurrence.objects.due(now=now).exclude(released_at=None).order_by("due_at", "pk")
    occurrence = due.select_for_update(of=("self",), skip_locked=True).first()
    if occurrence is None:
        return False
    occurrence.due_at = None
    occurrence.save(update_fields=["due_at"])
    hidden = SuppressionHit.objects.filter(occurrence=occurrence).order_by()
    AlertGroup.objects.filter(
        pk__in=hidden.values("group"), status="resolved", suppressed_by=occurrence.suppression_id
    ).update(suppressed_by=None, suppressed_until=None)
    count = 0
    for groups in _locked(AlertGroup.objects.open().filter(pk__in=hidden.values("group"))):
        trigger = f"released:{occurrence.pk}"
        routing.decide(Touched(groups, {group.pk: trigger for group in groups}), now=now)
        count += len(groups)
    logger.info("suppression.released", extra={"occurrence": occurrence.pk, "groups": count})
    announce("suppressions", "groups", "strip")
    return True


def _locked(rows: AlertGroupQuerySet) -> Sequence[list[AlertGroup]]:
    """Locked in the order of everybody: all other groups, then waves (`alerts/waves.py`); in bounded lists."""
    is_wave = {"key__startswith": "wave:"}
    held = [
        group
        for part in (rows.exclude(**is_wave), rows.filter(**is_wave))
        for group in part.select_related("service__team").select_for_update(of=("self",)).order_by("pk")
    ]
    return [held[n : n + MOST_AT_ONCE] for n in range(0, len(held), MOST_AT_ONCE)]
