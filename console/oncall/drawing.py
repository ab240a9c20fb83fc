"""Four weeks of a rotation as rows of bars: what each layer says, the overrides, and who is on call in the end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from console.accounts.models import User
from console.oncall.local_time import clock_at, day_begins
from console.oncall.plan import Plan, Shift
from console.oncall.timeline import gaps_of, layer_pieces, shifts_of

DAYS = 28
ROW = 30
TOP = 34
SERIES = 6
WIDE_ENOUGH = 4.2
"""Percent of the drawing that a first name needs; narrower bars carry initials."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One stretch of a row; places and widths in percent of the drawing. Series 0: nobody."""

    x: float
    width: float
    label: str
    words: str
    series: int
    started_at: datetime
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    bars: Sequence[Bar]
    y: int
    is_final: bool = False


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the reader's zone."""

    x: float
    width: float
    label: str
    month: str
    is_weekend: bool


@dataclass(frozen=True, slots=True)
class Drawing:
    rows: Sequence[Row]
    days: Sequence[Day]
    now_x: float
    height: int


def draw(
    plan: Plan, *, titles: Mapping[int, str], people: Mapping[int, User], zone: ZoneInfo, now: datetime
) -> Drawing:
    """From the beginning of the reader's day on. `titles` names the layers by position, `people` everybody by id."""
    scale = _Scale(now, zone, people, {pk: number % SERIES + 1 for number, pk in enumerate(sorted(people))})
    since, until = scale.since, scale.until
    final = [*map(scale.bar, shifts_of(plan, since, until))]
    final += [scale.gap(gap.started_at, gap.ended_at) for gap in gaps_of(plan, since, until)]
    named = [("On call", sorted(final, key=lambda bar: bar.x))]
    if any(one.started_at < until and one.ended_at > since for one in plan.overrides):
        named.append(("Overrides", _overrides(plan, scale)))
    for position, found in reversed(layer_pieces(plan, since, until)):
        named.append((titles.get(position, f"Layer {position}"), [*map(scale.bar, found)]))
    rows = [
        Row(name, bars, TOP + ROW * number, is_final=number == 0) for number, (name, bars) in enumerate(named)
    ]
    return Drawing(rows, list(scale.days()), scale.place(now), TOP + ROW * len(rows))


def _overrides(plan: Plan, scale: _Scale) -> list[Bar]:
    """As they were made, the newer over the older; whether they hold is seen in the row above."""
    made = sorted(plan.overrides, key=lambda one: one.id)
    return [
        scale.bar(Shift(one.person_id, start, end, one, one.started_at))
        for one in made
        if (start := max(one.started_at, scale.since)) < (end := min(one.ended_at, scale.until))
    ]


class _Scale:
    """Moments as places."""

    def __init__(
        self, now: datetime, zone: ZoneInfo, people: Mapping[int, User], series: Mapping[int, int]
    ) -> None:
        self.today, self.zone, self.people, self.series = clock_at(now, zone).date(), zone, people, series
        self.since = day_begins(self.today, zone)
        self.until = day_begins(self.today + timedelta(days=DAYS), zone)

    def place(self, at: datetime) -> float:
        return round((at - self.since) / (self.until - self.since) * 100, 3)

    def bar(self, shift: Shift) -> Bar:
        person = self.people.get(shift.person_id)
        name = str(person) if person else "somebody"
        x, end = self.place(shift.started_at), self.place(shift.ended_at)
        short = name.split()[0] if end - x >= WIDE_ENOUGH else "".join(part[0] for part in name.split()[:2])
        return Bar(
            x, round(end - x, 3), short, f"{name}: {shift.why}", self.series.get(shift.person_id, 1),
            shift.started_at, shift.ended_at,
        )  # fmt: skip

    def gap(self, started_at: datetime, ended_at: datetime) -> Bar:
        x, end = self.place(started_at), self.place(ended_at)
        label = "nobody" if end - x >= WIDE_ENOUGH else ""
        return Bar(x, round(end - x, 3), label, "Nobody is on call", 0, started_at, ended_at)

    def days(self) -> Iterable[Day]:
        for number in range(DAYS):
            day = self.today + timedelta(days=number)
            x = self.place(day_begins(day, self.zone))
            end = self.place(day_begins(day + timedelta(days=1), self.zone))
            yield Day(x, round(end - x, 3), str(day.day), _month(day, number), day.weekday() >= 5)


def _month(day: date, number: int) -> str:
    """Said at the beginning and where it changes."""
    return f"{day:%b}" if number == 0 or day.day == 1 else ""
