"""Lengths of time as people type them: `90s`, `15m`, `2h`, `1d`."""

from __future__ import annotations

import re
from datetime import timedelta

_PART = re.compile(r"(\d{1,6})\s*(s|m|min|h|d)", re.IGNORECASE)
_UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400}


def parse_length(text: str) -> timedelta:
    """`1h 30m` is one and a half hours. Raises ValueError with what to write instead."""
    found = list(_PART.finditer(text))
    rest = _PART.sub("", text).strip()
    seconds = sum(int(part[1]) * _UNITS[part[2].lower()] for part in found)
    if rest or seconds <= 0:
        raise ValueError(f"{text!r} is no length of time. Write it as 90s, 15m, 2h or 1d.")
    return timedelta(seconds=seconds)


def write_length(length: timedelta) -> str:
    """The shortest text that `parse_length` reads back."""
    left, parts = int(length.total_seconds()), []
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts) or "0s"
