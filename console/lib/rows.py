"""Many rows in one statement: lists of values as a table that SQL can join."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection


def as_table(
    rows: Sequence[Sequence[Any]], columns: Mapping[str, str], *, name: str
) -> tuple[str, list[Any]]:
    """`rows` as `unnest(…) AS name(column, …)` with its parameters. `columns` gives each SQL type.

    PostgreSQL has no arrays of different JSON shapes: pass JSON as text and cast it where it is used.
    """
    values = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in columns]
    arrays = ", ".join(f"%s::{sql_type}[]" for sql_type in columns.values())
    return f"unnest({arrays}) AS {name}({', '.join(columns)})", values


def fetch(sql: str, params: Sequence[Any] | Mapping[str, Any] = ()) -> list[tuple[Any, ...]]:
    """Run one statement and take everything it returns."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall() if cursor.description else []


def run(sql: str, params: Sequence[Any] = ()) -> int:
    """Run one statement; how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return int(cursor.rowcount)
