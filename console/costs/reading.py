"""The one seam to DuckDB: CSV, TSV and Parquet, each column as text, in batches of rows in file order.

DuckDB may read this one file and nothing else: no extension is loaded or fetched, no setting can be changed after.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from console.costs.opening import NotReadable, Opened

if TYPE_CHECKING:
    import duckdb

ROWS_A_BATCH = 5_000
DELIMITERS = (",", ";", "\t", "|")
FEED_FIELDS = "#Fields:"
_LINE = re.compile(r"Line:? (\d+)")


@dataclass(frozen=True, slots=True)
class Table:
    """What a file holds: its columns as they are written, and its rows to walk through once."""

    columns: tuple[str, ...]
    rows: Iterator[list[tuple[str | None, ...]]]
    first_line: int
    """The number of the first row; 1 is the heading."""


def read_table(opened: Opened) -> Table:
    """Open the file's rows. Raises `NotReadable` here or while the rows are walked through."""
    connection = _confined(opened)
    try:
        columns = _parquet_columns(connection, opened) if opened.is_parquet else _text_columns(opened)
        connection.execute(_select(opened, columns))
    except _duckdb().Error as error:
        connection.close()
        raise _refusal(error, opened) from error
    names = tuple(name for name, _ in columns)
    return Table(names, _batches(connection, opened), 3 if _is_feed(opened) else 2)


def _duckdb() -> Any:
    """Loaded by whoever reads a bill, and by nobody else: it is heavy."""
    import duckdb  # noqa: PLC0415

    return duckdb


def _confined(opened: Opened) -> duckdb.DuckDBPyConnection:
    settings = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "allow_community_extensions": "false",
        "memory_limit": "512MB",
        "threads": "1",
        "preserve_insertion_order": "true",
    }
    connection: duckdb.DuckDBPyConnection = _duckdb().connect(":memory:", config=settings)
    path = str(opened.path).replace("'", "''")
    connection.execute(f"SET allowed_paths = ['{path}']")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def _select(opened: Opened, columns: list[tuple[str, str]]) -> str:
    path = str(opened.path).replace("'", "''")
    if opened.is_parquet:
        chosen = ", ".join(_as_text(name, kind) for name, kind in columns)
        return f"SELECT {chosen} FROM read_parquet('{path}')"  # noqa: S608 - quoted
    listed = ", ".join(f"'c{at}': 'VARCHAR'" for at in range(len(columns)))
    is_feed = _is_feed(opened)
    quote = "" if is_feed else '"'
    delimiter = "\t" if is_feed else _delimiter(opened)
    options = (
        f"auto_detect = false, columns = {{{listed}}}, header = {'false' if is_feed else 'true'},"
        f" skip = {2 if is_feed else 0}, delim = '{delimiter}', quote = '{quote}', escape = '{quote}',"
        " nullstr = '', null_padding = false, strict_mode = true, parallel = false"
    )
    return f"SELECT * FROM read_csv('{path}', {options})"  # noqa: S608 - quoted


def _text_columns(opened: Opened) -> list[tuple[str, str]]:
    """The names in the first line; of a data feed, those in its second."""
    if _is_feed(opened):
        names = opened.heading[1].removeprefix(FEED_FIELDS).split()
    else:
        names = next(csv.reader([opened.heading[0].strip("\r\n")], delimiter=_delimiter(opened)), [])
    return [(name.strip(), "VARCHAR") for name in names]


def _parquet_columns(connection: duckdb.DuckDBPyConnection, opened: Opened) -> list[tuple[str, str]]:
    path = str(opened.path).replace("'", "''")
    described = connection.execute(f"DESCRIBE SELECT * FROM read_parquet('{path}')").fetchall()  # noqa: S608
    return [(str(name), str(kind)) for name, kind, *_ in described]


def _as_text(name: str, kind: str) -> str:
    """A Parquet column as text; lists and mappings as JSON."""
    quoted = '"' + name.replace('"', '""') + '"'
    if kind.startswith(("MAP", "STRUCT")) or kind.endswith("[]"):
        return f"to_json({quoted})::VARCHAR"
    if kind == "TIMESTAMP WITH TIME ZONE":
        return f"strftime({quoted}::TIMESTAMP, '%Y-%m-%dT%H:%M:%SZ')"
    return f"{quoted}::VARCHAR"


def _is_feed(opened: Opened) -> bool:
    return len(opened.heading) > 1 and opened.heading[1].startswith(FEED_FIELDS)


def _delimiter(opened: Opened) -> str:
    """The sign that the heading has most of."""
    heading = opened.heading[0]
    found = max(DELIMITERS, key=heading.count)
    if not heading.count(found):
        raise NotReadable(
            f"{opened.name} has no columns in its first line. Divide them by commas, semicolons or tabs."
        )
    return found


def _batches(connection: duckdb.DuckDBPyConnection, opened: Opened) -> Iterator[list[tuple[str | None, ...]]]:
    try:
        while rows := connection.fetchmany(ROWS_A_BATCH):
            yield rows
    except _duckdb().Error as error:
        raise _refusal(error, opened) from error
    finally:
        connection.close()


def _refusal(error: Exception, opened: Opened) -> NotReadable:
    """DuckDB's message in one sentence of ours, with the line where it names one."""
    told = str(error)
    if opened.is_parquet:
        return NotReadable(f"{opened.name} is a damaged Parquet file. Export or send it again.")
    line = match[1] if (match := _LINE.search(told)) else ""
    where = f" at line {line}" if line else ""
    reason = "its rows do not have the columns of its first line, or a quote is never closed"
    return NotReadable(f"{opened.name} cannot be read{where}: {reason}. Export it again.")


def as_mapping(columns: Sequence[str], row: Sequence[str | None]) -> dict[str, str]:
    """A row by its column names, without those that hold nothing."""
    return {name: value for name, value in zip(columns, row, strict=True) if value is not None}
