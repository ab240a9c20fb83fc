"""Finding the machines that messages speak of: one row each, whatever they call it.

Call it inside the transaction of the batch. It locks every machine it returns (in id order, so that
two batches wait for each other and never deadlock), adds what is new, joins two machines that turn
out to be one, and attributes new and changed machines. A constant number of statements a batch:
two when nothing is new, six with new machines, and some more when machines are joined or moved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from console.fleet.attribution import Rules, read_rules
from console.fleet.azure_names import is_arm_id
from console.fleet.joining import follow_machines, join_machines
from console.fleet.machine_rows import (
    POOL_HINTS,
    SERVICE_HINTS,
    TAGS,
    TEXTS,
    MachineRow,
    Row,
    assign_pools,
    attribute,
    insert_rows,
    lock_rows,
    point_names,
    read_names,
    update_rows,
)
from console.fleet.names import NAME_LIFE, Identity, Known, Name, Register, look_ups
from console.fleet.provider_ids import parts_of


class MachineFacts(msgspec.Struct, frozen=True, gc=False):
    """What one message says of its machine. Whatever it does not say is None."""

    seen_at: datetime
    provider: str | None = None
    account: str | None = None
    region: str | None = None
    zone: str | None = None
    instance_id: str | None = None
    instance_type: str | None = None
    node_name: str | None = None
    node_uid: str | None = None
    cluster: str | None = None
    namespace: str | None = None
    node_pool: str | None = None
    os: str | None = None
    tags: dict[str, str] | None = None
    declared_service: str | None = None
    heartbeat_at: datetime | None = None
    vcpus: int | None = None
    provider_id: str | None = None
    """As a Node spells it: whatever of the machine it says is filled in where nothing else does."""
    node_claim: str | None = None
    alive_since: datetime | None = None
    listed_at: datetime | None = None
    """When an inventory listed it as running."""
    is_authority: bool = False
    """Inventory: what it says of type, place in the cluster and tags replaces what was known."""


@dataclass(slots=True)
class Resolved:
    """The machines of a batch, parallel to its facts; None where the facts name no machine."""

    ids: list[int | None]
    machines: dict[int, MachineRow]
    new: set[int] = field(default_factory=set)
    merges: list[tuple[int, int]] = field(default_factory=list)
    """(kept, merged): rows of the rooms above that hold `merged` are to be pointed at `kept`."""
    moved: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Machine to (old service, new service), where what was learnt gave it another."""
    changed: set[int] = field(default_factory=set)
    """Machines that are new or of which something was learnt besides the time."""


class ClosureGrew(Exception):
    """Another transaction took or gave a name meanwhile. Roll the whole batch back and try again."""


def resolve_machines(facts: Sequence[MachineFacts], *, origin: str, now: datetime) -> Resolved:
    """The machine of each of `facts`, locked until the transaction ends."""
    facts = [each if each.provider_id is None else _spelt_out(each) for each in facts]
    identities = [identify(each) for each in facts]
    named = [index for index, who in enumerate(identities) if who is not None]
    if not named:
        return Resolved([None] * len(facts), {})
    register, rows, stored = _load(facts, identities, origin)
    found = _find(register, facts, identities, named, now)
    by_known = {row.known: row for row in rows.values()}
    for index in named:
        machine = found[index].final()
        row = by_known.get(machine)
        if row is None:
            row = by_known[machine] = Row(machine, [""] * len(TEXTS), {})
        _learn(row, facts[index], now)
    for kept, merged in register.merges:
        if (gone := by_known.get(merged)) is not None:
            by_known.setdefault(kept.final(), Row(kept.final(), [""] * len(TEXTS), {})).absorb(gone)
    touched = list(dict.fromkeys(by_known[found[index].final()] for index in named))
    resolved = _write(touched, register, stored, origin=origin, now=now)
    resolved.ids = [_id(found[index].final()) if index in found else None for index in range(len(facts))]
    return resolved


def identify(facts: MachineFacts) -> Identity | None:
    """The names in `facts`, or None when there is none. Azure's ids come in any case."""
    if not (facts.instance_id or facts.node_name or facts.provider_id or facts.node_claim):
        return None
    instance_id, account = facts.instance_id or "", facts.account or ""
    is_azure = facts.provider == "azure"
    return Identity(
        facts.provider or "",
        account.lower() if is_azure else account,
        instance_id.lower() if is_azure else instance_id,
        facts.cluster or "",
        facts.node_name or "",
        facts.node_uid or "",
        facts.provider_id or "",
        facts.node_claim or "",
    )


def _spelt_out(facts: MachineFacts) -> MachineFacts:
    """With what its provider id says of it."""
    parts = parts_of(facts.provider_id or "")
    unsaid = {name: value for name, value in parts.items() if not getattr(facts, name)}
    return msgspec.structs.replace(facts, **unsaid) if unsaid else facts


Stored = set[Name]


def _load(
    facts: Sequence[MachineFacts], identities: Sequence[Identity | None], origin: str
) -> tuple[Register, dict[int, Row], Stored]:
    """Lock and read what the batch may speak of; then read the names again, under the locks."""
    asked = {pair for who in set(identities) if who is not None for pair in look_ups(who)}
    params: dict[str, Any] = {
        "origin": origin,
        "kinds": [kind for kind, _ in asked],
        "values": [value for _, value in asked],
        "nodes": [value for kind, value in asked if kind == "node"],
        "uids": sorted({who.node_uid for who in identities if who is not None and who.node_uid}),
        "since": min(each.seen_at for each in facts) - NAME_LIFE,
    }
    rows = lock_rows(params)
    register = Register()
    stored: Stored = set()
    held: dict[int, list[Any]] = {pk: [] for pk in rows}
    for pk, name, is_alive in read_names(params | {"ids": list(rows)}):
        stored.add(name)
        if pk in held:
            held[pk].append(name)
        elif is_alive:
            raise ClosureGrew(f"{name.kind} {name.value} was given a machine meanwhile")
        else:
            register.taken[name] = None
    for pk, row in rows.items():
        register.add(row.known, held[pk])
        register.recall(row.known, node_name=row.texts[_NODE], cluster=row.texts[_CLUSTER])
    return register, rows, stored


_INSTANCE = TEXTS.index("instance_id")
_NODE, _CLUSTER = TEXTS.index("node_name"), TEXTS.index("cluster")
_TYPE, _OS = TEXTS.index("instance_type"), TEXTS.index("os")
_SPACE, _NODE_POOL = TEXTS.index("namespace"), TEXTS.index("node_pool")


def _find(
    register: Register,
    facts: Sequence[MachineFacts],
    identities: Sequence[Identity | None],
    named: Sequence[int],
    now: datetime,
) -> dict[int, Known]:
    """Each message's machine. Names that say most come first, so that a batch's order matters less."""
    groups: dict[Any, list[int]] = {}
    for index in named:
        who = identities[index]
        assert who is not None
        is_firm = who.instance_id or who.node_uid
        groups.setdefault(who if is_firm else (who, facts[index].seen_at.date()), []).append(index)
    ordered = sorted(
        ((identities[indexes[0]], indexes) for indexes in groups.values()),
        key=lambda one: (not one[0].instance_id, not one[0].node_uid, one[0], facts[one[1][0]].seen_at),  # type: ignore[union-attr]
    )
    found: dict[int, Known] = {}
    for who, indexes in ordered:
        assert who is not None
        times = [facts[index].seen_at for index in indexes]
        times += [since for index in indexes if (since := facts[index].alive_since) is not None]
        machine = register.find(who, at=min(min(times), now))
        machine.last_seen_at = max(machine.last_seen_at, min(max(times), now))
        for index in indexes:
            found[index] = machine
    return found


def _learn(row: Row, facts: MachineFacts, now: datetime) -> None:
    row.fill(
        (
            facts.provider,
            facts.account,
            facts.region,
            facts.zone,
            facts.instance_id,
            facts.instance_type,
            facts.os,
            facts.node_name,
            facts.cluster,
            facts.namespace,
            facts.node_pool,
        )
    )
    if facts.instance_id and is_arm_id(facts.instance_id) and not is_arm_id(row.texts[_INSTANCE]):
        row.put(_INSTANCE, facts.instance_id)
    if facts.is_authority:
        for index, value in ((_TYPE, facts.instance_type), (_OS, facts.os), (_SPACE, facts.namespace)):
            row.put(index, value)
        row.put(_NODE_POOL, facts.node_pool)
    if facts.tags is not None and (facts.is_authority or not row.tags):
        row.put_tags({str(name): str(value) for name, value in facts.tags.items()})
    if facts.declared_service and facts.declared_service != row.declared_service:
        row.declared_service = facts.declared_service
        row.changed.add(TAGS)
    if facts.vcpus is not None and (row.vcpus is None or (facts.is_authority and facts.vcpus != row.vcpus)):
        row.vcpus, row.is_dirty = facts.vcpus, True
    if facts.heartbeat_at is not None:
        row.beat(min(facts.heartbeat_at, now))
    row.note_listed(facts.listed_at)


def settle(rows: Sequence[Row], *, origin: str, now: datetime, rules: Rules | None = None) -> None:
    """Give new and changed machines their service and pool."""
    unsettled = [row for row in rows if row.stored is None or row.changed & SERVICE_HINTS]
    if unsettled:
        attribute(unsettled, rules or read_rules(origin), now=now)
    assign_pools([row for row in rows if row.stored is None or row.changed & POOL_HINTS], origin=origin)


def _write(
    touched: Sequence[Row], register: Register, stored: Stored, *, origin: str, now: datetime
) -> Resolved:
    settle(touched, origin=origin, now=now)
    new = [row for row in touched if row.stored is None]
    _write_names(new, touched, register, stored, origin)
    update_rows([row for row in touched if row.stored is not None and row.is_unwritten()])
    merges = [(_id(kept.final()), merged.id) for kept, merged in register.merges if merged.id is not None]
    join_machines(merges)
    moved = {_id(row.known): row for row in touched if row.moved_from is not None}
    follow_machines(sorted(moved))
    return Resolved(
        ids=[],
        machines={_id(row.known): row.told() for row in touched},
        new={_id(row.known) for row in new},
        merges=merges,
        changed={_id(row.known) for row in touched if row.stored is None or row.changed or row.is_dirty},
        moved={
            pk: (row.moved_from[0], row.service_id)
            for pk, row in moved.items()
            if row.moved_from is not None and row.moved_from[0] != row.service_id
        },
    )


def _id(machine: Known) -> int:
    assert machine.id is not None, "a machine is asked for its id before it was written"
    return machine.id


def _write_names(
    new: Sequence[Row], touched: Sequence[Row], register: Register, stored: Stored, origin: str
) -> None:
    """Insert new machines and names; names whose machine is long gone move to the living one."""
    places = {row.known: -1 - place for place, row in enumerate(new)}
    added: list[tuple[int, Name]] = []
    pointed: list[tuple[Known, Name]] = []
    for row in touched:
        machine = row.known
        for name in dict.fromkeys(machine.learnt):
            holder = register.taken[name]
            if holder is None or holder.final() is not machine:
                continue
            if name in stored:
                pointed.append((machine, name))
            else:
                added.append((places[machine] if machine.id is None else machine.id, name))
    if (new or added) and insert_rows(new, added, origin=origin) < len(added):
        raise ClosureGrew("another transaction named the same machine")
    point_names([(_id(machine), name) for machine, name in pointed], origin=origin)
