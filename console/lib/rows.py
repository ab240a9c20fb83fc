"""Many rows in one statement: lists of values as a table that SQL can join."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from django.db import connection
from psycopg.types.datetime import TimestamptzLoader


def as_table(
    rows: Sequence[Sequence[Any]], columns: Mapping[str, str], *, name: str
) -> tuple[str, list[Any]]:
    """`rows` as `unnest(…) AS name(column, …)` with its parameters. `columns` gives each SQL type.

    PostgreSQL has no arrays of different JSON shapes: pass JSON as text and cast it where it is used.
    """
    values = columns_of(rows, columns.values())
    arrays = ", ".join(f"%s::{sql_type}[]" for sql_type in columns.values())
    return f"unnest({arrays}) AS {name}({', '.join(columns)})", values


def columns_of(rows: Sequence[Sequence[Any]], types: Iterable[str]) -> list[Any]:
    """The columns of `rows` as array literals, for `%s::type[]`."""
    kinds = list(types)
    columns = zip(*rows, strict=True) if rows else [()] * len(kinds)
    return [array_literal(column, kind) for column, kind in zip(columns, kinds, strict=True)]


def array_literal(values: Sequence[Any], sql_type: str) -> str:
    """`values` as PostgreSQL writes an array: many times faster than adapting them one by one."""
    if sql_type in _AS_JSON:
        return "{" + msgspec.json.encode(values).decode()[1:-1] + "}"
    write = _WRITE.get(sql_type)
    return _texts(values) if write is None else "{" + ",".join(_each(values, write)) + "}"


_AS_JSON = frozenset({"bigint", "int", "boolean", "timestamptz"})
"""PostgreSQL reads these, null among them, as JSON writes them, and they are written without a step a value."""


def _texts(values: Sequence[str | None]) -> str:
    """Joined as they are, unless one of them is null or holds what has to be escaped."""
    if None not in values:
        joined = '","'.join(values)  # type: ignore[arg-type]
        if "\\" not in joined and joined.count('"') == 2 * len(values) - 2:
            return '{"' + joined + '"}'
    return "{" + ",".join(_each(values, _quoted)) + "}"


def _each(values: Sequence[Any], write: Callable[[Any], str]) -> list[str]:
    return ["NULL" if value is None else write(value) for value in values]


def _quoted(value: str) -> str:
    value = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{value}"'


_WRITE: dict[str, Callable[[Any], str]] = {
    "float8": repr,
    "bytea": lambda value: f'"\\\\x{value.hex()}"',
}


def fetch(sql: str, params: Sequence[Any] | Mapping[str, Any] = ()) -> list[tuple[Any, ...]]:
    """Run one statement and take everything it returns. Times are read by the driver itself, in UTC."""
    with connection.cursor() as cursor:
        cursor.cursor.adapters.register_loader("timestamptz", TimestamptzLoader)
        cursor.execute(sql, params)
        return cursor.fetchall() if cursor.description else []


def run(sql: str, params: Sequence[Any] | Mapping[str, Any] = ()) -> int:
    """Run one statement; how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return int(cursor.rowcount)
