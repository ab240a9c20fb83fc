"""Text of a bill as values: no float ever touches an amount (`metrics.md` 5.1)."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

NULLS = frozenset({"", "null", "(null)"})
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")
_US_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2}))?)?")
_SPACED = re.compile(r"(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2}(?:\.\d+)?) ?(?:UTC|Z|\+00(?::?00)?)?")
MOST_DIGITS = 40
LARGEST = Decimal(10) ** 15


class Unreadable(ValueError):
    """A text that is no such value; the message says what is there."""


def text_of(value: str | None) -> str:
    """The text without space around it; empty, `NULL` and `(null)` are all nothing."""
    stripped = (value or "").replace("\0", "").strip()
    return "" if stripped.lower() in NULLS else stripped


def decimal_of(value: str | None) -> Decimal | None:
    """A number written with a decimal point; nothing for nothing. Raises `Unreadable`."""
    text = text_of(value)
    if not text:
        return None
    if not _NUMBER.fullmatch(text):
        raise Unreadable(f"“{text[:40]}” is not a number with a decimal point")
    try:
        number = Decimal(text)
    except InvalidOperation as error:  # pragma: no cover - the pattern lets nothing else through
        raise Unreadable(f"“{text[:40]}” is not a number") from error
    exponent = number.as_tuple().exponent
    if abs(number) >= LARGEST or not isinstance(exponent, int) or exponent < -MOST_DIGITS:
        raise Unreadable(f"“{text[:40]}” is no amount that a bill can hold")
    return number


def moment_of(value: str | None) -> datetime | None:
    """ISO 8601, `YYYY-MM-DD HH:MM:SS` or `M/D/YYYY[ H:MM]`, UTC where no zone is named. Raises `Unreadable`."""
    text = text_of(value)
    if not text:
        return None
    try:
        if match := _US_DATE.fullmatch(text):
            month, day, year, hour, minute, second = (int(part or 0) for part in match.groups())
            return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        if match := _SPACED.fullmatch(text):
            return datetime.fromisoformat(f"{match[1]}T{match[2]}").replace(tzinfo=UTC)
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Unreadable(f"“{text[:40]}” is not a date") from error


def mapping_of(value: str | None) -> dict[str, str] | None:
    """A JSON object as texts; null where the text is something else."""
    text = text_of(value)
    if not text:
        return {}
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    return {text_of(key): _as_text(item) for key, item in found.items() if item is not None}


def _as_text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.replace("\0", "").replace("\\u0000", "")
