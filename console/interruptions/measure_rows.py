"""The rows behind M4, M6 and M8: attempts at jobs, streams around an end, replicas. The worst stand first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console.interruptions.measure_reading import JOINS, conditions
from console.interruptions.measures import Scope, Window
from console.interruptions.rollup_sql_records import GAPS, JOB_FACTS, RECOVERED
from console.lib.rows import fetch

MOST = 200
"""Shown on a page; a file holds `MOST_IN_FILE`."""
MOST_IN_FILE = 10_000
_OF = "coalesce(nullif(m.instance_id, ''), m.node_name)"
_JOBS = f"""
    {JOB_FACTS}
    SELECT f.id, s.slug, s.name, {_OF}, f.job, f.attempt, f.useful / 1000.0::float8, f.lost / 1000.0::float8,
           f.restart / 1000.0::float8, f.since, f.how, f.is_task FROM facts f
"""  # noqa: S608
_TOOK = "CASE WHEN {} IS NOT NULL THEN greatest(0, extract(epoch FROM {}))::float8 END"
_GAPS = f"""
    {GAPS}
    SELECT f.id, s.slug, s.name, {_OF}, f.signal, f.replica, f.ended_at, f.last_at, f.next_at,
           {_TOOK.format("f.next_at", "f.next_at - f.last_at")}, coalesce(f.next_at < f.last_at, false) FROM gaps f
"""  # noqa: S608
_RECOVERED = f"""
    SELECT f.id, s.slug, s.name, {_OF}, f.name, f.last_write_at, f.ready_at,
           {_TOOK.format("f.ready_at", "f.ready_at - f.last_write_at")},
           {_TOOK.format("f.ready_at", "f.let_go_at - f.last_write_at")},
           {_TOOK.format("f.ready_at", "f.attached_at - f.let_go_at")},
           {_TOOK.format("f.ready_at", "f.ready_at - f.attached_at")} FROM ({RECOVERED}) AS f
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class JobRow:
    """One attempt: reported, assumed from a checkpoint, or not reported at all. Seconds."""

    interruption: int | None
    service: str
    service_name: str
    machine: str
    job: str
    attempt: int | None
    useful: float
    lost: float
    restart: float
    last_checkpoint_at: datetime | None
    how: str
    is_task: bool


@dataclass(frozen=True, slots=True)
class GapRow:
    """One stream around the end of one machine. `took` None: not heard again."""

    interruption: int
    service: str
    service_name: str
    machine: str
    signal: str
    replica: str
    ended_at: datetime
    last_at: datetime
    next_at: datetime | None
    took: float | None
    is_skewed: bool


@dataclass(frozen=True, slots=True)
class RecoveryRow:
    """One replica. `took` and its parts are None while it is not ready."""

    interruption: int
    service: str
    service_name: str
    machine: str
    name: str
    last_write_at: datetime
    ready_at: datetime | None
    took: float | None
    detect: float | None
    attach: float | None
    catch_up: float | None


def job_rows(scope: Scope, *, window: Window, now: datetime, most: int = MOST) -> Sequence[JobRow]:
    """The most lost first; those of which nothing is known last."""
    return [
        JobRow(*row)
        for row in _rows(
            _JOBS,
            "f.how = 'unreported', f.lost DESC, f.id, f.job, f.attempt",
            scope,
            window,
            now,
            most,
        )
    ]


def gap_rows(
    scope: Scope, *, window: Window, now: datetime, signal: str, most: int = MOST
) -> Sequence[GapRow]:
    """Those not heard again first, then the longest. A reclaim counts by its worst stream."""
    return [
        GapRow(*row)
        for row in _rows(
            _GAPS,
            "f.next_at IS NOT NULL, f.next_at - f.last_at DESC NULLS LAST, f.last_at, f.id, f.replica",
            scope,
            window,
            now,
            most,
            also="f.signal = %(signal)s",
            signal=signal,
        )
    ]


def recovery_rows(scope: Scope, *, window: Window, now: datetime, most: int = MOST) -> Sequence[RecoveryRow]:
    """Those not ready first, then the slowest."""
    return [
        RecoveryRow(*row)
        for row in _rows(
            _RECOVERED,
            "f.ready_at IS NOT NULL, f.ready_at - f.last_write_at DESC NULLS LAST, f.last_write_at, f.replica_id",
            scope,
            window,
            now,
            most,
        )
    ]


def _rows(
    select: str,
    order: str,
    scope: Scope,
    window: Window,
    now: datetime,
    most: int,
    *,
    also: str = "true",
    **values: str,
) -> list[tuple[Any, ...]]:
    where, wanted = conditions(scope)
    named = {f"wanted_{number}": value for number, value in enumerate(wanted)}
    for name in named:
        where = where.replace("%s", f"%({name})s", 1)
    given = {"origin": scope.origin, "since": window.since, "until": window.until, "now": now, "most": most}
    return fetch(
        f"{select} {JOINS} JOIN fleet_machine m ON m.id = f.machine_id"
        f" WHERE {where} AND {also} ORDER BY {order} LIMIT %(most)s",
        given | named | values,
    )
