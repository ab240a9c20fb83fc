"""When a sampled rule may see something else than a minute before: only then its rows are read again.

Every reading is a function of the stored rows and of the minute. Between two of these moments the rows of its window
are the same ones, so looking every minute would see the same. Where a reading moves all the time (rates, whose
denominators grow) it is looked at every three hours, and the result says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from console.alerts.detecting import Asked, Detector
from console.alerts.readings import burns, hooks, moves, rates, running, signals, state
from console.lib.rows import fetch

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
RATES_EVERY = timedelta(hours=3)
MOST_LOOKS = 2_500
"""More moments than that are looked at on a coarser grid."""
GRIDS = (1, 2, 5, 10, 15, 30, 60, 120, 240)

_HOOKS = "SELECT at FROM interruptions_hook WHERE origin = %s AND at >= %s AND at < %s AND NOT is_inferred"
_MOVES = (
    "SELECT evicted_at, running_at FROM interruptions_move WHERE origin = %s AND evicted_at >= %s"
    " AND evicted_at < %s"
)
_WORK = "SELECT at FROM interruptions_work WHERE origin = %s AND at >= %s AND at < %s"
_REPLICAS = (
    "SELECT last_write_at, ready_at FROM interruptions_replica WHERE origin = %s AND last_write_at >= %s"
    " AND last_write_at < %s"
)
_ENDS = """
SELECT ended_at FROM interruptions_interruption
WHERE origin = %s AND started_at >= %s AND started_at < %s AND cause = 'spot' AND ended_at IS NOT NULL
"""
_RUNNING = """
SELECT started_at, ended_at FROM fleet_runninginterval
WHERE origin = %s AND (ended_at IS NULL OR ended_at >= %s) AND started_at < %s AND lifecycle <> 'unknown'
"""
# A window can only burn at the even pace or above where one of its minutes does.
_BURNS = """
SELECT DISTINCT m.minute FROM slo_requestminute m JOIN slo_objective o
  ON o.origin = m.origin AND o.service_id = m.service_id AND o.archived_at IS NULL
  AND m.counted_for = CASE WHEN o.source = 'pushed' THEN 0 ELSE o.id END
WHERE m.origin = %s AND m.minute >= %s AND m.minute < %s AND m.total - m.good >= m.total * (1 - o.target_percent / 100)
  AND m.good < m.total
"""
AGES = (1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60, 120, 240, 480, 720)
"""Minutes after which something that is still pending is looked at again."""


@dataclass(frozen=True, slots=True)
class Watched:
    """How the rows of a reading are found, how long they stay in its window, and whether their age counts."""

    sql: str
    window: timedelta
    ages: bool = False


KNOWN: Mapping[Callable[[Asked], Any], Watched] = {
    hooks.read_hooks: Watched(_HOOKS, hooks.WINDOW),
    moves.read_moves: Watched(_MOVES, moves.WINDOW, ages=True),
    state.read_work: Watched(_WORK, state.WORK_WINDOW),
    state.read_replicas: Watched(_REPLICAS, state.REPLICA_WINDOW, ages=True),
    signals.read_gaps: Watched(_ENDS, signals.GAP_WINDOW, ages=True),
    signals.read_audits: Watched(_ENDS, signals.AUDIT_WINDOW),
    burns.read_burns: Watched(_BURNS, burns.LONGEST, ages=True),
    running.read_held: Watched(_RUNNING, timedelta(0)),
}


@dataclass(frozen=True, slots=True)
class Looks:
    """The minutes at which a detector is asked, and how coarse they are."""

    minutes: list[datetime]
    every: timedelta | None = None
    """They lie on a grid; null: at each moment at which something changed."""


def looks_of(detector: Detector, origin: str, *, since: datetime, until: datetime) -> Looks:
    """In order. Empty: only the present is stored of what it looks at."""
    if detector.read is None or detector.judge is None or not detector.is_replayable:
        return Looks([])
    if detector.read is rates.read_rates or detector.read not in KNOWN:
        return Looks(list(_grid(since, until, RATES_EVERY)), RATES_EVERY)
    watched = KNOWN[detector.read]
    rows = fetch(watched.sql, [origin, since - watched.window - timedelta(days=1), until])
    moments = sorted({_minute(at) for at in _moments(rows, watched) if since <= at < until})
    for size in GRIDS:
        thinned = moments if size == 1 else _thinned(moments, timedelta(minutes=size))
        if len(thinned) <= MOST_LOOKS:
            break
    return Looks(thinned, None if size == 1 else timedelta(minutes=size))


def _moments(rows: Iterable[tuple[datetime | None, ...]], watched: Watched) -> Iterator[datetime]:
    for row in rows:
        times = [at for at in row if at is not None]
        yield from times
        if watched.window and row[0] is not None:
            yield row[0] + watched.window
        if watched.ages and times:
            end = row[1] if len(row) > 1 and row[1] is not None else times[0] + HOUR
            yield from (at for age in AGES if (at := times[0] + age * MINUTE) < end + MINUTE)


def _minute(at: datetime) -> datetime:
    """The first look that sees it."""
    return at.replace(second=0, microsecond=0) + MINUTE


def _thinned(moments: Iterable[datetime], every: timedelta) -> list[datetime]:
    size = every.total_seconds()
    return sorted({at + timedelta(seconds=-at.timestamp() % size) for at in moments})


def _grid(since: datetime, until: datetime, every: timedelta) -> Iterator[datetime]:
    at = since + timedelta(seconds=-since.timestamp() % every.total_seconds())
    while at < until:
        yield at
        at += every
