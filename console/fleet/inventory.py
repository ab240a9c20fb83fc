"""Taking in what runs: the denominators of every rate.

Inventory is the authority on tags, types and places of machines; it may come late, twice and in parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
from django.db import transaction

from console.fleet.identity import ClosureGrew, MachineFacts, Resolved, resolve_machines
from console.fleet.intervals import Stretch, put_stretches
from console.lib.live import announce
from console.lib.problems import Problem
from console.lib.pushed import AHEAD, Batch, Moment, RowError, has_nul

ATTEMPTS = 5
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Senders write year 1 or 1970 where no time is known, and a machine has not run since then."""

Word = Annotated[str, msgspec.Meta(max_length=64)]
Id = Annotated[str, msgspec.Meta(max_length=128)]
LongId = Annotated[str, msgspec.Meta(max_length=256)]


class InventoryRow(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """One machine in one stretch of running, named by `instance_id`, `node_name` or `provider_id`."""

    provider: Annotated[str, msgspec.Meta(max_length=16)] | None = None
    account: Id | None = None
    region: Word | None = None
    zone: Word | None = None
    instance_id: LongId | None = None
    instance_type: Word | None = None
    os: Annotated[str, msgspec.Meta(max_length=32)] | None = None
    lifecycle: Literal["spot", "on-demand", "warm", "unknown"] | None = None
    node_name: LongId | None = None
    node_uid: Id | None = None
    node_claim: LongId | None = None
    provider_id: Annotated[str, msgspec.Meta(max_length=512)] | None = None
    cluster: Id | None = None
    namespace: Id | None = None
    node_pool: Id | None = None
    service: Word | None = None
    tags: dict[str, str] | None = None
    vcpus: Annotated[int, msgspec.Meta(ge=0, le=65_535)] | None = None
    started_at: Moment | None = None
    ended_at: Moment | None = None
    end_cause: Annotated[str, msgspec.Meta(max_length=32)] | None = None
    replaces: LongId | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """What an inventory changed."""

    stored: int
    resolved: Resolved


def check_inventory(batch: Batch[InventoryRow], *, now: datetime) -> None:
    """Move rows that make no sense to the batch's errors."""
    kept = []
    for index, row in batch.rows:
        error = _error(index, row, now)
        if error is None:
            kept.append((index, row))
        else:
            batch.errors.append(error)
    batch.rows = kept
    batch.errors.sort(key=lambda error: error.index)


def _error(index: int, row: InventoryRow, now: datetime) -> RowError | None:
    if name := has_nul(row):
        return RowError(index, name, "The text holds a NUL byte; send it without.")
    if not (row.instance_id or row.node_name or row.provider_id):
        return RowError(
            index, "instance_id", "Name the machine by `instance_id`, `node_name` or `provider_id`."
        )
    if row.instance_id and not row.provider:
        return RowError(index, "provider", "An `instance_id` needs its `provider`.")
    for name, at in (("started_at", row.started_at), ("ended_at", row.ended_at)):
        if at is not None and at > now + AHEAD:
            return RowError(index, name, "The time lies in the future; check the sender's clock.")
        if at is not None and at < EARLIEST:
            return RowError(index, name, "Nothing ran before 2000; leave a time out that is not known.")
    if row.started_at and row.ended_at and row.ended_at < row.started_at:
        return RowError(index, "ended_at", "It ends before it starts.")
    return None


def take_inventory(batch: Batch[InventoryRow], *, origin: str, now: datetime) -> Taken:
    """Store the rows of a checked batch: machines, their names, pools, services and intervals."""
    for _ in range(ATTEMPTS):
        try:
            with transaction.atomic():
                return _take([row for _, row in batch.rows], origin=origin, now=now)
        except ClosureGrew:
            continue
    raise Problem(503, code="busy", detail="Other reports about these machines keep arriving. Send it again.")


def take_listed(rows: Sequence[tuple[InventoryRow, bool]], *, origin: str, now: datetime) -> Taken:
    """Store what a provider says of machines it was asked for, each with whether it runs. In one transaction.

    One that does not run and that nobody says the end of is neither seen now nor given a stretch of running.
    """
    stopped = [row for row, is_running in rows if not is_running and row.ended_at is None]
    running = [row for row, is_running in rows if is_running or row.ended_at is not None]
    for _ in range(ATTEMPTS):
        try:
            with transaction.atomic():
                return _take(running, stopped, origin=origin, now=now)
        except ClosureGrew:
            continue
    raise Problem(503, code="busy", detail="Other reports about these machines keep arriving.")


def _take(
    rows: Sequence[InventoryRow], stopped: Sequence[InventoryRow] = (), *, origin: str, now: datetime
) -> Taken:
    facts = [_facts(row, now) for row in rows]
    facts += [
        msgspec.structs.replace(_facts(row, now), seen_at=row.started_at or now, listed_at=None)
        for row in stopped
    ]
    resolved = resolve_machines(facts, origin=origin, now=now)
    named = [(row, pk) for row, pk in zip(rows, resolved.ids, strict=False) if pk is not None]
    stretches = [_stretch(row, pk, resolved, now) for row, pk in named]
    changed = resolved.changed | put_stretches(stretches, origin=origin)
    if changed:
        announce("services", ids=sorted({resolved.machines[pk].service_id for pk in changed}))
    return Taken(sum(pk in changed for _, pk in named), resolved)


def _facts(row: InventoryRow, now: datetime) -> MachineFacts:
    return MachineFacts(
        seen_at=row.ended_at or now,
        alive_since=row.started_at,
        listed_at=None if row.ended_at else now,
        provider=row.provider.lower() if row.provider else None,
        account=row.account,
        region=row.region,
        zone=row.zone,
        instance_id=row.instance_id,
        instance_type=row.instance_type,
        node_name=row.node_name,
        node_uid=row.node_uid,
        node_claim=row.node_claim,
        provider_id=row.provider_id,
        cluster=row.cluster,
        namespace=row.namespace,
        node_pool=row.node_pool,
        os=row.os.lower() if row.os else None,
        tags=row.tags,
        declared_service=row.service,
        vcpus=row.vcpus,
        is_authority=True,
    )


def _stretch(row: InventoryRow, pk: int, resolved: Resolved, now: datetime) -> Stretch:
    machine = resolved.machines[pk]
    return Stretch(
        pk,
        machine.service_id,
        machine.pool_id,
        lifecycle=row.lifecycle or "",
        started_at=row.started_at,
        ended_at=row.ended_at,
        end_cause=row.end_cause or "",
        replaces=row.replaces or "",
        vcpus=row.vcpus,
        seen_running_at=now if pk in resolved.new and row.ended_at is None else None,
    )
