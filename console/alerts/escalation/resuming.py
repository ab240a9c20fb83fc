"""An act was undone: escalations stand where they stood before it, and nobody is told twice.

Unlike one that is given back (`telling.restart`), no level is told again: what was called off waits again as it
was, and the next level keeps its deadline. Runs in the caller's transaction, under the locks of the groups.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from console.alerts.escalation import words
from console.alerts.escalation.bells import ESCALATE
from console.alerts.escalation.following import SAVED, save
from console.alerts.escalation.ledger import Ledger
from console.alerts.models import Escalation, StepKind
from console.notifications.models import Notification, NotificationKind
from console.notifications.outbox import HEARD, Recipient, call_off, put_back

Kept = Mapping[str, Any]
TIMES = ("next_at", "due_at", "reminded_at", "ended_at")


def resume(kept: Mapping[int, Kept | None], *, acted_at: datetime, by: str, now: datetime) -> None:
    """By group: its escalation `{"id", "before", "after"}` as it was kept; null: it had none."""
    reason = f"{by} undid it"
    subjects = [words.subject_of(pk) for pk in kept]
    put_back(subjects, called_off_at=acted_at, reason=reason, now=now)
    ids = [one["id"] for one in kept.values() if one]
    found = {e.group_id: e for e in Escalation.objects.filter(pk__in=ids).select_related("group__service")}
    ledger = Ledger(now)
    _take_words_back(found, acted_at=acted_at, by=by, ledger=ledger)
    resumed = []
    for pk, one in kept.items():
        escalation = found.get(pk)
        if one and escalation and _is_as_left(escalation, one["after"]) and one["before"] != one["after"]:
            _put(escalation, one["before"])
            ledger.step(escalation, StepKind.RESUMED, f"{reason}: it goes on from where it was")
            resumed.append(escalation)
    ledger.write()
    save(resumed)
    if resumed:
        transaction.on_commit(ESCALATE.ring)


def _take_words_back(found: Mapping[int, Escalation], *, acted_at: datetime, by: str, ledger: Ledger) -> None:
    """What the act itself wrote, as that it is over: called off, or corrected where it was heard."""
    by_subject = {words.subject_of(pk): escalation for pk, escalation in found.items()}
    written = Notification.objects.filter(subject__in=by_subject, created_at=acted_at)
    kinds = [NotificationKind(kind) for kind in sorted(set(written.values_list("kind", flat=True)))]
    if not kinds:
        return
    heard = set(written.filter(state__in=HEARD).values_list("subject", "person", "channel"))
    call_off(list(by_subject), kinds=kinds, reason=f"{by} undid it", now=ledger.now, written_at=acted_at)
    for subject, person, channel in sorted(heard, key=str):
        escalation = by_subject[subject]
        ledger.messages.append(
            words.update(
                escalation,
                Recipient(person, channel),
                key=f"{escalation.pass_number}:undone-{int(acted_at.timestamp() * 1000)}",
                text=f"{by} took that back: it is as it was before.",
                reason="You were told otherwise a moment ago",
            )
        )


def _is_as_left(escalation: Escalation, after: Kept) -> bool:
    for name in SAVED:
        value = getattr(escalation, name)
        if (value.isoformat() if isinstance(value, datetime) else value) != after[name]:
            return False
    return True


def _put(escalation: Escalation, before: Kept) -> None:
    for name in SAVED:
        value = before[name]
        setattr(escalation, name, datetime.fromisoformat(value) if name in TIMES and value else value)
