"""Many rows written in one statement, without an expression for each of them as Django's own way has.

What is written are the columns' values; nothing is computed by the database and no signal is sent.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, cast

from django.db import connection
from django.db.models import Field, JSONField, Model

from console.lib.rows import columns_of, run

_ARRAYS = {
    "bigint": "bigint",
    "integer": "int",
    "smallint": "int",
    "boolean": "boolean",
    "timestamp with time zone": "timestamptz",
    "double precision": "float8",
}


def update_rows(rows: Sequence[Model], fields: Sequence[str]) -> int:
    """Store these fields of rows that are there. How many there were."""
    if not rows:
        return 0
    meta = type(rows[0])._meta
    key, named = meta.pk, _named(rows[0], fields)
    values = columns_of(_values(rows, [key, *named]), [_array(field) for field in (key, *named)])
    arrays = ", ".join(f"%s::{_array(field)}[]" for field in (key, *named))
    columns = _quoted((key, *named))
    sets = ", ".join(f'"{field.column}" = v."{field.column}"::{_type(field)}' for field in named)
    return run(
        f'UPDATE "{meta.db_table}" AS t SET {sets} FROM unnest({arrays}) AS v ({columns})'  # noqa: S608 - of models
        f' WHERE t."{key.column}" = v."{key.column}"',
        values,
    )


def upsert_rows(rows: Sequence[Model], *, unique: Sequence[str], fields: Sequence[str]) -> int:
    """Insert rows, or store `fields` of those that are there by `unique`, where one differs. How many were written."""
    if not rows:
        return 0
    meta = type(rows[0])._meta
    key, named = _named(rows[0], unique), _named(rows[0], fields)
    every = [*key, *named]
    arrays = ", ".join(f"%s::{_array(field)}[]" for field in every)
    columns = _quoted(every)
    typed = ", ".join(f'v."{field.column}"::{_type(field)}' for field in every)
    ours = ", ".join(f't."{field.column}"' for field in named)
    theirs = ", ".join(f'excluded."{field.column}"' for field in named)
    sets = ", ".join(f'"{field.column}" = excluded."{field.column}"' for field in named)
    return run(
        f'INSERT INTO "{meta.db_table}" AS t ({columns}) SELECT {typed} FROM unnest({arrays}) AS v ({columns})'  # noqa: S608
        f" ON CONFLICT ({', '.join(f'{chr(34)}{field.column}{chr(34)}' for field in key)}) DO UPDATE SET {sets}"
        f" WHERE ({ours}) IS DISTINCT FROM ({theirs})",
        columns_of(_values(rows, every), [_array(field) for field in every]),
    )


def _named(row: Model, names: Sequence[str]) -> list[Field[Any, Any]]:
    return [cast("Field[Any, Any]", row._meta.get_field(name)) for name in names]


def _quoted(fields: Sequence[Field[Any, Any]]) -> str:
    return ", ".join(f'"{field.column}"' for field in fields)


def _values(rows: Sequence[Model], fields: Sequence[Field[Any, Any]]) -> list[tuple[Any, ...]]:
    columns = [_column([getattr(row, field.attname) for row in rows], field) for field in fields]
    return list(zip(*columns, strict=True))


def _column(values: list[Any], field: Field[Any, Any]) -> list[Any]:
    if isinstance(field, JSONField):
        return [None if value is None else json.dumps(value, cls=field.encoder) for value in values]
    if _array(field) == "text":
        return [None if value is None else str(value) for value in values]
    return values


def _type(field: Field[Any, Any]) -> str:
    return str(field.rel_db_type(connection) if field.primary_key else field.db_type(connection))


def _array(field: Field[Any, Any]) -> str:
    """Of which type its values travel; what has no array of its own travels as text."""
    return _ARRAYS.get(_type(field), "text")
