"""Reading counts: sums over any stretch, exact to the minute, from whole hours and the minutes at their edges."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from console.lib.rows import as_table, fetch
from console.slo.budget import PERIOD, Counted, EpisodeCount, share_used
from console.slo.error_spike import minute_of

HOUR = timedelta(hours=1)
NOTHING = Counted()
COUNTED_FOR = "CASE WHEN o.source = 'pushed' THEN 0 ELSE o.id END"

_PIECES = {"place": "int", "is_hour": "boolean", "since": "timestamptz", "until": "timestamptz"}
_SUMS = """
SELECT o.id, p.place, sum(c.good), sum(c.total), sum(c.minutes)
FROM slo_objective o CROSS JOIN {table} CROSS JOIN LATERAL (
    SELECT m.good, m.total, 1 AS minutes FROM slo_requestminute m
    WHERE NOT p.is_hour AND m.origin = o.origin AND m.service_id = o.service_id
      AND m.counted_for = {counted_for} AND m.minute >= p.since AND m.minute < p.until
    UNION ALL
    SELECT h.good, h.total, h.minute_count FROM slo_requesthour h
    WHERE p.is_hour AND h.origin = o.origin AND h.service_id = o.service_id
      AND h.counted_for = {counted_for} AND h.hour >= p.since AND h.hour < p.until
) c WHERE o.id = ANY(%s) GROUP BY o.id, p.place
"""
_COST = """
CASE WHEN r.before_total > 0 THEN greatest(0, r.spent_total - r.spent_good
     - (r.before_total - r.before_good) / r.before_total * r.spent_total) END
"""
_COSTS = f"""
SELECT r.episode_id, r.started_at, r.ended_at, r.spent_total - r.spent_good, r.spent_total,
       CASE WHEN r.before_total > 0 THEN (r.before_total - r.before_good) / r.before_total END,
       r.hour_good, r.hour_total
FROM slo_objective o JOIN slo_episoderequests r ON r.origin = o.origin AND r.service_id = o.service_id
  AND r.counted_for = {COUNTED_FOR}
WHERE o.id = %s AND r.started_at >= %s AND r.started_at < %s ORDER BY {{order}} LIMIT %s
"""  # noqa: S608 - a piece of this file
LATEST = "r.started_at DESC, r.id"
COSTLIEST = f"{_COST} DESC NULLS LAST, r.started_at DESC, r.id"
_USED = f"""
SELECT o.id, coalesce(sum({_COST}), 0), count({_COST}), count(r.id)
FROM slo_objective o JOIN slo_episoderequests r ON r.origin = o.origin AND r.service_id = o.service_id
  AND r.counted_for = {COUNTED_FOR}
WHERE o.id = ANY(%s) AND r.started_at >= %s AND r.started_at < %s GROUP BY o.id
"""  # noqa: S608 - pieces of this file


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of window `place` that one table answers for."""

    place: int
    is_hour: bool
    since: datetime
    until: datetime


def pieces(place: int, since: datetime, until: datetime) -> Iterator[Piece]:
    """[since, until), both on a minute: whole hours, and the minutes before and after them."""
    first = since if since == _hour(since) else _hour(since) + HOUR
    last = _hour(until)
    if first >= last:
        yield Piece(place, False, since, until)
        return
    yield Piece(place, False, since, first)
    yield Piece(place, True, first, last)
    yield Piece(place, False, last, until)


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def read_stretches(
    objectives: Collection[int], stretches: Sequence[tuple[datetime, datetime]]
) -> dict[int, list[Counted]]:
    """By objective: what was counted in each [since, until), in one statement."""
    found = {pk: [NOTHING] * len(stretches) for pk in objectives}
    if not found or not stretches:
        return found
    parts = [one for place, (since, until) in enumerate(stretches) for one in pieces(place, since, until)]
    lines = [(one.place, one.is_hour, one.since, one.until) for one in parts if one.since < one.until]
    table, values = as_table(lines, _PIECES, name="p")
    sql = _SUMS.format(table=table, counted_for=COUNTED_FOR)
    for pk, place, good, total, minutes in fetch(sql, [*values, list(found)]):
        found[pk][place] = Counted(float(good), float(total), int(minutes))
    return found


def read_windows(
    objectives: Collection[int], lengths: Iterable[timedelta], *, now: datetime
) -> dict[int, dict[timedelta, Counted]]:
    """By objective and length: what was counted in the last so many whole minutes."""
    until, wanted = minute_of(now), list(lengths)
    found = read_stretches(objectives, [(until - length, until) for length in wanted])
    return {pk: dict(zip(wanted, sums, strict=True)) for pk, sums in found.items()}


@dataclass(frozen=True, slots=True)
class EpisodeBurn:
    """One episode as an objective feels it."""

    episode: int
    started_at: datetime
    ended_at: datetime
    cost: EpisodeCount
    hour: Counted
    """Of the hour from its start."""

    @property
    def length(self) -> timedelta:
        return self.ended_at - self.started_at


def read_episodes(
    objective: int, *, since: datetime, until: datetime, order: str, most: int
) -> list[EpisodeBurn]:
    """Episodes of its service that began in [since, until), the `LATEST` or the `COSTLIEST` first."""
    rows = fetch(_COSTS.format(order=order), [objective, since, until, most])
    return [
        EpisodeBurn(episode, started_at, ended_at, EpisodeCount(bad, total, baseline), Counted(good, of))
        for episode, started_at, ended_at, bad, total, baseline, good, of in rows
    ]


@dataclass(frozen=True, slots=True)
class Used:
    """What episodes cost over their baselines: of `known` of them it is known."""

    cost: float = 0.0
    known: int = 0
    episodes: int = 0

    def share(self, budget: float) -> float | None:
        return share_used(self.cost, known=self.known, of=self.episodes, budget=budget)


def read_used(objectives: Collection[int], *, since: datetime, until: datetime) -> dict[int, Used]:
    """By objective: what the episodes that began in [since, until) cost. None of it: no episode."""
    rows = fetch(_USED, [list(objectives), since, until])
    return {pk: Used(cost, known, episodes) for pk, cost, known, episodes in rows}


def period_of(now: datetime) -> tuple[datetime, datetime]:
    """The 30 days that end with the last whole minute."""
    until = minute_of(now)
    return until - PERIOD, until
