"""Taking in counts: requests of a minute, the later word of a minute wins. Each write keeps the sums of its hours.

| step | why twice is harmless |
| --- | --- |
| store the minutes | one row a minute; the same counts again change nothing |
| lock the hours' rows, in order | two writers of one hour sum it one after the other |
| sum these hours from their minutes | a function of what is stored |
| mark the stretch | a mark set twice is one mark |
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec
from django.db import transaction

from console.fleet.attribution import read_rules
from console.lib.pushed import AHEAD, Batch, Moment, RowError, has_nul
from console.lib.rows import as_table, fetch, run
from console.slo.models import PUSHED

KEPT = timedelta(days=90)
"""How long minutes are kept."""
MOST = 1e11
"""Sixty of them are still added up exactly."""
Count = Annotated[float, msgspec.Meta(ge=0, le=MOST)]
Key = tuple[int, int, datetime]
"""Service, counted for, minute."""


class RequestRow(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Requests of a service in one minute, and how many of them were answered well. The later push wins."""

    service: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    minute: Moment
    good: Count
    total: Count


_COLUMNS = {
    "service_id": "bigint",
    "counted_for": "bigint",
    "minute": "timestamptz",
    "good": "float8",
    "total": "float8",
}
_HOUR_COLUMNS = {"service_id": "bigint", "counted_for": "bigint", "hour": "timestamptz"}
_STATE_COLUMNS = {
    "service_id": "bigint",
    "counted_for": "bigint",
    "dirty_since": "timestamptz",
    "dirty_until": "timestamptz",
}


def exact(count: float) -> float:
    """To 1/1024: such numbers add up to the same in any order."""
    return round(count * 1024) / 1024


def take_requests(batch: Batch[RequestRow], *, origin: str, now: datetime) -> int:
    """Store the good rows; how many were news. Rows that cannot be taken become errors that name them."""
    services = read_rules(origin).services
    counts: dict[Key, tuple[float, float]] = {}
    kept = []
    for index, row in batch.rows:
        error = _error(index, row, services.get(row.service), now)
        if error is not None:
            batch.errors.append(error)
            continue
        kept.append((index, row))
        key = services[row.service], PUSHED, row.minute.astimezone(UTC)
        counts[key] = exact(row.good), exact(row.total)
    batch.rows = kept
    batch.errors.sort(key=lambda error: error.index)
    return write_counts(counts, origin=origin)


def _error(index: int, row: RequestRow, service_id: int | None, now: datetime) -> RowError | None:
    if name := has_nul(row):
        return RowError(index, name, "The text holds a NUL byte; send it without.")
    if service_id is None:
        return RowError(index, "service", f"There is no service {row.service}; make it first.")
    if row.minute.second or row.minute.microsecond:
        return RowError(
            index, "minute", "Send the moment at which the minute begins: 14:31:00, not 14:31:40."
        )
    if row.minute > now + AHEAD:
        return RowError(index, "minute", "The minute lies in the future; check the sender's clock.")
    if row.minute < now - KEPT:
        return RowError(index, "minute", f"Minutes are kept for {KEPT.days} days; this one is older.")
    if row.good > row.total:
        return RowError(index, "good", "More good requests than requests: total counts the good ones too.")
    return None


def write_counts(counts: Mapping[Key, tuple[float, float]], *, origin: str) -> int:
    """Store these minutes and bring the sums of their hours up; how many minutes changed."""
    if not counts:
        return 0
    lines = [(*key, *value) for key, value in sorted(counts.items())]
    with transaction.atomic():
        changed = _write_minutes(lines, origin)
        if changed:
            hours = {(service, counted_for, _hour(minute)) for service, counted_for, minute in changed}
            sum_hours(sorted(hours), origin=origin)
            mark_dirty(changed, origin=origin)
    return len(changed)


def _write_minutes(lines: Sequence[tuple[object, ...]], origin: str) -> list[Key]:
    table, values = as_table(lines, _COLUMNS, name="w")
    names = ", ".join(_COLUMNS)
    rows = fetch(
        f"INSERT INTO slo_requestminute AS m (origin, {names}) SELECT %s, {names} FROM {table}"  # noqa: S608
        " ON CONFLICT (origin, service_id, counted_for, minute)"
        " DO UPDATE SET good = EXCLUDED.good, total = EXCLUDED.total"
        " WHERE (m.good, m.total) IS DISTINCT FROM (EXCLUDED.good, EXCLUDED.total)"
        " RETURNING m.service_id, m.counted_for, m.minute",
        [origin, *values],
    )
    return [(row[0], row[1], row[2]) for row in rows]


def _hour(minute: datetime) -> datetime:
    return minute.replace(minute=0, second=0, microsecond=0)


def sum_hours(hours: Sequence[Key], *, origin: str) -> None:
    """Sum these hours anew from their minutes, in the caller's transaction. `hours` are in order."""
    table, values = as_table(hours, _HOUR_COLUMNS, name="w")
    names = ", ".join(_HOUR_COLUMNS)
    run(
        f"INSERT INTO slo_requesthour (origin, {names}) SELECT %s, {names} FROM {table}"  # noqa: S608
        " ON CONFLICT (origin, service_id, counted_for, hour) DO UPDATE SET hour = EXCLUDED.hour",
        [origin, *values],
    )
    run(
        f"""UPDATE slo_requesthour h SET good = s.good, total = s.total, minute_count = s.minutes
        FROM {table} CROSS JOIN LATERAL (
            SELECT coalesce(sum(m.good), 0) AS good, coalesce(sum(m.total), 0) AS total, count(*) AS minutes
            FROM slo_requestminute m WHERE m.origin = %s AND m.service_id = w.service_id
              AND m.counted_for = w.counted_for AND m.minute >= w.hour AND m.minute < w.hour + interval '1 hour'
        ) s WHERE h.origin = %s AND h.service_id = w.service_id AND h.counted_for = w.counted_for
          AND h.hour = w.hour""",  # noqa: S608
        [*values, origin, origin],
    )


def mark_dirty(changed: Sequence[Key], *, origin: str) -> None:
    """What was summed of the episodes around these minutes is to be summed again (`episodes.py`)."""
    stretches: dict[tuple[int, int], tuple[datetime, datetime]] = {}
    for service, counted_for, minute in changed:
        first, last = stretches.get((service, counted_for), (minute, minute))
        stretches[service, counted_for] = min(first, minute), max(last, minute)
    lines = [(*key, *stretch) for key, stretch in sorted(stretches.items())]
    table, values = as_table(lines, _STATE_COLUMNS, name="w")
    names = ", ".join(_STATE_COLUMNS)
    run(
        f"INSERT INTO slo_countstate AS c (origin, {names}, last_minute)"  # noqa: S608
        f" SELECT %s, {names}, dirty_until FROM {table} ON CONFLICT (origin, service_id, counted_for) DO UPDATE"
        " SET dirty_since = least(c.dirty_since, EXCLUDED.dirty_since),"
        " dirty_until = greatest(c.dirty_until, EXCLUDED.dirty_until),"
        " last_minute = greatest(c.last_minute, EXCLUDED.last_minute)",
        [origin, *values],
    )


@transaction.atomic
def forget_counts(*, origin: str, service_id: int, counted_for: int) -> None:
    """Delete all counts of one source: they were counted by another query than the one that holds now."""
    wanted = [origin, service_id, counted_for]
    for table in ("slo_episoderequests", "slo_requesthour", "slo_requestminute", "slo_countstate"):
        run(f"DELETE FROM {table} WHERE origin = %s AND service_id = %s AND counted_for = %s", wanted)  # noqa: S608
