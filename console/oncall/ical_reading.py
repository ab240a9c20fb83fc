"""Reading an uploaded calendar: whose each event is, from when to when, and why others cannot be taken. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import recurring_ical_events
from icalendar import Calendar, Event

from console.accounts.models import User
from console.oncall.local_time import day_begins, moment_of

BIGGEST_FILE = 1_048_576
AHEAD = timedelta(days=366)
MOST_EVENTS = 2_000
MOST_TURNS = 1_000
TOO_OFTEN = frozenset({"SECONDLY", "MINUTELY", "HOURLY"})


class NotACalendar(ValueError):
    """The upload cannot be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One occurrence of an event: an override to be. `key` is the same whenever the event is read."""

    key: str
    person: User
    started_at: datetime
    ended_at: datetime
    summary: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """An event that cannot be taken."""

    summary: str
    when: str
    reason: str


@dataclass(slots=True)
class Reading:
    """What a calendar holds for a rotation."""

    wishes: list[Wish] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    past_count: int = 0
    """Events that are over: who was on call then stays as it was."""


def read_calendar(content: bytes, *, people: Sequence[User], zone: ZoneInfo, now: datetime) -> Reading:
    """Every occurrence of the next year. Times without a zone, and whole days, are those of `zone`."""
    calendar = _parsed(content)
    events = [part for part in calendar.walk("VEVENT") if isinstance(part, Event)]
    if len(events) > MOST_EVENTS:
        raise NotACalendar(f"The calendar holds more than {MOST_EVENTS:,} events. Split it.")
    reading = Reading()
    refused = {id(event): reason for event in events if (reason := _cannot_repeat(event))}
    reading.rejected = [_rejected(event, refused[id(event)]) for event in events if id(event) in refused]
    calendar.subcomponents = [part for part in calendar.subcomponents if id(part) not in refused]
    recurring = {str(event.get("UID", "")) for event in events if "RRULE" in event or "RDATE" in event}
    finder = _Finder(people)
    for one in _occurrences(calendar, now=now):
        _take(reading, one, finder, recurring, zone=zone, now=now)
    reading.past_count = sum(_is_over(event, zone, now) for event in events if id(event) not in refused)
    return reading


def _parsed(content: bytes) -> Calendar:
    if len(content) > BIGGEST_FILE:
        raise NotACalendar("The file is larger than 1 MiB. Export a shorter time.")
    try:
        found = Calendar.from_ical(content)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise NotACalendar("The file is not an iCalendar file (.ics).") from error
    if not isinstance(found, Calendar):
        raise NotACalendar("The file holds no calendar: it should begin with BEGIN:VCALENDAR.")
    return found


def _occurrences(calendar: Calendar, *, now: datetime) -> Iterable[Event]:
    """In order of time. A faulty rule fails the file, because what it repeats cannot be known."""
    try:
        query = recurring_ical_events.of(calendar, skip_bad_series=True)
        ends = now + AHEAD
        return list(islice(query.between(now, ends), MOST_TURNS + 1))
    except (ValueError, TypeError, OverflowError, AttributeError, KeyError) as error:
        raise NotACalendar(f"An event of the calendar cannot be worked out: {error}.") from error


def _take(
    reading: Reading, event: Event, finder: _Finder, recurring: set[str], *, zone: ZoneInfo, now: datetime
) -> None:  # fmt: skip
    if len(reading.wishes) == MOST_TURNS:
        reading.rejected.append(_rejected(event, f"Only the first {MOST_TURNS:,} events are taken."))
        return
    started_at, ended_at = _moment(event.start, zone), _moment(event.end, zone)
    person, reason = finder.find(event)
    if str(event.get("STATUS", "")).upper() == "CANCELLED":
        reason = "It is cancelled."
    elif ended_at <= started_at:
        reason = "It lasts no time."
    elif ended_at <= now:
        return
    if reason or person is None:
        reading.rejected.append(_rejected(event, reason))
        return
    key = _key(event, started_at, recurring)
    reading.wishes.append(Wish(key, person, started_at, ended_at, _summary(event)))


class _Finder:
    """Whose an event is: its one attendee, else whoever its title names, else its organizer."""

    def __init__(self, people: Sequence[User]) -> None:
        self._by_email = {person.email.lower(): person for person in people}
        self._by_name = {person.name.casefold(): person for person in people if person.name}
        same: dict[str, int] = {}
        for person in people:
            same[person.name.casefold()] = same.get(person.name.casefold(), 0) + 1
        self._doubtful = {name for name, count in same.items() if name and count > 1}

    def find(self, event: Event) -> tuple[User | None, str]:
        """The person, or why there is none."""
        summary = _summary(event)
        for found in (
            self._addressed(event, "ATTENDEE"),
            self._titled(summary),
            self._addressed(event, "ORGANIZER"),
        ):
            if len(found) > 1:
                names = ", ".join(sorted(str(person) for person in found))
                return None, f"It names several people: {names}."
            if found:
                return found.pop(), ""
        if doubtful := next((name for name in self._doubtful if _says(summary, name)), ""):
            return None, f"Several people are called {doubtful.title()}; name the e-mail address."
        return None, "It names nobody who can be on call, neither by e-mail address nor by name."

    def _addressed(self, event: Event, name: str) -> set[User]:
        given = event.get(name, [])
        listed = given if isinstance(given, list) else [given]
        addresses = {re.sub(r"(?i)^mailto:", "", str(one)).strip().lower() for one in listed}
        return {self._by_email[address] for address in addresses if address in self._by_email}

    def _titled(self, summary: str) -> set[User]:
        words = set(re.findall(r"[^\s<>,;()]+@[^\s<>,;()]+", summary.lower()))
        found = {self._by_email[word] for word in words if word in self._by_email}
        if found:
            return found
        names = [name for name in self._by_name if name not in self._doubtful and _says(summary, name)]
        longest = [name for name in names if not any(name != other and name in other for other in names)]
        return {self._by_name[name] for name in longest}


def _says(summary: str, name: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", summary.casefold()) is not None


def _key(event: Event, started_at: datetime, recurring: set[str]) -> str:
    """Of an event that repeats: with the time at which this one was meant to be, so that it may be moved."""
    uid = str(event.get("UID", "")) or f"{_summary(event)}|{started_at.isoformat()}"
    meant = ""
    if uid in recurring:
        planned = event.get("RECURRENCE-ID")
        meant = str(planned.dt if planned is not None else started_at)
    return hashlib.sha256(f"{uid}|{meant}".encode()).hexdigest()


def _moment(value: date | datetime, zone: ZoneInfo) -> datetime:
    if not isinstance(value, datetime):
        return day_begins(value, zone)
    return value.astimezone(UTC) if value.tzinfo else moment_of(value, zone)


def _is_over(event: Event, zone: ZoneInfo, now: datetime) -> bool:
    if "RRULE" in event or "RDATE" in event:
        return False
    try:
        return _moment(event.end, zone) <= now
    except (ValueError, KeyError, AttributeError, TypeError, OverflowError):
        return False


def _cannot_repeat(event: Event) -> str:
    rules = event.get("RRULE", [])
    for rule in rules if isinstance(rules, list) else [rules]:
        if TOO_OFTEN & {str(word).upper() for word in rule.get("FREQ", [])}:
            return "It repeats more often than daily."
    if "DTSTART" not in event:
        return "It says no time."
    return ""


def _summary(event: Event) -> str:
    return str(event.get("SUMMARY", "")).strip()[:200] or "(no title)"


def _rejected(event: Event, reason: str) -> Rejected:
    start = event.get("DTSTART")
    when = getattr(start, "dt", None)
    text = f"{when:%-d %b %Y %H:%M}" if isinstance(when, datetime) else f"{when:%-d %b %Y}" if when else ""
    return Rejected(_summary(event), text, reason)
