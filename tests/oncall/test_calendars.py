"""Calendars out and in: what other programs subscribe to, and overrides from an uploaded file."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import icalendar
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from console.accounts.models import User
from console.oncall import calendars
from console.oncall.ical_export import calendar_of
from console.oncall.ical_reading import NotACalendar, read_calendar
from console.oncall.importing import import_calendar
from console.oncall.models import CalendarLink, Override
from console.oncall.overriding import cancel
from tests.make_accounts import make_user
from tests.make_fleet import NOON
from tests.make_oncall import BY, make_override, make_rotation
from tests.oncall.make_plans import BERLIN

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def calendar(*events: str) -> bytes:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//tests//EN"]
    for event in events:
        lines += ["BEGIN:VEVENT", *event.split("|"), "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()


def event(uid: str, start: str, end: str, *lines: str) -> str:
    return "|".join([f"UID:{uid}", f"DTSTART{start}", f"DTEND{end}", *lines])


ALICES = "ATTENDEE;CN=Alice:mailto:Alice@Example.com"
NOON_TO_TWO = (":20260312T120000Z", ":20260312T140000Z")


@pytest.fixture
def cast() -> dict[str, User]:
    return {name: make_user(name) for name in ("alice", "bob", "charlie")}


def test_an_exported_rotation_names_everybody_and_keeps_its_names(cast: dict[str, User]) -> None:
    rotation = make_rotation(cast["alice"], cast["bob"], name="Checkout")
    link = calendars.issue(cast["charlie"], rotation, by=BY, now=NOON)
    make_override(rotation, cast["charlie"], started_at=NOON.replace(day=13), ended_at=NOON.replace(day=14))

    def told(now: datetime) -> dict[str, Any]:
        read = icalendar.Calendar.from_ical(calendar_of(link, address="https://c.example", now=now))
        return {str(one["UID"]): one for one in read.walk("VEVENT")}

    first, later = told(NOON), told(NOON + 3 * DAY + 5 * HOUR)
    this_week = first[f"rotation-{rotation.pk}-20260309T080000Z@spot-console"]
    assert (str(this_week["SUMMARY"]), this_week["DTEND"].dt) == ("Alice · Checkout", NOON.replace(day=13))
    assert str(this_week["DESCRIPTION"]) == "Layer 1, week of Mon 9 Mar"
    assert str(this_week["URL"]) == f"https://c.example/schedules/{rotation.slug}/"
    assert [str(one["SUMMARY"]).split()[0] for one in first.values()][3:8] == [
        "Bob",
        "Alice",
        "Charlie",
        "Alice",
        "Bob",
    ]
    assert len(set(first) & set(later)) >= len(first) - 2
    changed = {uid for uid in set(first) & set(later) if first[uid]["DTEND"].dt != later[uid]["DTEND"].dt}
    assert len(changed) <= 1  # the last one, which the window cuts


def test_a_turn_that_the_window_cuts_keeps_its_name(cast: dict[str, User]) -> None:
    rotation = make_rotation(cast["alice"], cast["bob"], kind="monthly")
    link = calendars.issue(cast["alice"], rotation, by=BY, now=NOON)
    for now in (NOON, NOON + DAY):
        assert (
            f"UID:rotation-{rotation.pk}-20260201T080000Z@spot-console"
            in calendar_of(link, address="", now=now).decode()
        )


def test_ones_own_calendar_holds_ones_own_live_shifts_alone(cast: dict[str, User]) -> None:
    make_rotation(cast["alice"], cast["bob"], name="Checkout")
    make_rotation(cast["charlie"], name="Search")
    make_rotation(cast["alice"], name="Made up", origin="sample")
    link = calendars.issue(cast["alice"], None, by=BY, now=NOON)
    text = calendar_of(link, address="", now=NOON).decode()
    assert "SUMMARY:On call: Checkout" in text
    assert "Search" not in text
    assert "Made up" not in text


def test_a_calendar_address_opens_without_sign_in_until_it_is_revoked(
    cast: dict[str, User], client: Client
) -> None:
    rotation = make_rotation(cast["alice"], slug="checkout")
    client.force_login(cast["alice"])
    client.post("/schedules/checkout/calendar/")
    client.post("/schedules/checkout/calendar/")
    link = CalendarLink.objects.get(rotation=rotation)
    address = f"/schedules/calendar/{calendars.token_of(link)}.ics"
    assert address in client.get("/schedules/checkout/").content.decode()
    stranger = Client()
    answer = stranger.get(address)
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/calendar; charset=utf-8")
    link.refresh_from_db()
    assert link.last_used_at
    forged = address.replace(".ics", "x.ics")
    assert stranger.get(forged).status_code == 404
    assert stranger.get("/schedules/calendar/1-abc.ics").status_code == 404
    User.objects.filter(pk=cast["alice"].pk).update(is_active=False)
    assert stranger.get(address).status_code == 404
    User.objects.filter(pk=cast["alice"].pk).update(is_active=True)
    other = Client()
    other.force_login(cast["bob"])
    assert other.post(f"/schedules/calendar/{link.pk}/revoke/").status_code == 404
    client.post(f"/schedules/calendar/{link.pk}/revoke/")
    assert stranger.get(address).status_code == 404
    client.post("/schedules/checkout/calendar/")
    assert calendars.token_of(CalendarLink.objects.get(revoked_at=None)) not in address


@pytest.mark.parametrize(
    ("lines", "times", "expected"),
    [
        ((ALICES,), NOON_TO_TWO, ("Alice", "12 12:00", "12 14:00")),
        (("SUMMARY:On call: bob@example.com",), NOON_TO_TWO, ("Bob", "12 12:00", "12 14:00")),
        (("SUMMARY:Primary - BOB (backup)",), NOON_TO_TWO, ("Bob", "12 12:00", "12 14:00")),
        (("SUMMARY:Bob", ALICES), NOON_TO_TWO, ("Alice", "12 12:00", "12 14:00")),
        (("SUMMARY:Cover", "ORGANIZER:mailto:charlie@example.com"), NOON_TO_TWO, ("Charlie", "12 12:00", "12 14:00")),
        ((ALICES,), (";TZID=America/New_York:20260312T090000", ";TZID=America/New_York:20260312T100000"),
         ("Alice", "12 13:00", "12 14:00")),
        ((ALICES,), (":20260329T020000", ":20260329T040000"), ("Alice", "29 01:00", "29 02:00")),  # floats: Berlin
        ((ALICES,), (";VALUE=DATE:20260329", ";VALUE=DATE:20260330"), ("Alice", "28 23:00", "29 22:00")),  # 23 h
        ((ALICES,), (":20260310T000000Z", ":20260312T000000Z"), ("Alice", "10 00:00", "12 00:00")),  # it runs
    ],
)  # fmt: skip
def test_an_event_is_somebodys_at_some_time(
    cast: dict[str, User], lines: tuple[str, ...], times: tuple[str, str], expected: tuple[str, str, str]
) -> None:
    reading = read_calendar(
        calendar(event("a", *times, *lines)), people=list(cast.values()), zone=BERLIN, now=NOON
    )
    (wish,) = reading.wishes
    assert (str(wish.person), f"{wish.started_at:%d %H:%M}", f"{wish.ended_at:%d %H:%M}") == expected


@pytest.mark.parametrize(
    ("lines", "times", "reason"),
    [
        (("SUMMARY:Alicent",), NOON_TO_TWO, "names nobody"),
        (("SUMMARY:Alice and Bob",), NOON_TO_TWO, "several people: Alice, Bob"),
        ((ALICES, "ATTENDEE:mailto:bob@example.com"), NOON_TO_TWO, "several people"),
        ((ALICES, "STATUS:CANCELLED"), NOON_TO_TWO, "cancelled"),
        ((ALICES, "RRULE:FREQ=MINUTELY"), NOON_TO_TWO, "more often than daily"),
    ],
)
def test_an_event_that_cannot_be_taken_is_listed_with_its_reason(
    cast: dict[str, User], lines: tuple[str, ...], times: tuple[str, str], reason: str
) -> None:
    reading = read_calendar(
        calendar(event("a", *times, *lines)), people=list(cast.values()), zone=BERLIN, now=NOON
    )
    assert not reading.wishes
    (rejected,) = reading.rejected
    assert reason in rejected.reason
    assert rejected.when == "12 Mar 2026 12:00"


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"\xff\xfe", b"BEGIN:VEVENT\r\nEND:VEVENT\r\n", b"BEGIN:VCALENDAR", b"x" * 1_048_577],
)
def test_a_file_that_is_no_calendar_is_refused(content: bytes) -> None:
    with pytest.raises(NotACalendar):
        read_calendar(content, people=[], zone=BERLIN, now=NOON)


def test_a_repeating_event_with_a_moved_and_a_left_out_day_across_the_change_of_clocks(
    cast: dict[str, User],
) -> None:
    berlin = ";TZID=Europe/Berlin:"
    rule = event("w", f"{berlin}20260327T180000", f"{berlin}20260327T220000", ALICES,
                 "RRULE:FREQ=DAILY;COUNT=5", f"EXDATE{berlin}20260328T180000")  # fmt: skip
    moved = event("w", f"{berlin}20260330T200000", f"{berlin}20260330T220000", "SUMMARY:Bob",
                  f"RECURRENCE-ID{berlin}20260330T180000")  # fmt: skip
    reading = read_calendar(calendar(rule, moved), people=list(cast.values()), zone=BERLIN, now=NOON)
    assert sorted((f"{one.started_at:%d %H:%M}", str(one.person)) for one in reading.wishes) == [
        ("27 17:00", "Alice"), ("29 16:00", "Alice"), ("30 18:00", "Bob"), ("31 16:00", "Alice")]  # fmt: skip
    assert len({one.key for one in reading.wishes}) == 4


def test_importing_twice_changes_nothing_and_a_moved_event_moves_its_override(cast: dict[str, User]) -> None:
    rotation = make_rotation(cast["bob"])
    past = event("old", ":20260301T120000Z", ":20260301T140000Z", ALICES)
    odd = event("odd", *NOON_TO_TWO, "SUMMARY:Nobody we know")
    running = event("run", ":20260311T100000Z", ":20260311T180000Z", ALICES)
    file = calendar(past, odd, running, event("a", *NOON_TO_TWO, ALICES, "SUMMARY:Swap shift"))
    first = import_calendar(rotation, file, by=BY, now=NOON)
    assert (first.added, first.unchanged, first.past, len(first.rejected)) == (2, 0, 1, 1)
    assert set(Override.objects.values_list("reason", flat=True)) == {"Swap shift", "(no title)"}
    again = import_calendar(rotation, file, by=BY, now=NOON + HOUR)
    assert (again.added, again.changed, again.unchanged) == (0, 0, 2)
    moved = calendar(event("a", ":20260313T120000Z", ":20260313T150000Z", "SUMMARY:Charlie"))
    third = import_calendar(rotation, moved, by=BY, now=NOON + HOUR)
    assert (third.added, third.changed) == (0, 1)
    override = Override.objects.get(person=cast["charlie"])
    assert override.started_at == datetime(2026, 3, 13, 12, tzinfo=UTC)
    cancel(override, by=BY, now=NOON + 2 * HOUR)
    fourth = import_calendar(rotation, moved, by=BY, now=NOON + 3 * HOUR)
    assert (fourth.unchanged, Override.objects.standing().filter(person=cast["charlie"]).count()) == (1, 0)


def test_an_upload_tells_what_became_of_each_event(cast: dict[str, User], client: Client) -> None:
    make_rotation(cast["bob"], slug="checkout")
    client.force_login(make_user(role="manager"))
    soon = timezone.now() + DAY
    times = (f":{soon:%Y%m%dT%H%M%SZ}", f":{soon + HOUR:%Y%m%dT%H%M%SZ}")
    good, odd = event("a", *times, ALICES), event("b", *times, "SUMMARY:Who?")
    answer = client.post(
        "/schedules/checkout/import/", {"file": SimpleUploadedFile("c.ics", calendar(good, odd))}
    )
    page = answer.content.decode()
    assert "1 added, 0 changed, 0 unchanged." in page
    assert "It names nobody who can be on call" in page
    answer = client.post("/schedules/checkout/import/", {"file": SimpleUploadedFile("c.ics", b"no")})
    assert (answer.status_code, "not an iCalendar file" in answer.content.decode()) == (422, True)
