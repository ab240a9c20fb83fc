"""How the load of being on call is shared: hours, nights, pages and pages at night, a person.

Hours in two rotations at once count once. Night is from 22:00 to 06:00 where the person lives.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from console.accounts.models import User
from console.notifications.models import Notification, NotificationKind
from console.notifications.outbox import HEARD
from console.oncall.local_time import clock_at, moment_of
from console.oncall.models import Rotation
from console.oncall.people import by_id
from console.oncall.schedule import shifts

NIGHT_BEGINS, NIGHT_ENDS = time(22), time(6)
NOTHING = timedelta(0)
DAY = timedelta(days=1)
Stretches = list[tuple[datetime, datetime]]


@dataclass(frozen=True, slots=True)
class Load:
    """What one person carried in the window."""

    person: User
    on_call: timedelta
    at_night: timedelta
    shift_count: int
    page_count: int
    night_page_count: int
    share: float
    """Of all hours on call of the window, 0 to 1."""


def loads(*, origin: str, since: datetime, until: datetime, team: str = "") -> list[Load]:
    """Everybody who was on call or paged in [since, until), the most loaded first. `team` is a slug."""
    rotations = Rotation.objects.of_origin(origin)
    ids = list((rotations.filter(team__slug=team) if team else rotations).values_list("pk", flat=True))
    held: dict[int, Stretches] = defaultdict(list)
    for found in shifts(ids, since=since, until=until).values():
        for shift in found:
            held[shift.person_id].append((shift.started_at, shift.ended_at))
    pages = _pages(origin, since, until)
    people = by_id({*held} if team else {*held, *pages})
    whole = sum((_length(united(stretches)) for stretches in held.values()), NOTHING)
    rows = [_load(person, held[pk], pages.get(pk, []), whole=whole) for pk, person in people.items()]
    return sorted(rows, key=lambda row: (-row.on_call, -row.page_count, str(row.person), row.person.pk))


def _load(person: User, stretches: Stretches, pages: list[datetime], *, whole: timedelta) -> Load:
    once = united(stretches)
    on_call = _length(once)
    return Load(
        person=person,
        on_call=on_call,
        at_night=sum((_length(nights(*stretch, zone=person.zone)) for stretch in once), NOTHING),
        shift_count=len(stretches),
        page_count=len(pages),
        night_page_count=sum(1 for at in pages if is_night(at, person.zone)),
        share=on_call / whole if whole else 0.0,
    )


def _pages(origin: str, since: datetime, until: datetime) -> dict[int, list[datetime]]:
    """When each person was paged. What never left the console woke nobody."""
    rows = Notification.objects.filter(
        origin=origin,
        kind=NotificationKind.PAGE,
        state__in=HEARD,
        created_at__gte=since,
        created_at__lt=until,
    ).exclude(person=None)
    found: dict[int, list[datetime]] = defaultdict(list)
    for pk, at in rows.values_list("person", "created_at").iterator(chunk_size=2_000):
        found[pk].append(at)
    return found


def united(stretches: Iterable[tuple[datetime, datetime]]) -> Stretches:
    """The same time, without what overlaps."""
    whole: Stretches = []
    for start, end in sorted(stretches):
        if whole and start <= whole[-1][1]:
            whole[-1] = (whole[-1][0], max(end, whole[-1][1]))
        else:
            whole.append((start, end))
    return whole


def nights(start: datetime, end: datetime, *, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    """The parts of [start, end) that are night in `zone`."""
    day = clock_at(start, zone).date() - DAY
    while (begins := moment_of(datetime.combine(day, NIGHT_BEGINS), zone)) < end:
        ends = moment_of(datetime.combine(day + DAY, NIGHT_ENDS), zone)
        if max(begins, start) < min(ends, end):
            yield max(begins, start), min(ends, end)
        day += DAY


def is_night(at: datetime, zone: ZoneInfo) -> bool:
    clock = clock_at(at, zone).time()
    return clock >= NIGHT_BEGINS or clock < NIGHT_ENDS


def _length(stretches: Iterable[tuple[datetime, datetime]]) -> timedelta:
    return sum((end - start for start, end in stretches), NOTHING)
