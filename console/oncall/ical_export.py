"""Shifts as an iCalendar file (RFC 5545). Times are UTC, so that no program has to know a time zone's rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from icalendar import Calendar, Event

from console.accounts.models import User
from console.lib.origin import Origin
from console.oncall.loading import plans_of
from console.oncall.models import CalendarLink, Rotation
from console.oncall.people import by_id
from console.oncall.plan import Shift
from console.oncall.timeline import pieces_of

BACK = timedelta(days=28)
AHEAD = timedelta(days=180)
PRODUCT = "-//Spot console//On-call schedules//EN"


@dataclass(frozen=True, slots=True)
class Entry:
    """One turn as a calendar shows it."""

    rotation: Rotation
    shift: Shift
    uid: str


def calendar_of(link: CalendarLink, *, address: str, now: datetime) -> bytes:
    """One rotation with everybody, or all live shifts of the link's owner. `address` is the console's own."""
    since = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - BACK
    if link.rotation is not None:
        entries = list(_entries([link.rotation], since, now + AHEAD))
        name = f"On call: {link.rotation.name}"
    else:
        rotations = Rotation.objects.of_origin(Origin.LIVE).order_by("pk")
        found = _entries(rotations, since, now + AHEAD)
        entries = [entry for entry in found if entry.shift.person_id == link.person_id]
        name = f"On call: {link.person}"
    return _written(entries, name=name, address=address, is_own=link.rotation is None, now=now)


def _entries(rotations: Iterable[Rotation], since: datetime, until: datetime) -> Iterable[Entry]:
    by_pk = {rotation.pk: rotation for rotation in rotations}
    for pk, plan in plans_of(by_pk, since=since, until=until).items():
        for piece in pieces_of(plan, since, until):
            yield Entry(by_pk[pk], piece, _uid(pk, piece, since))


def _uid(rotation_id: int, piece: Shift, since: datetime) -> str:
    """The same turn has the same name in every fetch, also when the window cuts its beginning off."""
    begins = piece.turn_at if piece.started_at == since else piece.started_at
    return f"rotation-{rotation_id}-{begins.astimezone(UTC):%Y%m%dT%H%M%SZ}@spot-console"


def _written(entries: Sequence[Entry], *, name: str, address: str, is_own: bool, now: datetime) -> bytes:
    people = by_id({entry.shift.person_id for entry in entries})
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", timedelta(hours=1), parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")
    for entry in entries:
        calendar.add_component(
            _event(entry, people[entry.shift.person_id], address=address, is_own=is_own, now=now)
        )
    written: bytes = calendar.to_ical()
    return written


def _event(entry: Entry, person: User, *, address: str, is_own: bool, now: datetime) -> Event:
    event = Event()
    event.add("uid", entry.uid)
    event.add("dtstamp", now.astimezone(UTC))
    event.add("dtstart", entry.shift.started_at.astimezone(UTC))
    event.add("dtend", entry.shift.ended_at.astimezone(UTC))
    event.add("summary", f"On call: {entry.rotation.name}" if is_own else f"{person} · {entry.rotation.name}")
    event.add("description", entry.shift.why)
    event.add("url", f"{address}/schedules/{entry.rotation.slug}/")
    event.add("transp", "TRANSPARENT")
    return event
