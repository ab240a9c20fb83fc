"""Taking in the state of workloads: what impact, pending pods and "capacity below need" are computed from."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated

import msgspec
from django.db import transaction

from console.fleet.attribution import Rules, Traits, read_rules
from console.lib.live import announce
from console.lib.pushed import AHEAD, Batch, Moment, RowError, has_nul
from console.lib.rows import as_table, fetch

Count = Annotated[int, msgspec.Meta(ge=0, le=2_147_483_647)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]


class WorkloadRow(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """One workload at one moment. The newest `at` wins."""

    cluster: Annotated[str, msgspec.Meta(max_length=128)] = ""
    namespace: Name
    workload: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
    service: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    at: Moment
    wanted: Count
    ready: Count
    pending: Count = 0
    by_zone: dict[str, Count] = {}
    disruptions_allowed: Count | None = None
    needed: Count | None = None


_COLUMNS = {
    "cluster": "text",
    "namespace": "text",
    "workload": "text",
    "service_id": "bigint",
    "is_declared": "boolean",
    "at": "timestamptz",
    "wanted": "int",
    "ready": "int",
    "pending": "int",
    "by_zone": "text",
    "disruptions_allowed": "int",
    "needed": "int",
}


def check_workloads(batch: Batch[WorkloadRow], *, now: datetime) -> None:
    """Move rows that make no sense to the batch's errors."""
    kept = []
    for index, row in batch.rows:
        if name := has_nul(row):
            batch.errors.append(RowError(index, name, "The text holds a NUL byte; send it without."))
        elif row.at > now + AHEAD:
            batch.errors.append(
                RowError(index, "at", "The time lies in the future; check the sender's clock.")
            )
        else:
            kept.append((index, row))
    batch.rows = kept
    batch.errors.sort(key=lambda error: error.index)


def take_workloads(batch: Batch[WorkloadRow], *, origin: str) -> int:
    """Store the newest state of each workload; how many were news. Unknown services are warned of."""
    rules = read_rules(origin)
    newest: dict[tuple[str, str, str], tuple[int, WorkloadRow]] = {}
    for index, row in batch.rows:
        if row.service and row.service not in rules.services:
            detail = f"There is no service {row.service}; the namespace decided instead."
            batch.warnings.append(RowError(index, "service", detail))
        key = (row.cluster, row.namespace, row.workload)
        if key not in newest or row.at >= newest[key][1].at:
            newest[key] = (index, row)
    if not newest:
        return 0
    with transaction.atomic():
        services = _write([_line(row, rules) for _, (_, row) in sorted(newest.items())], origin)
        if services:
            announce("services", ids=sorted(set(services)))
    return len(services)


def _line(row: WorkloadRow, rules: Rules) -> tuple[object, ...]:
    declared = row.service or ""
    service_id = rules.service_of(Traits(namespace=row.namespace), {}, declared=declared)
    zones = json.dumps(row.by_zone, sort_keys=True)
    return (
        row.cluster,
        row.namespace,
        row.workload,
        service_id,
        declared in rules.services,
        row.at,
        row.wanted,
        row.ready,
        row.pending,
        zones,
        row.disruptions_allowed,
        row.needed,
    )


def _write(lines: list[tuple[object, ...]], origin: str) -> list[int]:
    """Upsert in one statement; the services of what was news."""
    table, values = as_table(lines, _COLUMNS, name="w")
    names = ", ".join(_COLUMNS)
    given = names.replace("by_zone", "by_zone::jsonb")
    sets = ", ".join(f"{name} = EXCLUDED.{name}" for name in _COLUMNS)
    rows = fetch(
        f"INSERT INTO fleet_workloadstatus (origin, {names}) SELECT %s, {given} FROM {table}"  # noqa: S608
        " ON CONFLICT (origin, cluster, namespace, workload)"
        f" DO UPDATE SET {sets} WHERE fleet_workloadstatus.at < EXCLUDED.at RETURNING service_id",
        [origin, *values],
    )
    return [row[0] for row in rows]
