"""Two years of a company as set-based SQL: some rows that are open now, and as much history as asked for.

The fleet that runs now, what is open and what the feeds say are the same at every size: only history grows.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import connection
from django.db.backends.utils import CursorWrapper

from console.ingest.keeping import TABLES
from console.interruptions.models import DirtyHours, RollupState
from console.interruptions.rollups import roll_up
from console.lib.partitions import ensure_partitions
from tests.bench import history_sql as sql

OPEN = 300
"""Machines that are being taken at this moment."""
OPEN_GROUPS = 40
DAYS = 730
ROLLED_UP = timedelta(days=100)
"""As far back as the boards read sums; years of them would make the bench long and the boards no slower."""


def write_history(
    size: int, *, now: datetime, open_groups: int = OPEN_GROUPS, open_machines: int = OPEN
) -> None:
    """Write `size` interruptions that are over and the open ones into an empty database, and roll them up."""
    values = {"n": size, "now": now, "open": open_machines, "groups": open_groups, "days": DAYS}
    for months in range(25, 0, -1):
        ensure_partitions(TABLES[-3:-2], now=_months_before(now, months), ahead=0)
    ensure_partitions(TABLES, now=now)
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
        with _unchecked(cursor):
            for statement in (*sql.COMPANY, *sql.HISTORY, *sql.OPEN):
                cursor.execute(statement, values)
        for table in sql.NUMBERED:
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"
            )
        cursor.execute("ANALYZE")
    RollupState.objects.update_or_create(
        origin="live", defaults={"rolled_up_at": now - ROLLED_UP, "swept_at": now}
    )
    DirtyHours.objects.all().delete()
    roll_up(now=now)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("RESET synchronous_commit")


@contextmanager
def _unchecked(cursor: CursorWrapper) -> Iterator[None]:
    """Foreign keys are checked once at the end and not row by row; triggers of ours sleep."""
    cursor.execute(sql.FOREIGN_KEYS)
    keys = cursor.fetchall()
    for table, name, _ in keys:
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    cursor.execute(sql.TRIGGERED)
    tables = [row[0] for row in cursor.fetchall()]
    for table in tables:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    yield
    for table in tables:
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    for table, name, definition in keys:
        cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")


def _months_before(now: datetime, months: int) -> datetime:
    month = now.year * 12 + now.month - 1 - months
    return now.replace(year=month // 12, month=month % 12 + 1, day=1)
