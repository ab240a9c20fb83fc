"""Tables partitioned by time: making room ahead, dropping what has outlived its keep.

Each parent has a default partition, so a row for a time nobody made room for is kept, not refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from django.db import connection, transaction


@dataclass(frozen=True, slots=True)
class PartitionedTable:
    """A table partitioned by ranges of one time column. `keep` is counted from the range's end."""

    table: str
    step: Literal["day", "month"]
    keep: timedelta


@dataclass(frozen=True, slots=True)
class PrunedTable:
    """A plain table whose rows end `keep` after their time in `column`; rows without that time stay."""

    table: str
    column: str
    keep: timedelta


def _start(at: datetime, step: str) -> datetime:
    day = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return day.replace(day=1) if step == "month" else day


def _next(start: datetime, step: str) -> datetime:
    if step == "day":
        return start + timedelta(days=1)
    return (start + timedelta(days=32)).replace(day=1)


def ensure_partitions(tables: Iterable[PartitionedTable], *, now: datetime, ahead: int = 3) -> int:
    """Make the partitions of `now` and the next `ahead` days or months. Returns how many are new.

    A range whose rows already lie in the default partition is left there: moving them would lock the table.
    """
    made = 0
    for table in tables:
        start = _start(now, table.step)
        for _ in range(ahead + 1):
            end = _next(start, table.step)
            made += _ensure(table, start, end)
            start = end
    return made


def _ensure(table: PartitionedTable, start: datetime, end: datetime) -> int:
    name = f"{table.table}_p{start:%Y%m%d}"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [name])
        cursor.execute("SELECT to_regclass(%s)", [name])
        if cursor.fetchone()[0] is not None:
            return 0
        column = partition_column(table.table)
        cursor.execute(
            f"SELECT EXISTS (SELECT 1 FROM {table.table}_default WHERE {column} >= %s AND {column} < %s)",  # noqa: S608
            [start, end],
        )
        if cursor.fetchone()[0]:
            return 0
        cursor.execute(
            f"CREATE TABLE {name} PARTITION OF {table.table} "
            f"FOR VALUES FROM ('{start.isoformat()}') TO ('{end.isoformat()}')"
        )
    return 1


def partition_column(table: str) -> str:
    """The column that a partitioned table is split by."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.attname FROM pg_partitioned_table p JOIN pg_attribute a"
            " ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0] WHERE p.partrelid = to_regclass(%s)",
            [table],
        )
        row = cursor.fetchone()
    if row is None:
        raise LookupError(f"{table} is not a partitioned table")
    return str(row[0])


def expired_partitions(table: PartitionedTable, *, now: datetime) -> list[str]:
    """Partitions of which every row has outlived its keep, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = to_regclass(%s) AND c.relname ~ '_p[0-9]{8}$' ORDER BY c.relname",
            [table.table],
        )
        names = [str(row[0]) for row in cursor.fetchall()]
    tail = len("YYYYMMDD")
    starts = {name: datetime.strptime(name[-tail:], "%Y%m%d").replace(tzinfo=now.tzinfo) for name in names}
    return [name for name in names if _next(starts[name], table.step) + table.keep <= now]


def drop_partition(name: str) -> None:
    """Drop one partition for good."""
    with connection.cursor() as cursor:
        cursor.execute(f'DROP TABLE IF EXISTS "{name}"')
