"""A node's own records: hooks, moves, work, volumes, replicas, streams and logs.

Each kind has one statement for a whole batch and a unique key, so a report told twice is one row; where a
later report knows more (a move that runs now, a volume attached), it fills in what was missing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from console.feeds.normalised import (
    Fact,
    HookFact,
    LogFact,
    MoveFact,
    ReplicaFact,
    SampleFact,
    VolumeFact,
    WorkFact,
)
from console.lib.rows import fetch


@dataclass(frozen=True, slots=True)
class Reported:
    """One record of a node, and the machine and service it is about."""

    feed_id: int
    origin: str
    report_id: str
    received_at: datetime
    machine_id: int
    service_id: int
    fact: Fact

    @property
    def happened_at(self) -> datetime:
        return _happened_at(self.fact) or self.received_at


@dataclass(frozen=True, slots=True)
class _Table:
    name: str
    columns: dict[str, str]
    conflict: str


_COMMON = {
    "origin": "text",
    "feed_id": "bigint",
    "report_id": "text",
    "machine_id": "bigint",
    "at": "timestamptz",
    "received_at": "timestamptz",
}
_HOOK = _Table(
    "interruptions_hook",
    {
        **_COMMON,
        "started_at": "timestamptz",
        "finished_at": "timestamptz",
        "outcome": "text",
        "is_inferred": "boolean",
        "message": "text",
    },
    "(feed_id, report_id) DO UPDATE SET finished_at = excluded.finished_at, outcome = excluded.outcome,"
    " message = excluded.message, started_at = coalesce(t.started_at, excluded.started_at)"
    " WHERE t.finished_at IS NULL AND excluded.finished_at IS NOT NULL",
)
"""A hook may be told twice under one id: when it begins, and when it is over."""
_MOVE = _Table(
    "interruptions_move",
    {
        **_COMMON,
        "workload": "text",
        "workload_class": "text",
        "evicted_at": "timestamptz",
        "running_at": "timestamptz",
        "to_node": "text",
    },
    "(origin, machine_id, workload, evicted_at) DO UPDATE SET"
    " running_at = least(t.running_at, excluded.running_at),"
    " to_node = CASE WHEN t.to_node = '' THEN excluded.to_node ELSE t.to_node END",
)
_WORK = _Table(
    "interruptions_work",
    {
        **_COMMON,
        "job": "text",
        "attempt": "int",
        "useful_seconds": "float8",
        "lost_seconds": "float8",
        "restart_seconds": "float8",
        "last_checkpoint_at": "timestamptz",
        "finished_at": "timestamptz",
    },
    "(origin, machine_id, job, attempt) DO UPDATE SET"
    " useful_seconds = excluded.useful_seconds, lost_seconds = excluded.lost_seconds,"
    " restart_seconds = excluded.restart_seconds,"
    " last_checkpoint_at = greatest(t.last_checkpoint_at, excluded.last_checkpoint_at),"
    " finished_at = coalesce(excluded.finished_at, t.finished_at), at = excluded.at,"
    " received_at = greatest(t.received_at, excluded.received_at) WHERE t.at <= excluded.at",
)
_VOLUME = _Table(
    "interruptions_volume",
    {**_COMMON, "volume": "text", "detached_at": "timestamptz", "attached_at": "timestamptz"},
    "(feed_id, report_id) DO NOTHING",
)
_REPLICA = _Table(
    "interruptions_replica",
    {**_COMMON, "name": "text", "last_write_at": "timestamptz", "ready_at": "timestamptz"},
    "(origin, machine_id, name, last_write_at) DO UPDATE SET ready_at = least(t.ready_at, excluded.ready_at)",
)
_SAMPLE = _Table(
    "interruptions_sample",
    {
        "origin": "text",
        "service_id": "bigint",
        "machine_id": "bigint",
        "signal": "text",
        "replica": "text",
        "at": "timestamptz",
        "value": "float8",
    },
    "DO NOTHING",
)
_LOG = _Table(
    "interruptions_logline",
    {
        "received_at": "timestamptz",
        "origin": "text",
        "machine_id": "bigint",
        "at": "timestamptz",
        "level": "text",
        "message": "text",
        "report_id": "text",
    },
    "DO NOTHING",
)

_ATTACH = """
UPDATE {table} r SET interruption_id = n.interruption_id FROM (
    SELECT t.id, (
        SELECT i.id FROM interruptions_interruption i
        WHERE i.machine_id = t.machine_id AND i.state NOT IN ('at_risk', 'no_action')
          AND t.at >= i.started_at - interval '15 minutes'
          AND t.at <= coalesce(i.ended_at, i.deadline_at, i.started_at) + interval '60 minutes'
        ORDER BY i.started_at DESC LIMIT 1
    ) AS interruption_id
    FROM {table} t WHERE t.machine_id = ANY(%s) AND t.at >= %s
) n WHERE r.id = n.id AND r.interruption_id IS DISTINCT FROM n.interruption_id
RETURNING r.interruption_id
"""
_TOLD_OF = """
SELECT id FROM interruptions_interruption
WHERE machine_id = ANY(%s) AND started_at >= %s AND state NOT IN ('at_risk', 'no_action')
"""
ATTACHED = ("hook", "move", "work", "volume", "replica")
_KINDS = " UNION ALL ".join(
    f"SELECT '{kind}' WHERE EXISTS (SELECT 1 FROM interruptions_{kind}"  # noqa: S608
    " WHERE machine_id = ANY(%(machines)s) AND at >= %(since)s)"
    for kind in ATTACHED
)


def store_records(reported: Sequence[Reported]) -> None:
    """Store every record that is new, and what a later one adds. Rows are written in key order."""
    rows: dict[str, list[tuple[object, ...]]] = defaultdict(list)
    tables = {table.name: table for table in (_HOOK, _MOVE, _WORK, _VOLUME, _REPLICA, _SAMPLE, _LOG)}
    for report in sorted(reported, key=_is_end_of_hook):
        table, row = _row(report)
        rows[table.name].append(row)
    with connection.cursor() as cursor:
        for name, wanted in rows.items():
            cursor.execute(_statement(tables[name]), _columns(_last_of_each(tables[name], wanted)))


def attach_records(machines: Iterable[int], *, since: datetime, told_of: Sequence[int]) -> set[int]:
    """Tie records since `since` to the interruption whose window they fall into, if there is one.

    Returns the interruptions that have more to show now: those whose records changed, and those of the
    machines in `told_of`, which have just reported.
    """
    touched: set[int] = set()
    there = [row[0] for row in fetch(_KINDS, {"machines": sorted(machines), "since": since})]
    with connection.cursor() as cursor:
        for kind in there:
            cursor.execute(_ATTACH.format(table=f"interruptions_{kind}"), [sorted(machines), since])
            touched |= {row[0] for row in cursor.fetchall() if row[0] is not None}
        if told_of:
            cursor.execute(_TOLD_OF, [list(told_of), since])
            touched |= {row[0] for row in cursor.fetchall()}
    return touched


def _is_end_of_hook(report: Reported) -> bool:
    """What is told last of one hook holds, however the messages overtook each other."""
    return isinstance(report.fact, HookFact) and report.fact.finished_at is not None


def _statement(table: _Table) -> str:
    casts = ", ".join(f"%s::{kind}[]" for kind in table.columns.values())
    return (
        f"INSERT INTO {table.name} AS t ({', '.join(table.columns)}) "  # noqa: S608
        f"SELECT * FROM unnest({casts}) ON CONFLICT {table.conflict}"
    )


def _columns(rows: Sequence[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _last_of_each(table: _Table, rows: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
    """One row a key: a statement may not touch a row twice. Of moves told in parts both parts are kept."""
    if not table.conflict.startswith("("):
        return sorted(set(rows), key=repr)
    names = list(table.columns)
    key_names = table.conflict[1 : table.conflict.index(")")].split(", ")
    places = [names.index(name) for name in key_names]
    merged: dict[tuple[object, ...], tuple[object, ...]] = {}
    for row in rows:
        key = tuple(row[place] for place in places)
        before = merged.get(key)
        merged[key] = (
            row
            if before is None
            else tuple(b if a in (None, "") else a for a, b in zip(row, before, strict=True))
        )
    return [merged[key] for key in sorted(merged, key=repr)]


def _happened_at(fact: Fact) -> datetime | None:
    """When the record's matter took place, for the order and to find its interruption."""
    match fact:
        case HookFact():
            return fact.started_at or fact.finished_at
        case MoveFact():
            return fact.evicted_at
        case WorkFact():
            return fact.finished_at or fact.last_checkpoint_at
        case VolumeFact():
            return fact.detached_at or fact.attached_at
        case ReplicaFact():
            return fact.last_write_at
        case SampleFact() | LogFact():
            return fact.at


def _row(report: Reported) -> tuple[_Table, tuple[object, ...]]:
    fact = report.fact
    common = (
        report.origin,
        report.feed_id,
        report.report_id,
        report.machine_id,
        report.happened_at,
        report.received_at,
    )
    match fact:
        case HookFact():
            return _HOOK, (
                *common,
                fact.started_at,
                fact.finished_at,
                fact.outcome,
                False,
                fact.message[:1000],
            )
        case MoveFact():
            where = (fact.workload, fact.workload_class, fact.evicted_at, fact.running_at, fact.to_node or "")
            return _MOVE, (*common, *where)
        case WorkFact():
            seconds = (fact.useful_seconds, fact.lost_seconds, fact.restart_seconds)
            times = (fact.last_checkpoint_at, fact.finished_at)
            return _WORK, (*common, fact.job, fact.attempt, *seconds, *times)
        case VolumeFact():
            return _VOLUME, (*common, fact.volume, fact.detached_at, fact.attached_at)
        case ReplicaFact():
            return _REPLICA, (*common, fact.name, fact.last_write_at, fact.ready_at)
        case SampleFact():
            head = (report.origin, report.service_id, report.machine_id)
            return _SAMPLE, (*head, fact.signal, fact.replica, fact.at, fact.value)
        case LogFact():
            about = (report.received_at, report.origin, report.machine_id)
            return _LOG, (*about, fact.at, fact.level, fact.message, report.report_id)
