"""The turns of one layer: whose it is, from which clock time to which, and in which hours the layer holds."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from console.oncall.local_time import clock_at, day_begins, moment_of
from console.oncall.plan import Gap, LayerPlan, Shift

DAY = timedelta(days=1)
UNITS = {"hourly": timedelta(hours=1), "daily": DAY, "weekly": timedelta(days=7)}
LONGEST_MONTH = timedelta(days=31)
FAR_AWAY = datetime(9000, 1, 1, tzinfo=UTC)


def longest_turn(layer: LayerPlan) -> timedelta:
    """No turn is longer, an hour put back included."""
    return UNITS.get(layer.kind, LONGEST_MONTH) * layer.length + DAY


def turn_begins(layer: LayerPlan, number: int) -> datetime:
    """When turn `number` (from 0) begins. Counted on the clock, so that a hand-over never drifts across DST."""
    first = datetime.combine(layer.starts_on, layer.handover_at)
    if layer.kind == "monthly":
        return moment_of(_months_later(first, number * layer.length), layer.zone)
    return moment_of(first + UNITS[layer.kind] * (number * layer.length), layer.zone)


def first_turn_at(layer: LayerPlan) -> datetime:
    return turn_begins(layer, 0)


def turn_number(layer: LayerPlan, at: datetime) -> int:
    """Of the turn that holds `at`; negative before the first."""
    first, clock = datetime.combine(layer.starts_on, layer.handover_at), clock_at(at, layer.zone)
    if layer.kind == "monthly":
        months = (clock.year - first.year) * 12 + clock.month - first.month
        number = months // layer.length
    else:
        number = (clock - first) // (UNITS[layer.kind] * layer.length)
    while turn_begins(layer, number) > at:
        number -= 1
    while turn_begins(layer, number + 1) <= at:
        number += 1
    return number


def pieces(layer: LayerPlan, since: datetime, until: datetime) -> Iterator[Shift]:
    """The turns of the layer within [since, until), cut to its hours and to the time it is valid, in order."""
    since, until = max(since, layer.valid_from), min(until, layer.valid_until or FAR_AWAY)
    if not layer.people or since >= until:
        return
    windows = list(open_hours(layer, since, until))
    turns = _whole(layer, since, until) if layer.is_one_person else _turns(layer, since, until)
    at = 0
    for turn in turns:
        while at < len(windows) and windows[at].ended_at <= turn.started_at:
            at += 1
        for window in windows[at:]:
            if window.started_at >= turn.ended_at:
                break
            yield turn.cut(max(turn.started_at, window.started_at), min(turn.ended_at, window.ended_at))


def covered(layer: LayerPlan, since: datetime, until: datetime) -> Iterator[Gap]:
    """When the layer has somebody, whoever it is: cheaper than its turns."""
    since = max(since, layer.valid_from, first_turn_at(layer))
    until = min(until, layer.valid_until or FAR_AWAY)
    if layer.people and since < until:
        yield from open_hours(layer, since, until)


def open_hours(layer: LayerPlan, since: datetime, until: datetime) -> Iterator[Gap]:
    """The stretches of [since, until) in which the layer's weekdays and hours let it hold, in order."""
    if not layer.weekdays and layer.hours is None:
        yield Gap(since, until)
        return
    held: Gap | None = None
    day = clock_at(since, layer.zone).date() - DAY
    while day_begins(day, layer.zone) < until:
        if not layer.weekdays or day.weekday() in layer.weekdays:
            start, end = _hours_of(layer, day)
            start, end = max(start, since), min(end, until)
            if held is not None and start <= held.ended_at:
                held = Gap(held.started_at, max(end, held.ended_at))
            elif start < end:
                if held is not None:
                    yield held
                held = Gap(start, end)
        day += DAY
    if held is not None:
        yield held


def _hours_of(layer: LayerPlan, day: date) -> tuple[datetime, datetime]:
    """From when to when the layer holds of this day; hours that end before they begin end on the next one."""
    if layer.hours is None:
        return day_begins(day, layer.zone), day_begins(day + DAY, layer.zone)
    begins, ends = layer.hours
    last = day + DAY if ends <= begins else day
    return (
        moment_of(datetime.combine(day, begins), layer.zone),
        moment_of(datetime.combine(last, ends), layer.zone),
    )


def _whole(layer: LayerPlan, since: datetime, until: datetime) -> Iterator[Shift]:
    begins = max(layer.valid_from, first_turn_at(layer))
    if begins < until:
        yield Shift(layer.people[0], max(begins, since), until, layer, begins)


def _turns(layer: LayerPlan, since: datetime, until: datetime) -> Iterator[Shift]:
    """Whole turns that meet [since, until); one that the clocks skip lasts no time and is nobody's."""
    number = max(0, turn_number(layer, since))
    begins = turn_begins(layer, number)
    while begins < until:
        ends = turn_begins(layer, number + 1)
        if begins < ends:
            person = layer.people[number % len(layer.people)]
            yield Shift(person, begins, ends, layer, begins)
        number, begins = number + 1, ends


def _months_later(first: datetime, months: int) -> datetime:
    """The same day of a later month, or its last day where it is shorter."""
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    day = min(first.day, calendar.monthrange(year, month + 1)[1])
    return first.replace(year=year, month=month + 1, day=day)
