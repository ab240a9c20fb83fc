"""One fact of the strip."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Item:
    """One fact of the strip (`components/_status_strip.html`)."""

    icon: str
    text: str
    tone: str = "neutral"
    value: str = ""
    url: str = ""
    at: datetime | None = None
    is_extra: bool = False
    warn_after: int = 0
    """Seconds from `at` on after which an open page turns the item amber, and `danger_after` red."""
    danger_after: int = 0
