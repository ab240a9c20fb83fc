"""Taking in samples: points of a service's streams, from which gaps, backlogs and checkpoints are read."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from django.db import transaction

from console.fleet.attribution import read_rules
from console.lib.pushed import AHEAD, Batch, Moment, RowError, has_nul
from console.lib.rows import as_table, fetch


class SampleRow(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """One point: `telemetry`, `audit`, `queue_depth`, `fallback_invocations`, `latency_ms`, `checkpoint`,
    `autosave`, or a signal of your own. The same point again takes the newer value.
    """

    service: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    signal: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    replica: Annotated[str, msgspec.Meta(max_length=256)] = ""
    at: Moment
    value: float | None = None


_COLUMNS = {
    "service_id": "bigint",
    "signal": "text",
    "replica": "text",
    "at": "timestamptz",
    "value": "float8",
}


def take_samples(batch: Batch[SampleRow], *, origin: str, now: datetime) -> int:
    """Store the good rows; how many were news. Rows of services that do not exist become errors."""
    services = read_rules(origin).services
    points: dict[tuple[int, str, str, datetime], float | None] = {}
    kept = []
    for index, row in batch.rows:
        error = _error(index, row, services.get(row.service), now)
        if error is not None:
            batch.errors.append(error)
            continue
        kept.append((index, row))
        points[services[row.service], row.signal, row.replica, row.at] = row.value
    batch.rows = kept
    batch.errors.sort(key=lambda error: error.index)
    with transaction.atomic():
        return _write([(*key, value) for key, value in sorted(points.items())], origin) if points else 0


def _error(index: int, row: SampleRow, service_id: int | None, now: datetime) -> RowError | None:
    if name := has_nul(row):
        return RowError(index, name, "The text holds a NUL byte; send it without.")
    if service_id is None:
        return RowError(index, "service", f"There is no service {row.service}; make it first.")
    if row.at > now + AHEAD:
        return RowError(index, "at", "The time lies in the future; check the sender's clock.")
    return None


def _write(lines: list[tuple[object, ...]], origin: str) -> int:
    table, values = as_table(lines, _COLUMNS, name="w")
    names = ", ".join(_COLUMNS)
    return len(
        fetch(
            f"INSERT INTO interruptions_sample (origin, {names}) SELECT %s, {names} FROM {table}"  # noqa: S608
            " ON CONFLICT (origin, service_id, signal, replica, at, machine_id) DO UPDATE SET value = EXCLUDED.value"
            " WHERE interruptions_sample.value IS DISTINCT FROM EXCLUDED.value RETURNING 1",
            [origin, *values],
        )
    )
