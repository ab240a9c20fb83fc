"""Taking the events of a calendar as overrides of a rotation. The same file again changes nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from console.accounts.audit import Actor
from console.oncall.ical_reading import Reading, Rejected, Wish, read_calendar
from console.oncall.models import Override, Rotation
from console.oncall.overriding import NotPossible, OverrideOrder, add_override, check, lock, note, picture
from console.oncall.people import can_be_on_call


@dataclass(slots=True)
class Imported:
    """What became of a calendar's events."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    past: int = 0
    rejected: list[Rejected] = field(default_factory=list)


@transaction.atomic
def import_calendar(rotation: Rotation, content: bytes, *, by: Actor, now: datetime) -> Imported:
    """Raises NotACalendar. An event that was moved moves its override; one whose override was removed stays removed."""
    held = lock(rotation)
    people = list(can_be_on_call(held.origin).order_by("pk"))
    reading: Reading = read_calendar(content, people=people, zone=held.zone, now=now)
    told = Imported(past=reading.past_count, rejected=reading.rejected)
    keys = [wish.key for wish in reading.wishes]
    there = {
        override.source_key: override
        for override in Override.objects.filter(rotation=held, source_key__in=keys).select_related(
            "rotation", "person", "replaced"
        )
    }
    for wish in reading.wishes:
        try:
            _take(held, wish, there.get(wish.key), told, by=by, now=now)
        except NotPossible as refusal:
            told.rejected.append(
                Rejected(wish.summary, f"{wish.started_at:%-d %b %Y %H:%M} UTC", str(refusal))
            )
    return told


def _take(
    rotation: Rotation, wish: Wish, there: Override | None, told: Imported, *, by: Actor, now: datetime
) -> None:  # fmt: skip
    order = OverrideOrder(
        wish.person, wish.started_at, wish.ended_at, reason=wish.summary, source_key=wish.key
    )
    if there is None:
        add_override(rotation, order, by=by, now=now)
        told.added += 1
    elif there.cancelled_at or _is_same(there, wish, now=now):
        told.unchanged += 1
    else:
        check(rotation, order, now=now)
        before = picture(there)
        there.person, there.ended_at = wish.person, wish.ended_at
        there.started_at = max(wish.started_at, now) if there.started_at > now else there.started_at
        there.save(update_fields=["person", "started_at", "ended_at"])
        note(by, "override.change", there, before=before, after=picture(there), now=now)
        told.changed += 1


def _is_same(override: Override, wish: Wish, *, now: datetime) -> bool:
    """What had begun when it was read first was cut to that moment."""
    has_begun = override.started_at <= now and wish.started_at <= now
    return (
        override.person_id == wish.person.pk
        and override.ended_at == wish.ended_at
        and (has_begun or override.started_at == wish.started_at)
    )
