"""Lists that programs and people push: each row is judged by itself, so a bad one costs only itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any, Generic, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from console.lib.problems import Problem

MAX_ROWS = 10_000
LISTED_ERRORS = 1_000
AHEAD = timedelta(minutes=5)
"""How far a sender's clock may run ahead of ours."""

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
_AT = re.compile(r" - at `(?:key in )?\$\.?(.*?)`$")
_Row = TypeVar("_Row", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong with one row, and what to do about it."""

    index: int
    field: str
    detail: str


@dataclass(slots=True)
class Batch(Generic[_Row]):
    """The rows that can be taken, with their places in what was sent, and those that cannot."""

    rows: list[tuple[int, _Row]]
    errors: list[RowError] = field(default_factory=list)
    warnings: list[RowError] = field(default_factory=list)

    def answer(self, *, stored: int) -> dict[str, Any]:
        """`{"stored", "unchanged", "errors", "warnings"}`; a problem when not a single row could be taken."""
        errors = [asdict(error) for error in self.errors[:LISTED_ERRORS]]
        if self.errors and not self.rows:
            detail = f"None of the {len(self.errors)} rows could be taken; `errors` says why."
            raise Problem(422, code="no_valid_rows", detail=detail, errors=errors)
        warnings = [asdict(warning) for warning in self.warnings[:LISTED_ERRORS]]
        return {
            "stored": stored,
            "unchanged": len(self.rows) - stored,
            "rejected": len(self.errors),
            "errors": errors,
            "warnings": warnings,
        }


def read_list(body: bytes) -> list[Any]:
    """The JSON list in a request's body."""
    try:
        rows = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(400, code="not_json", detail=f"The body is not JSON: {error}.") from error
    if isinstance(rows, dict) and isinstance(rows.get("items"), list):
        rows = rows["items"]
    if not isinstance(rows, list):
        raise Problem(422, code="not_a_list", detail="Send a JSON list of rows.")
    if len(rows) > MAX_ROWS:
        detail = f"{len(rows):,} rows; send at most {MAX_ROWS:,} in one request."
        raise Problem(413, code="too_many_rows", detail=detail, limit="rows")
    return rows


def judge(rows: Iterable[Any], row: type[_Row], *, is_text: bool = False) -> Batch[_Row]:
    """Each row as a `row`, or its error. `is_text` for uploads, where numbers and truths are words."""
    batch: Batch[_Row] = Batch([])
    for index, raw in enumerate(rows):
        try:
            batch.rows.append((index, msgspec.convert(raw, row, strict=not is_text)))
        except msgspec.ValidationError as error:
            batch.errors.append(_row_error(index, str(error), row))
    return batch


def _row_error(index: int, message: str, row: type[msgspec.Struct]) -> RowError:
    found = _AT.search(message)
    name = found.group(1) if found else ""
    if missing := re.search(r"(?:required|unknown) field `([^`]+)`", message):
        name = missing.group(1)
    detail = _AT.sub("", message).replace("Object ", "The row ")
    name = name.removeprefix("[...]").lstrip(".")
    return RowError(index, name, _in_words(detail, name, row))


def _in_words(detail: str, name: str, row: type[msgspec.Struct]) -> str:
    """What to do, where the library's own words only say what is wrong."""
    if "matching regex" in detail:
        return "Use letters, digits, - and _ only."
    if "Invalid enum value" in detail:
        allowed = [str(word) for word in _literals(get_type_hints(row).get(name))]
        return f"{detail}. Use one of {', '.join(allowed)}." if allowed else detail
    if "timezone component" in detail:
        return "The time has no zone; end it with Z or an offset such as +01:00."
    return detail


def _literals(hint: Any) -> list[Any]:
    if get_origin(hint) is Literal:
        return list(get_args(hint))
    return [word for part in get_args(hint) for word in _literals(part)]


def has_nul(row: msgspec.Struct) -> str:
    """The field that holds a NUL byte, which no text column can; empty when none does."""
    for name in row.__struct_fields__:
        value = getattr(row, name)
        if isinstance(value, str) and "\0" in value:
            return name
        if isinstance(value, dict) and any("\0" in f"{key}{each}" for key, each in value.items()):
            return name
    return ""


def request_schema(row: type[msgspec.Struct]) -> dict[str, Any]:
    """The OpenAPI description of a body that is a list of `row`."""
    (schema,), parts = msgspec.json.schema_components([row], ref_template="#/components/schemas/{name}")
    schema = parts.get(row.__name__, schema)
    content = {"application/json": {"schema": {"type": "array", "items": schema, "maxItems": MAX_ROWS}}}
    return {"requestBody": {"required": True, "content": content}}


def from_text(rows: Sequence[Mapping[str, str]], *, mappings: Iterable[str] = ()) -> list[dict[str, Any]]:
    """Rows of an uploaded CSV as if they had been pushed: empty cells are left out.

    Columns in `mappings` hold `name=value` pairs with semicolons between them.
    """
    listed = set(mappings)
    return [
        {
            name: _pairs(value)
            if name in listed and not value.startswith("{")
            else _json_or_text(name, value, listed)
            for name, value in row.items()
            if value
        }
        for row in rows
    ]


def _pairs(value: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in value.split(";") if part.strip())
    return {name.strip(): given.strip() for name, _, given in pairs}


def _json_or_text(name: str, value: str, mappings: set[str]) -> Any:
    if name not in mappings:
        return value
    try:
        return msgspec.json.decode(value)
    except msgspec.DecodeError:
        return value
