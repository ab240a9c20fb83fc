"""What people do with a suppression once it is made: cancel it, end or skip one window, extend it, sign it.

Each verb locks the suppression, changes it at most once, and leaves an audit entry. What is let go of is decided on
again within a second, by the alerts queue.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Case, DateTimeField, Value, When
from django.db.models.functions import Greatest, Least

from console.accounts.audit import record
from console.accounts.models import Role, User
from console.alerts.handling import By
from console.alerts.models import (
    OccurrenceQuerySet,
    Suppression,
    SuppressionKind,
    SuppressionOccurrence,
)
from console.alerts.suppression.draft import LONGEST, RESPONDERS_LONGEST
from console.lib.live import announce

CLOCKS_DIFFER_BY = timedelta(minutes=15)


class NotPossible(Exception):
    """It is not in a state in which this can be done, or not by this person; the text says what to do instead."""


def may_change(suppression: Suppression, user: User | None) -> bool:
    """Managers, the author as a responder, and programs, whose token was asked."""
    if user is None or user.may(Role.MANAGER):
        return True
    return user.may(Role.RESPONDER) and suppression.author_id == user.pk


@transaction.atomic
def cancel(suppression_id: int, *, by: By, now: datetime) -> Suppression:
    """It ends now and does not come again. Twice is harmless."""
    suppression = _held(suppression_id, by)
    if suppression.cancelled_at is not None:
        return suppression
    let_go = _let_go(suppression.occurrences.all(), now=now)
    if not let_go and suppression.expand_at is None:
        raise NotPossible("It is over already; there is nothing to cancel.")
    suppression.cancelled_at, suppression.cancelled_by = now, by.user
    suppression.cancelled_by_label, suppression.expand_at = by.label, None
    suppression.save(update_fields=["cancelled_at", "cancelled_by", "cancelled_by_label", "expand_at"])
    _tell(suppression, "cancel", by=by, now=now, after={"windows": let_go})
    return suppression


@transaction.atomic
def end_window(suppression_id: int, occurrence_id: int, *, by: By, now: datetime) -> Suppression:
    """The window in force ends now; one that is still to come does not come. The others stay. Twice is harmless."""
    suppression = _held(suppression_id, by)
    window = suppression.occurrences.get(pk=occurrence_id)
    if _let_go(suppression.occurrences.filter(pk=window.pk), now=now):
        verb = "skip_window" if window.starts_at > now else "end_window"
        _tell(suppression, verb, by=by, now=now, after={"starts_at": window.starts_at.isoformat()})
    return suppression


@transaction.atomic
def extend(suppression_id: int, *, minutes: int, by: By, now: datetime) -> Suppression:
    """The window in force lasts so much longer. Refused where the next one begins, or its kind allows no more."""
    suppression = _held(suppression_id, by)
    in_force = suppression.occurrences.in_force(now=now)
    window = in_force.select_for_update(no_key=True).order_by("-starts_at", "-pk").first()
    if window is None:
        raise NotPossible("It is not in force now. Make another one.")
    before, until = window.ends_at, window.ends_at + timedelta(minutes=minutes)
    _check_extension(suppression, window, until, by)
    window.ends_at, window.due_at = until, now  # looked at again, so that groups say until when
    window.save(update_fields=["ends_at", "due_at"])
    if not suppression.rrule:
        suppression.ends_at, suppression.duration = until, until - suppression.starts_at
        suppression.save(update_fields=["ends_at", "duration"])
    _tell(
        suppression,
        "extend",
        by=by,
        now=now,
        before={"ends_at": before.isoformat()},
        after={"ends_at": until.isoformat()},
    )
    return suppression


@transaction.atomic
def sign(suppression_id: int, *, by: By, now: datetime) -> Suppression:
    """A second person agrees that critical burns and large waves are hidden too. Twice is harmless."""
    suppression = Suppression.objects.select_for_update(no_key=True).get(pk=suppression_id)
    if by.user is None or not by.user.may(Role.MANAGER):
        raise NotPossible("A manager signs, as a person.")
    if suppression.author_id == by.user.pk:
        raise NotPossible("A second person has to sign; you made it yourself.")
    if not suppression.needs_signature or suppression.cancelled_at is not None:
        raise NotPossible("It asks for no signature.")
    if suppression.signed_at is not None:
        return suppression
    suppression.signed_at, suppression.signed_by = now, by.user
    suppression.save(update_fields=["signed_at", "signed_by"])
    suppression.occurrences.in_force(now=now).update(due_at=now)  # what it let through is looked at again
    _tell(suppression, "sign", by=by, now=now, after={"signed_by": by.user.email})
    return suppression


def _held(suppression_id: int, by: By) -> Suppression:
    suppression = Suppression.objects.select_for_update(no_key=True).get(pk=suppression_id)
    if not may_change(suppression, by.user):
        raise NotPossible("Its author or a manager may change it.")
    return suppression


def _let_go(windows: OccurrenceQuerySet, *, now: datetime) -> int:
    """From now on these hide nothing; what they hid is due to be decided on again. Returns how many.

    One that is to start soon is looked at too: a worker whose clock is ahead may have begun it.
    """
    is_near = When(starts_at__lte=now + CLOCKS_DIFFER_BY, then=Value(now))
    return windows.filter(released_at=None).update(
        ends_at=Greatest("starts_at", Least("ends_at", Value(now))),
        released_at=now,
        due_at=Case(is_near, default=None, output_field=DateTimeField()),
    )


def _check_extension(
    suppression: Suppression, window: SuppressionOccurrence, until: datetime, by: By
) -> None:
    length = until - window.starts_at
    if suppression.kind == SuppressionKind.CAPACITY_CHANGE and length > Suppression.LONGEST_CAPACITY_CHANGE:
        raise NotPossible("A capacity change lasts at most 24 hours.")
    if length > LONGEST:
        raise NotPossible(f"A window lasts at most {LONGEST.days} days.")
    if by.user is not None and not by.user.may(Role.MANAGER) and length > RESPONDERS_LONGEST:
        raise NotPossible("Responders may suppress for 4 hours at most; ask a manager for longer.")
    later = suppression.occurrences.filter(starts_at__gt=window.starts_at, released_at=None)
    if later.filter(starts_at__lt=until).exists():
        raise NotPossible("The next window begins before that.")


def _tell(
    suppression: Suppression,
    verb: str,
    *,
    by: By,
    now: datetime,
    after: dict[str, object],
    before: dict[str, object] | None = None,
) -> None:
    record(by.actor, action=f"suppression.{verb}", subject=suppression, before=before, after=after, now=now)
    announce("suppressions", "groups", "strip")
