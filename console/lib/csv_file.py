"""Writing CSV that no spreadsheet takes for a program, and reading what people upload."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum

from django.http import StreamingHttpResponse

LINES_A_CHUNK = 500
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_response(
    rows: Iterable[Mapping[str, object]], *, columns: Sequence[str], name: str
) -> StreamingHttpResponse:
    """A download of `rows`, written while they are read."""
    response = StreamingHttpResponse(_chunks(rows, columns), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    response["Cache-Control"] = "no-store"
    return response


def _chunks(rows: Iterable[Mapping[str, object]], columns: Sequence[str]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(columns)
    for number, row in enumerate(rows, start=1):
        writer.writerow([cell(row.get(column)) for column in columns])
        if number % LINES_A_CHUNK == 0:
            yield _take(buffer)
    yield _take(buffer)


def _take(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text


def cell(value: object) -> str:
    """One value as text: times ISO 8601 UTC, mappings as JSON, absent values empty.

    Text that a spreadsheet would run as a formula gets a quote in front.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, Enum):
        return cell(value.value)
    if isinstance(value, dict | list | tuple):
        value = json.dumps(value, default=str, ensure_ascii=False)
    if isinstance(value, str):
        return "'" + value if value.startswith(FORMULA_STARTS) else value
    return str(value)


class NotCsv(ValueError):
    """The upload cannot be read as CSV; the message says why."""


def read_csv(content: bytes, *, max_rows: int) -> tuple[list[str], list[dict[str, str]]]:
    """Column names and rows of an uploaded file. Comma, semicolon or tab; a quote that `cell` put there goes."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotCsv("The file is not UTF-8 text. Save it as “CSV UTF-8”.") from error
    if "\0" in text:
        raise NotCsv("The file holds NUL bytes; it is not CSV.")
    head = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=head.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, restkey="")
    names = [name.strip() for name in reader.fieldnames or []]
    if not any(names):
        raise NotCsv("The file is empty. Its first line must name the columns.")
    if len(names) == 1 and (odd := next((sign for sign in "|:" if sign in names[0]), "")):
        raise NotCsv(
            f"The columns seem to be divided by {odd} here. Divide them by commas, semicolons or tabs."
        )
    reader.fieldnames = names
    rows: list[dict[str, str]] = []
    try:
        for row in reader:
            if len(rows) == max_rows:
                raise NotCsv(f"The file has more than {max_rows:,} rows. Split it.")
            rows.append({name: _plain(value) for name, value in row.items() if name})
    except csv.Error as error:
        raise NotCsv(f"Line {reader.line_num} cannot be read: {error}.") from error
    return names, rows


def _plain(value: str | None) -> str:
    value = (value or "").strip()
    return value[1:] if value.startswith("'") and value[1:].startswith(FORMULA_STARTS) else value
