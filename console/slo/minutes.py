"""The rows under every figure: counts of one objective by the minute, or by the hour where the stretch is long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from console.lib.rows import fetch
from console.slo.error_spike import minute_of
from console.slo.models import Objective

USUAL = timedelta(hours=6)
BY_HOUR_FROM = timedelta(hours=24)
LONGEST = timedelta(days=90)
SHOWN = 500
IN_FILE = 200_000
_MINUTES = """
SELECT minute, good, total, 1 FROM slo_requestminute WHERE origin = %(origin)s AND service_id = %(service)s
  AND counted_for = %(counted_for)s AND minute >= %(since)s AND minute < %(until)s {also}
ORDER BY minute DESC LIMIT %(most)s
"""
_HOURS = """
SELECT hour, good, total, minute_count FROM slo_requesthour WHERE origin = %(origin)s AND service_id = %(service)s
  AND counted_for = %(counted_for)s AND hour >= date_trunc('hour', %(since)s::timestamptz, 'UTC')
  AND hour < %(until)s {also} ORDER BY hour DESC LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True)
class CountRow:
    """One minute or hour."""

    at: datetime
    good: float
    total: float
    minutes: int
    burn: float | None

    @property
    def bad(self) -> float:
        return self.total - self.good


@dataclass(frozen=True, slots=True)
class Stretch:
    """What the URL asks for."""

    since: datetime
    until: datetime
    is_by_hour: bool
    is_failing_only: bool

    @classmethod
    def of(cls, query: QueryDict, *, now: datetime) -> Stretch:
        until = _moment(query.get("until", "")) or minute_of(now)
        since = _moment(query.get("since", "")) or until - USUAL
        if not since < until <= since + LONGEST:
            since = until - USUAL
        by = query.get("by", "")
        is_long = until - since > BY_HOUR_FROM
        return cls(
            since,
            until,
            by == "hour" if by in ("hour", "minute") else is_long,
            query.get("only") == "failing",
        )

    @property
    def word(self) -> str:
        return "hour" if self.is_by_hour else "minute"

    @property
    def step(self) -> timedelta:
        return timedelta(hours=1) if self.is_by_hour else timedelta(minutes=1)


def _moment(text: str) -> datetime | None:
    try:
        at = parse_datetime(text)
    except ValueError:
        return None
    return at if at is not None and timezone.is_aware(at) else None


def read_rows(objective: Objective, stretch: Stretch, *, most: int = SHOWN) -> Sequence[CountRow]:
    """The latest first."""
    sql = _HOURS if stretch.is_by_hour else _MINUTES
    values = {
        "origin": objective.origin,
        "service": objective.service_id,
        "counted_for": objective.counted_for,
        "since": stretch.since,
        "until": stretch.until,
        "most": most,
    }
    rows = fetch(sql.format(also="AND good < total" if stretch.is_failing_only else ""), values)
    return list(_rows(rows, objective.allowed))


def _rows(rows: Sequence[tuple[datetime, float, float, int]], allowed: float) -> Iterator[CountRow]:
    for at, good, total, minutes in rows:
        yield CountRow(at, good, total, minutes, (total - good) / total / allowed if total else None)
