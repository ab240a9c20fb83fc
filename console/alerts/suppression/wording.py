"""Suppressions in words: what they are, when they come, what they cover."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from console.alerts.models import Suppression, SuppressionKind
from console.alerts.suppression.recurrence import DAYS, Rule, Window, exists, wall_clock
from console.lib.lengths import write_length

NAMES = {"MO": "Monday", "TU": "Tuesday", "WE": "Wednesday", "TH": "Thursday", "FR": "Friday", "SA": "Saturday",
         "SU": "Sunday"}  # fmt: skip
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
          "November", "December")  # fmt: skip
ORDINALS = {
    "1": "first",
    "2": "second",
    "3": "third",
    "4": "fourth",
    "5": "fifth",
    "-1": "last",
    "-2": "last but one",
}
UNITS = {"HOURLY": "hour", "DAILY": "day", "WEEKLY": "week", "MONTHLY": "month", "YEARLY": "year"}
WORKDAYS = ["MO", "TU", "WE", "TH", "FR"]


def name_of(suppression: Suppression, *, until: datetime) -> str:
    """`Maintenance “Upgrade of EKS” by Alice until 14:00 UTC`: what a receipt says."""
    kind = SuppressionKind(suppression.kind).label
    return f"{kind} “{suppression.name}” by {suppression.maker} until {clock(until)}"


def clock(at: datetime) -> str:
    """`3 Mar 14:00 UTC`."""
    return f"{at:%-d %b %H:%M} UTC"


def repeats(rule: Rule, *, first: datetime, duration: timedelta, zone: ZoneInfo) -> str:
    """`every Tuesday 02:00–04:00 Europe/Berlin, until 31 Dec 2026`."""
    start = wall_clock(first, zone)
    if rule.frequency == "HOURLY":
        when = f"{_hourly(rule)}, at minute {start:%M} for {write_length(duration)} {zone.key}"
    else:
        hours = [int(hour) for hour in rule.get("BYHOUR").split(",") if hour] or [start.hour]
        times = [span(start.replace(hour=hour), duration) for hour in sorted(hours)]
        when = f"{_which(rule, start)} {_listed(times)} {zone.key}"
    return when + _end(rule, zone)


def once(window: Window, zone: ZoneInfo) -> str:
    """`once, Tue 8 Dec 02:00–04:00 CET`."""
    return f"once, {window_words(window, zone)}"


def span(start: datetime, duration: timedelta) -> str:
    """`02:00–04:00`, with the day where it ends on another."""
    end = start + duration
    days = (end.date() - start.date()).days
    later = f" (+{days} d)" if days and not (days == 1 and end.hour == end.minute == 0) else ""
    return f"{start:%H:%M}–{end:%H:%M}{later}"


def window_words(window: Window, zone: ZoneInfo) -> str:
    """`Tue 8 Dec 02:00–04:00 CET`; both zones where the clocks change in between."""
    start, end = window.starts_at.astimezone(zone), window.ends_at.astimezone(zone)
    far = "%H:%M" if start.date() == end.date() else "%a %-d %b %H:%M"
    first = f" {_zone(start)}" if start.utcoffset() != end.utcoffset() else ""
    return f"{start:%a %-d %b %H:%M}{first}–{end.strftime(far)} {_zone(end)}"


def clock_changes(windows: Sequence[Window], *, first: datetime, zone: ZoneInfo) -> list[str]:
    """What the change of the clocks does to these windows, where it does anything."""
    told = []
    usual = wall_clock(first, zone)
    for window in windows:
        start, end = window.starts_at.astimezone(zone), window.ends_at.astimezone(zone)
        skipped = wall_clock(window.starts_at, zone).replace(hour=usual.hour, minute=usual.minute)
        if not exists(skipped, zone):
            told.append(
                f"{start:%-d %b}: {skipped:%H:%M} does not exist that day; it begins at {start:%H:%M}."
            )
        elif start.utcoffset() != end.utcoffset():
            told.append(f"{start:%-d %b}: the clocks change in between; it ends at {end:%H:%M} {_zone(end)}.")
    return told


def _zone(at: datetime) -> str:
    name = at.tzname() or ""
    return f"UTC{name}" if name[:1] in "+-" else name.replace("GMT", "UTC")


def _hourly(rule: Rule) -> str:
    every = "every hour" if rule.interval == 1 else f"every {rule.interval} hours"
    return every + (f" on {_days(rule)}" if rule.get("BYDAY") else "")


def _which(rule: Rule, start: datetime) -> str:
    """`every second Tuesday`, `on the last Friday of each month`."""
    if rule.frequency == "DAILY":
        if rule.get("BYDAY"):
            return f"every {_days(rule)}"
        return "every day" if rule.interval == 1 else f"every {rule.interval} days"
    if rule.frequency == "WEEKLY":
        days = _days(rule) if rule.get("BYDAY") else NAMES[DAYS[start.weekday()]]
        if rule.interval == 1:
            return f"every {days}"
        return f"every {rule.interval} weeks on {days.replace('working day', 'working days')}"
    unit = UNITS[rule.frequency]
    each = f"each {unit}" if rule.interval == 1 else f"every {rule.interval} {unit}s"
    if rule.frequency == "YEARLY" and rule.get("BYMONTH"):
        each = f"{_listed([MONTHS[int(month) - 1] for month in rule.get('BYMONTH').split(',')])} of {each}"
    if rule.get("BYDAY"):
        return f"on {_numbered_days(rule)} of {each}"
    if rule.get("BYMONTHDAY"):
        return f"on {_listed([_day_of_month(day) for day in rule.get('BYMONTHDAY').split(',')])} of {each}"
    if rule.frequency == "YEARLY" and not rule.get("BYMONTH"):
        return f"on {start.day} {MONTHS[start.month - 1]} of {each}"
    return f"on day {start.day} of {each}"


def _days(rule: Rule) -> str:
    days = sorted(rule.get("BYDAY").split(","), key=DAYS.index)
    if days == WORKDAYS:
        return "working day"
    return _listed([NAMES[day] for day in days])


def _numbered_days(rule: Rule) -> str:
    """`the second Tuesday`; with BYSETPOS `the last of Monday and Tuesday`."""
    positions = [
        ORDINALS.get(each, f"{each}.") for each in rule.get("BYSETPOS").replace("+", "").split(",") if each
    ]
    days = [_numbered(day) for day in rule.get("BYDAY").split(",")]
    if positions:
        return f"the {_listed(positions)} of {_listed(days)}"
    return _listed([f"the {day}" if " " in day else f"each {day}" for day in days])


def _numbered(day: str) -> str:
    number, name = day[:-2].replace("+", ""), NAMES[day[-2:]]
    return f"{ORDINALS.get(number, f'{number}.')} {name}" if number else name


def _day_of_month(day: str) -> str:
    number = int(day)
    if number > 0:
        return f"day {number}"
    return "the last day" if number == -1 else f"the last day but {-number - 1}"


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _end(rule: Rule, zone: ZoneInfo) -> str:
    if count := rule.get("COUNT"):
        return ", once" if count == "1" else f", {count} times"
    last = rule.last_day(zone)
    return f", until {last:%-d %b %Y}" if last else ""
