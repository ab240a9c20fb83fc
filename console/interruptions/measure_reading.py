"""Reading the roll-ups: sums by place or by week, and how reclaims came in bunches.

Whole days come from the sums by day, the window's ragged edges from the sums by hour, so a year costs
what a week costs and nothing here touches the interruptions themselves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, TypeVar

from console.interruptions.kept import kept_rows
from console.interruptions.measures import WEEK, Dimension, Scope, Window
from console.interruptions.models.rollup import COUNTS
from console.lib.statistics import dispersion

_IDS = "f.service_id, f.pool_id, f.provider, f.region"
"""What `PLACE` follows from. Sums are grouped by these, and names joined to what is left."""
_SUMS = ", ".join(
    f"sum(f.{name})::bigint AS {name}" if name.endswith("_count") else f"sum(f.{name}) AS {name}"
    for name in COUNTS
)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NONE = "unattributed"
Key = TypeVar("Key", bound=Hashable)
Pieces = list[tuple[Any, ...]]
Rows = Sequence[Sequence[Any]]

CONDITIONS = {
    Dimension.SERVICE: "s.slug = %s",
    Dimension.TEAM: f"coalesce(t.slug, '{NONE}') = %s",
    Dimension.REGION: "f.region = %s",
    Dimension.ZONE: "p.zone = %s",
    Dimension.TYPE: "p.instance_type = %s",
    Dimension.POOL: "f.pool_id::text = %s",
    Dimension.PROVIDER: "f.provider = %s",
}
JOINS = """
    JOIN fleet_service s ON s.id = f.service_id
    LEFT JOIN fleet_team t ON t.id = s.team_id
    LEFT JOIN fleet_pool p ON p.id = f.pool_id
    LEFT JOIN interruptions_reportingservice h ON h.service_id = f.service_id
"""
PLACE = f"""
    s.slug, s.name, coalesce(t.slug, '{NONE}'), coalesce(t.name, 'Unattributed'), f.pool_id, f.provider, f.region,
    coalesce(p.zone, ''), coalesce(p.instance_type, ''), coalesce(p.os, ''),
    h.service_id IS NOT NULL
"""
BY_SERVICE = f"""
    s.slug, s.name, coalesce(t.slug, '{NONE}'), coalesce(t.name, 'Unattributed'), NULL::bigint, f.provider, '',
    '', '', '', h.service_id IS NOT NULL
"""
"""For who asks for no more than a service's sums, a tenth as many rows; `BY_SERVICE_AND_TYPE` tells types apart too."""
BY_SERVICE_AND_TYPE = BY_SERVICE.replace("'', '', '', h.", "'', coalesce(p.instance_type, ''), '', h.")
OTHER_JOINS = (
    "JOIN fleet_service s2 ON s2.id = f.other_service_id LEFT JOIN fleet_team t2 ON t2.id = s2.team_id"
)
OTHER_SERVICE = f"s2.slug, s2.name, coalesce(t2.slug, '{NONE}'), coalesce(t2.name, 'Unattributed')"


_PLACED = 11
"""Columns of a grain."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something happened, in words; `week` instead when sums are by week."""

    service: str = ""
    service_name: str = ""
    team: str = ""
    team_name: str = ""
    pool: int | None = None
    provider: str = ""
    region: str = ""
    zone: str = ""
    type: str = ""
    os: str = ""
    is_reporting: bool = False
    """A hook report came from this service at least once."""
    week: int = 0

    def key(self, dimension: Dimension) -> str:
        value = getattr(self, dimension)
        return "" if value is None else str(value)

    def label(self, dimension: Dimension) -> str:
        match dimension:
            case Dimension.SERVICE:
                return self.service_name
            case Dimension.TEAM:
                return self.team_name
            case Dimension.POOL if self.pool is not None:
                where = self.zone or self.region or self.provider
                system = "" if self.os == "linux" else self.os
                return " · ".join(part for part in (self.type or "unknown type", where, system) if part)
            case Dimension.POOL:
                return f"pool not reported · {self.region or self.provider or 'unknown place'}"
        return self.key(dimension) or "not reported"


class Counts:
    """Sums in the order of `COUNTS`, by name."""

    __slots__ = ("values",)

    def __init__(self, values: Iterable[int] = ()) -> None:
        self.values = tuple(int(value) for value in values) or (0,) * len(COUNTS)

    @classmethod
    def total(cls, several: Iterable[Counts]) -> Counts:
        return cls(map(sum, zip(*(counts.values for counts in several), strict=True)))

    def __getattr__(self, name: str) -> int:
        try:
            return self.values[_POSITIONS[name]]
        except KeyError:
            raise AttributeError(name) from None


_POSITIONS = {name: position for position, name in enumerate(COUNTS)}


@dataclass(frozen=True, slots=True)
class Reading:
    """What one window holds: sums a place, and the bunches among them."""

    scope: Scope
    window: Window
    cells: tuple[tuple[Place, Counts], ...]
    pairs: tuple[tuple[Place, Place, int], ...] | None
    """Excess of bunches within an hour, by the two services they hit; None where services are not told apart."""
    bunches: tuple[tuple[tuple[Place, int], ...], ...]
    """Bunches that cross an hour, each as its parts."""

    def fold(self, key: Callable[[Place], Key]) -> dict[Key, Counts]:
        folded: dict[Key, list[Counts]] = defaultdict(list)
        for place, counts in self.cells:
            folded[key(place)].append(counts)
        return {group: Counts.total(mine) for group, mine in folded.items()}

    def phi(self, key: Callable[[Place], Key], of: dict[Key, Counts]) -> dict[Key, float]:
        """The dispersion of each group: 1 + Σ(size² − size) / reclaims."""
        excess: dict[Key, int] = defaultdict(int)
        if self.pairs is None:
            excess |= {group: counts.bunch_excess for group, counts in of.items()}
        for place, other, value in self.pairs or ():
            if key(place) == key(other):
                excess[key(place)] += value
        for bunch in self.bunches:
            sizes: dict[Key, int] = defaultdict(int)
            for place, size in bunch:
                sizes[key(place)] += size
            for group, size in sizes.items():
                excess[group] += size * size - size
        return {
            group: 1 + excess[group] / counts.reclaim_count if counts.reclaim_count else dispersion(())
            for group, counts in of.items()
        }


def conditions(scope: Scope, *, leave_out: Iterable[str] = ()) -> tuple[str, list[str]]:
    """The scope as SQL over `f`, `s`, `t` and `p`."""
    wanted = [
        (CONDITIONS[Dimension(name)], value) for name, value in scope.filters.items() if name not in leave_out
    ]
    return " AND ".join([sql for sql, _ in wanted] or ["true"]), [value for _, value in wanted]


def read_counts(
    scope: Scope, window: Window, *, by_week: bool = False, pieces: Pieces | None = None, grain: str = PLACE
) -> Reading:
    """Everything M1 and M2 need. `pieces` of a wider window may be handed in to save reading them again.

    `grain`: how fine places are told apart, one of `PLACE`, `BY_SERVICE_AND_TYPE`, `BY_SERVICE`.
    """
    known = read_pieces(scope, window) if pieces is None else pieces
    return Reading(
        scope,
        window,
        cells=tuple(_cells(scope, window, by_week, grain)),
        pairs=tuple(_pairs(scope, window, by_week, grain))
        if not by_week or scope.service or scope.team
        else None,
        bunches=tuple(_bunches(known, scope, window, by_week)),
    )


def ages(since: Iterable[datetime | str] | None, *, now: datetime) -> list[float]:
    """Seconds since each of these, which come as times, or as text where they were read with others."""
    times = (datetime.fromisoformat(one) if isinstance(one, str) else one for one in since or ())
    return [max(0.0, (now - one).total_seconds()) for one in times]


def read_pieces(scope: Scope, window: Window) -> Pieces:
    """Pieces of bunches that cross an hour. Of every service: another's reclaim may hold a bunch together."""
    where, wanted = conditions(scope, leave_out=[Dimension.SERVICE, Dimension.TEAM])
    sql = (
        f"SELECT f.hour, f.segment, f.count, {PLACE} FROM interruptions_bunchpiece f {JOINS}"  # noqa: S608
        f" WHERE f.origin = %s AND f.hour >= %s AND f.hour < %s AND {where}"
        " ORDER BY f.pool_id, f.provider, f.region, f.hour, f.segment"
    )
    return kept_rows(sql, [scope.origin, window.since, window.until, *wanted], as_of=window.as_of)


def _day(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def _stretches(window: Window) -> Iterator[tuple[str, str, datetime, datetime]]:
    """Which table answers for which part of the window."""
    first = _day(window.since + DAY - timedelta(microseconds=1))
    last = window.until if window.until >= window.as_of else _day(window.until)
    if first >= last:
        yield "interruptions_measurehour", "hour", window.since, window.until
        return
    yield "interruptions_measurehour", "hour", window.since, first
    yield "interruptions_measureday", "day", first, last
    yield "interruptions_measurehour", "hour", last, window.until


def _first(count: int) -> str:
    """That many columns, by number."""
    return ", ".join(str(number + 1) for number in range(count))


def _week(column: str) -> str:
    return f"floor(extract(epoch FROM {column} - %s) / {WEEK.total_seconds():.0f})::int"


def _cells(scope: Scope, window: Window, by_week: bool, grain: str) -> Iterator[tuple[Place, Counts]]:
    parts, values = [], []
    for table, time, since, until in _stretches(window):
        if since < until:
            parts.append(
                f"SELECT {time} AS at, service_id, pool_id, provider, region, {', '.join(COUNTS)} FROM {table}"  # noqa: S608
                f" WHERE origin = %s AND {time} >= %s AND {time} < %s"
            )
            values += [scope.origin, since, until]
    where, wanted = conditions(scope)
    held = f"({' UNION ALL '.join(parts)}) AS f {JOINS if wanted else ''} WHERE {where}"
    if by_week:
        sql = f"SELECT {_week('f.at')}, {_SUMS} FROM {held} GROUP BY 1"  # noqa: S608
        for week, *sums in kept_rows(sql, [window.since, *values, *wanted], as_of=window.as_of):
            yield Place(week=week), Counts(sums)
        return
    columns = ", ".join(COUNTS) if grain == PLACE else ", ".join(f"sum({name})" for name in COUNTS)
    sql = f"SELECT {grain}, {columns} FROM (SELECT {_IDS}, {_SUMS} FROM {held} GROUP BY {_IDS}) AS f {JOINS}"  # noqa: S608
    if grain != PLACE:
        sql += f" GROUP BY {_first(_PLACED)}"
    for row in kept_rows(sql, [*values, *wanted], as_of=window.as_of):
        at = len(row) - len(COUNTS)
        yield Place(*row[:at]), Counts(row[at:])


def _pairs(scope: Scope, window: Window, by_week: bool, grain: str) -> Iterator[tuple[Place, Place, int]]:
    where, wanted = conditions(scope)
    other = where.replace("s.slug", "s2.slug").replace("t.slug", "t2.slug")
    held = f"interruptions_bunchpair f {f'{JOINS} {OTHER_JOINS}' if wanted else ''}"
    held += f" WHERE f.origin = %s AND f.hour >= %s AND f.hour < %s AND {where} AND {other}"
    asked = [scope.origin, window.since, window.until, *wanted, *wanted]
    if by_week:
        sql = f"SELECT {_week('f.hour')}, sum(f.excess) FROM {held} GROUP BY 1"  # noqa: S608
        for week, excess in kept_rows(sql, [window.since, *asked], as_of=window.as_of):
            yield Place(week=week), Place(week=week), int(excess)
        return
    ids = f"{_IDS}, f.other_service_id"
    sql = (
        f"SELECT {grain}, {OTHER_SERVICE}, sum(excess)"  # noqa: S608
        f" FROM (SELECT {ids}, sum(f.excess) AS excess FROM {held} GROUP BY {ids}) AS f {JOINS} {OTHER_JOINS}"
        f" GROUP BY {_first(_PLACED + 4)}"
    )
    for row in kept_rows(sql, asked, as_of=window.as_of):
        yield Place(*row[:11]), Place(*row[11:15], *row[4:11]), int(row[15])


def _bunches(
    pieces: Pieces, scope: Scope, window: Window, by_week: bool
) -> Iterator[tuple[tuple[Place, int], ...]]:
    """Pieces of the window strung together again, then narrowed to the services asked for."""
    bunch: list[tuple[Place, int]] = []
    before: tuple[Any, ...] = ()
    inside = [row for row in pieces if window.since <= row[0] < window.until]
    for (pool, hour, segment), rows in groupby(inside, key=lambda row: (row[7:10], row[0], row[1])):
        if not (segment == 0 and before == (pool, hour - HOUR)):
            if bunch:
                yield tuple(bunch)
            bunch = []
        before = (pool, hour)
        for row in rows:
            place = Place(*row[3:])
            if scope.service in ("", place.service) and scope.team in ("", place.team):
                bunch.append((Place(week=(hour - window.since) // WEEK) if by_week else place, row[2]))
    if bunch:
        yield tuple(bunch)
