"""Who is on call instead: overrides, taking over now, and taking either back.

Each act locks its rotation, so that of two people who press at once the second sees what the first did.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from console.accounts.audit import Actor, record
from console.accounts.models import User
from console.lib.live import announce
from console.oncall.models import Override, OverrideKind, Rotation, SwapRequest
from console.oncall.people import can_be_on_call
from console.oncall.schedule import rosters
from console.oncall.telling import News, span_in_words, tell

LONGEST = timedelta(days=366)
USUAL_TAKE_OVER = timedelta(hours=12)
"""Where no hand-over is in sight."""
UNDONE_WITHIN = timedelta(minutes=1)


class NotPossible(Exception):
    """It cannot be done; the text says why and what to do instead."""


@dataclass(frozen=True, slots=True)
class OverrideOrder:
    """Who is to be on call in [started_at, ended_at), and whom they replace (null: whoever it would be)."""

    person: User
    started_at: datetime
    ended_at: datetime
    replaced: User | None = None
    reason: str = ""
    kind: OverrideKind = OverrideKind.OVERRIDE
    swap: SwapRequest | None = None
    source_key: str = ""


def lock(rotation: Rotation) -> Rotation:
    held = Rotation.objects.select_for_update().get(pk=rotation.pk)
    if held.archived_at:
        raise NotPossible(f"{held.name} is archived. Take it into use again first.")
    return held


@transaction.atomic
def add_override(
    rotation: Rotation, order: OverrideOrder, *, by: Actor, now: datetime
) -> tuple[Override, bool]:
    """The override, and whether it is new: the same order again is the one that stands. The past is left alone."""
    held = lock(rotation)
    check(held, order, now=now)
    if there := _same(held, order, now=now):
        return there, False
    override = Override.objects.create(
        rotation=held,
        kind=order.kind,
        person=order.person,
        replaced=order.replaced,
        started_at=max(order.started_at, now),
        ended_at=order.ended_at,
        reason=order.reason[:200],
        swap=order.swap,
        source_key=order.source_key,
        created_at=now,
        created_by_id=by.person_id,
        created_by_label="" if by.person_id else by.label,
    )
    note(by, "override.create", override, after=picture(override), now=now)
    if order.kind == OverrideKind.OVERRIDE and override.person_id != by.person_id:
        _tell_put_on_call(override, by=by, now=now)
    return override, True


def check(rotation: Rotation, order: OverrideOrder, *, now: datetime) -> None:
    if order.ended_at <= order.started_at:
        raise NotPossible("It must end after it begins.")
    if order.ended_at <= now:
        raise NotPossible("It lies in the past, and who was on call then stays as it was.")
    if order.ended_at - max(order.started_at, now) > LONGEST:
        raise NotPossible("An override lasts at most a year.")
    if order.person == order.replaced:
        raise NotPossible("Somebody cannot replace themselves.")
    if not can_be_on_call(rotation.origin).filter(pk=order.person.pk).exists():
        raise NotPossible(f"{order.person} cannot be on call: that needs an open account of a responder.")


@transaction.atomic
def take_over(
    rotation: Rotation,
    person: User,
    *,
    seen: int | None,
    lasts: timedelta | None,
    by: Actor,
    now: datetime,
) -> Override | None:
    """`person` is on call from this moment until the next hand-over, or for so long. Null: they were already.

    `seen` is whom they believed to be on call (null: nobody); where that changed meanwhile it is refused.
    """
    held = lock(rotation)
    found = rosters([held.pk], at=now)[held.pk]
    current = found.now.person_id if found.now else None
    if current == person.pk:
        return None
    if current != seen:
        who = User.objects.get(pk=current) if current else "Nobody"
        raise NotPossible(f"{who} is on call since a moment ago. Look again before you take over.")
    ends_at = now + lasts if lasts else found.hand_over_at or now + USUAL_TAKE_OVER
    order = OverrideOrder(person, now, ends_at, kind=OverrideKind.TAKE_OVER)
    override, _ = add_override(held, order, by=by, now=now)
    if current is not None:
        _tell_taken_over(override, User.objects.get(pk=current), now=now)
    return override


@transaction.atomic
def cancel(override: Override, *, by: Actor, now: datetime) -> Override:
    """Take it back. What of it lies behind stays, unless it is only just made. Twice is harmless."""
    lock(override.rotation)
    held = (
        Override.objects.select_for_update(of=("self",))
        .select_related("rotation", "person")
        .get(pk=override.pk)
    )
    if held.cancelled_at or held.ended_at <= now:
        return held
    before = picture(held)
    if held.started_at >= now or now - held.created_at <= UNDONE_WITHIN:
        held.cancelled_at = now
    else:
        held.ended_at = now
    held.save(update_fields=["cancelled_at", "ended_at"])
    note(by, "override.cancel", held, before=before, after=picture(held), now=now)
    return held


@transaction.atomic
def restore(override: Override, *, by: Actor, now: datetime) -> Override:
    """Undo a cancelling, as long as its end has not passed."""
    lock(override.rotation)
    held = (
        Override.objects.select_for_update(of=("self",))
        .select_related("rotation", "person")
        .get(pk=override.pk)
    )
    if held.cancelled_at is None:
        return held
    if held.ended_at <= now:
        raise NotPossible("Its time is over.")
    held.cancelled_at = None
    held.save(update_fields=["cancelled_at"])
    note(by, "override.restore", held, after=picture(held), now=now)
    return held


def picture(override: Override) -> dict[str, Any]:
    """An override as the audit trail shows it."""
    return {
        "kind": override.kind,
        "person": override.person.email,
        "replaced": override.replaced.email if override.replaced else None,
        "started_at": override.started_at.isoformat(),
        "ended_at": override.ended_at.isoformat(),
        "reason": override.reason,
        "is_cancelled": override.cancelled_at is not None,
    }


def note(
    by: Actor, action: str, override: Override, *, now: datetime,
    before: dict[str, Any] | None = None, after: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    label = f"{override.rotation.name}: {override}"
    record(by, action=action, subject=override, subject_label=label, before=before, after=after, now=now)
    announce("shifts")


def _same(rotation: Rotation, order: OverrideOrder, *, now: datetime) -> Override | None:
    """The standing override that this order already made; one that has begun was cut to the moment it was made."""
    begun = Q(started_at__gte=order.started_at, started_at__lte=now)
    return (
        Override.objects.standing()
        .filter(Q(started_at=order.started_at) | begun, source_key=order.source_key)
        .filter(rotation=rotation, person=order.person, replaced=order.replaced, ended_at=order.ended_at)
        .select_related("rotation", "person", "replaced", "created_by")
        .first()
    )


def _tell_put_on_call(override: Override, *, by: Actor, now: datetime) -> None:
    when = span_in_words(override.started_at, override.ended_at, person=override.person)
    why = f" Reason: {override.reason}." if override.reason else ""
    news = News(
        key=f"override:{override.pk}:put",
        person=override.person,
        title=f"You are on call for {override.rotation.name}, {when}",
        text=f"{by.label} put you on call for {override.rotation.name}, {when}.{why}",
        reason="Somebody else put you on call.",
    )
    tell(news, rotation=override.rotation, now=now)


def _tell_taken_over(override: Override, replaced: User, *, now: datetime) -> None:
    when = span_in_words(override.started_at, override.ended_at, person=replaced)
    news = News(
        key=f"override:{override.pk}:taken",
        person=replaced,
        title=f"{override.person} took over {override.rotation.name} from you",
        text=f"{override.person} is on call for {override.rotation.name} in your place, {when}.",
        reason="You were on call until now.",
    )
    tell(news, rotation=override.rotation, now=now)
