"""How the load is shared: hours that count once, nights where the person lives, pages that reached somebody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from console.notifications.models import Notification
from console.oncall.fairness import loads, nights
from tests.make_accounts import make_user
from tests.make_fleet import NOON, make_team
from tests.make_oncall import make_override, make_rotation

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("zone", "start", "hours", "night"),
    [
        ("UTC", "2026-03-11 12:00", 24, 8),
        ("UTC", "2026-03-11 23:00", 2, 2),
        ("UTC", "2026-03-11 05:00", 2, 1),
        ("UTC", "2026-03-11 06:00", 16, 0),
        ("Asia/Kolkata", "2026-03-11 16:30", 8, 8),
        ("Europe/Berlin", "2026-03-28 12:00", 24, 7),  # an hour of this night is skipped
        ("Europe/Berlin", "2026-10-24 12:00", 24, 9),
    ],
)
def test_night_is_where_the_person_lives(zone: str, start: str, hours: int, night: int) -> None:
    begins = datetime.fromisoformat(start).replace(tzinfo=UTC)
    found = nights(begins, begins + hours * HOUR, zone=ZoneInfo(zone))
    assert sum((end - begin for begin, end in found), timedelta()) == night * HOUR


@pytest.mark.django_db
def test_loads_count_hours_once_and_pages_that_reached_somebody() -> None:
    alice, bob = make_user("alice"), make_user("bob", time_zone="Asia/Kolkata")
    team = make_team(slug="shop")
    first = make_rotation(alice, team=team)
    make_rotation(alice)
    make_rotation(alice, origin="sample")
    make_override(first, bob, started_at=NOON, ended_at=NOON + 6 * HOUR, replaced=alice)
    for number, (person, kind, state, at, origin) in enumerate([
        (alice, "page", "delivered", NOON.replace(hour=23), "live"),
        (alice, "page", "unknown", NOON.replace(hour=13), "live"),
        (alice, "page", "failed", NOON.replace(hour=14), "live"),
        (alice, "ticket", "delivered", NOON.replace(hour=14), "live"),
        (alice, "page", "not_sent", NOON.replace(hour=14), "sample"),
        (alice, "page", "delivered", NOON - DAY, "live"),
        (bob, "page", "handed_over", NOON.replace(hour=17), "live"),  # 22:30 in Kolkata
    ]):  # fmt: skip
        Notification.objects.create(
            key=str(number),
            person=person,
            kind=kind,
            state=state,
            created_at=at,
            origin=origin,
            subject="group:1",
        )
    found = loads(origin="live", since=NOON, until=NOON + DAY)
    assert [(str(one.person), one.on_call, one.at_night, one.shift_count, one.page_count, one.night_page_count) for one in found] == [
        ("Alice", 24 * HOUR, 8 * HOUR, 2, 2, 1), ("Bob", 6 * HOUR, 90 * HOUR / 60, 1, 1, 1)]  # fmt: skip
    assert [round(one.share, 2) for one in found] == [0.8, 0.2]
    of_the_team = loads(origin="live", since=NOON, until=NOON + DAY, team="shop")
    assert [(str(one.person), one.on_call) for one in of_the_team] == [
        ("Alice", 18 * HOUR),
        ("Bob", 6 * HOUR),
    ]
    assert loads(origin="live", since=NOON, until=NOON, team="") == []
