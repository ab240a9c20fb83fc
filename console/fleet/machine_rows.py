"""Machine rows in memory while a batch is read, and the statements that read and write them in sets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from console.fleet.attribution import Rules, Traits
from console.fleet.models import AttributedBy
from console.fleet.names import Known, Name
from console.lib.rows import as_table, fetch, run

TEXTS = (
    "provider",
    "account",
    "region",
    "zone",
    "instance_id",
    "instance_type",
    "os",
    "node_name",
    "cluster",
    "namespace",
    "node_pool",
)
"""The text columns of a machine that messages fill, in the order they are held here."""

_TRAITS = tuple(TEXTS.index(name) for name in Traits._fields)
_POOL = tuple(TEXTS.index(name) for name in ("provider", "region", "zone", "instance_type", "os"))
TAGS = -1
"""Stands for tags and the declared service among the changed columns."""

SERVICE_HINTS = frozenset((*_TRAITS, TAGS))
POOL_HINTS = frozenset(_POOL)
"""Which changes may give a machine another service, and which another pool."""


class MachineRow(NamedTuple):
    """What recording needs of a machine after it was resolved."""

    service_id: int
    pool_id: int | None
    provider: str
    account: str
    region: str
    zone: str
    instance_id: str
    instance_type: str
    node_name: str


@dataclass(slots=True, eq=False)
class Row:
    """One machine as stored, and what a batch taught about it."""

    known: Known
    texts: list[str]
    tags: dict[str, str]
    vcpus: int | None = None
    declared_service: str = ""
    service_id: int = 0
    pool_id: int | None = None
    attributed_by: str = ""
    """What gave it another service just now; empty where nothing did."""
    attributed_at: datetime | None = None
    heartbeat_at: datetime | None = None
    listed_at: datetime | None = None
    stored: tuple[datetime, datetime] | None = None
    """First and last seen as the database has them; None for a machine that is new."""
    changed: set[int] = field(default_factory=set)
    is_dirty: bool = False
    """Something is to be written that is neither a text nor a time."""
    is_seen: bool = False
    """A sign of life is to be written."""
    moved_from: tuple[int, int | None] | None = None

    def fill(self, texts: Sequence[str | None]) -> None:
        """Learn what was unknown; what is known stays."""
        own = self.texts
        for index, value in enumerate(texts):
            if value and not own[index]:
                own[index] = value
                self.changed.add(index)

    def put(self, index: int, value: str | None) -> None:
        """Take an authority's word over what was known."""
        if value and self.texts[index] != value:
            self.texts[index] = value
            self.changed.add(index)

    def put_tags(self, tags: dict[str, str]) -> None:
        if tags != self.tags:
            self.tags = tags
            self.changed.add(TAGS)

    def is_unwritten(self) -> bool:
        times = (self.known.first_seen_at, self.known.last_seen_at)
        return bool(self.changed) or self.is_dirty or self.is_seen or times != self.stored

    def absorb(self, other: Row) -> None:
        """Take over what only the merged machine knew."""
        self.fill(other.texts)
        if other.tags and not self.tags:
            self.tags = other.tags
            self.changed.add(TAGS)
        if other.declared_service and not self.declared_service:
            self.declared_service = other.declared_service
            self.changed.add(TAGS)
        if self.vcpus is None and other.vcpus is not None:
            self.vcpus, self.is_dirty = other.vcpus, True
        self.beat(other.heartbeat_at)
        self.note_listed(other.listed_at)

    def beat(self, at: datetime | None) -> None:
        """A heartbeat of its own."""
        if at is not None and (self.heartbeat_at is None or at > self.heartbeat_at):
            self.heartbeat_at, self.is_seen = at, True

    def note_listed(self, at: datetime | None) -> None:
        """An inventory that says it runs."""
        if at is not None and (self.listed_at is None or at > self.listed_at):
            self.listed_at, self.is_seen = at, True

    @property
    def traits(self) -> Traits:
        return Traits(*(self.texts[index] for index in _TRAITS))

    @property
    def pool_key(self) -> tuple[str, ...] | None:
        """The pool's identity, once provider, type and a place are known."""
        key = tuple(self.texts[index] for index in _POOL)
        provider, region, zone, instance_type, _ = key
        return key if provider and instance_type and (zone or region) else None

    def told(self) -> MachineRow:
        provider, account, region, zone, instance_id, instance_type, _, node_name, *_ = self.texts
        return MachineRow(
            self.service_id,
            self.pool_id,
            provider,
            account,
            region,
            zone,
            instance_id,
            instance_type,
            node_name,
        )


_COLUMNS = ", ".join(f"m.{name}" for name in TEXTS)

_LOCK = f"""
SELECT m.id, m.first_seen_at, m.last_seen_at, m.tags, m.vcpus, m.declared_service, m.service_id, m.pool_id,
       m.heartbeat_at, m.listed_at, {_COLUMNS}
FROM fleet_machine m WHERE m.merged_into_id IS NULL AND m.id IN (
    SELECT a.machine_id FROM unnest(%(kinds)s::text[], %(values)s::text[]) AS w(kind, value)
        JOIN fleet_machinealias a ON a.origin = %(origin)s AND a.id_kind = w.kind AND a.id_value = w.value
        JOIN fleet_machine k ON k.id = a.machine_id
        WHERE a.id_kind <> 'node' OR k.last_seen_at >= %(since)s OR a.node_uid = ANY(%(uids)s)
    UNION
    SELECT n.id FROM fleet_machine n
        WHERE n.origin = %(origin)s AND n.node_name = ANY(%(nodes)s) AND n.node_name <> ''
          AND n.merged_into_id IS NULL AND n.last_seen_at >= %(since)s
) ORDER BY m.id FOR NO KEY UPDATE
"""  # noqa: S608 - column names only. NO KEY: rows that merely refer to a machine need not wait

_NAMES = """
SELECT a.machine_id, a.id_kind, a.id_value, a.provider, a.scope, a.node_uid, true FROM fleet_machinealias a
    WHERE a.machine_id = ANY(%(ids)s)
UNION
SELECT a.machine_id, a.id_kind, a.id_value, a.provider, a.scope, a.node_uid,
       a.id_kind <> 'node' OR k.last_seen_at >= %(since)s OR a.node_uid = ANY(%(uids)s)
    FROM unnest(%(kinds)s::text[], %(values)s::text[]) AS w(kind, value)
    JOIN fleet_machinealias a ON a.origin = %(origin)s AND a.id_kind = w.kind AND a.id_value = w.value
    JOIN fleet_machine k ON k.id = a.machine_id
    WHERE a.machine_id <> ALL(%(ids)s)
"""


def lock_rows(params: Mapping[str, Any]) -> dict[int, Row]:
    """Lock every machine that the names may lead to, in id order, and read them.

    One that was joined with another while its lock was waited for is none of them any more.
    """
    rows: dict[int, Row] = {}
    for line in fetch(_LOCK, params):
        pk, first, last, tags, vcpus, declared, service_id, pool_id, heartbeat_at, listed_at, *texts = line
        known = Known(pk, first, last)
        tags = json.loads(tags) if isinstance(tags, str) else tags
        rows[pk] = Row(
            known,
            texts,
            tags,
            vcpus,
            declared,
            service_id,
            pool_id,
            heartbeat_at=heartbeat_at,
            listed_at=listed_at,
            stored=(first, last),
        )
    return rows


def read_names(params: Mapping[str, Any]) -> list[tuple[int, Name, bool]]:
    """Every name of the locked machines and of the batch: whose it is, and whether that machine lives."""
    return [(line[0], Name(*line[1:6]), line[6]) for line in fetch(_NAMES, params)]


def attribute(rows: Iterable[Row], rules: Rules, *, now: datetime) -> None:
    """Give new and changed machines their service, and note what moved those that had another."""
    for row in rows:
        service_id = rules.service_of(row.traits, row.tags, declared=row.declared_service)
        if service_id != row.service_id:
            _remember(row)
            row.service_id, row.is_dirty = service_id, True
            if row.stored is not None:
                row.attributed_by, row.attributed_at = _moved_by(row, rules), now


def _moved_by(row: Row, rules: Rules) -> AttributedBy:
    if row.declared_service in rules.services and row.declared_service:
        return AttributedBy.NODE
    return AttributedBy.TAGS if TAGS in row.changed else AttributedBy.PLACE


def assign_pools(rows: Iterable[Row], *, origin: str) -> None:
    """Give machines whose type and place became known their pool; pools not yet seen are made."""
    keyed = [(row, key) for row in rows if (key := row.pool_key) is not None]
    if not keyed:
        return
    pools = _pools(sorted({key for _, key in keyed}), origin)
    for row, key in keyed:
        if pools[key] != row.pool_id:
            _remember(row)
            row.pool_id, row.is_dirty = pools[key], True


def _remember(row: Row) -> None:
    if row.stored is not None and row.moved_from is None:
        row.moved_from = (row.service_id, row.pool_id)


_POOL_COLUMNS = {"provider": "text", "region": "text", "zone": "text", "instance_type": "text", "os": "text"}


def _pools(keys: Sequence[tuple[str, ...]], origin: str) -> dict[tuple[str, ...], int]:
    table, values = as_table(keys, _POOL_COLUMNS, name="w")
    names = ", ".join(_POOL_COLUMNS)
    found: dict[tuple[str, ...], int] = {}
    while len(found) < len(keys):  # again only when another transaction made one in between
        lines = fetch(
            f"""WITH w AS (SELECT * FROM {table}), made AS (
                INSERT INTO fleet_pool (origin, {names}) SELECT %s, {names} FROM w
                WHERE NOT EXISTS (SELECT 1 FROM fleet_pool p WHERE p.origin = %s AND (p.provider, p.region,
                    p.zone, p.instance_type, p.os) = (w.provider, w.region, w.zone, w.instance_type, w.os))
                ON CONFLICT DO NOTHING RETURNING id, {names})
            SELECT id, {names} FROM made UNION ALL
            SELECT p.id, {", ".join("p." + name for name in _POOL_COLUMNS)} FROM fleet_pool p JOIN w
                USING ({names}) WHERE p.origin = %s""",  # noqa: S608 - column names only
            [*values, origin, origin, origin],
        )
        found = {tuple(key): pk for pk, *key in lines}
    return found


_WRITTEN = {
    **dict.fromkeys(TEXTS, "text"),
    "tags": "text",
    "vcpus": "int",
    "declared_service": "text",
    "service_id": "bigint",
    "pool_id": "bigint",
    "attributed_by": "text",
    "attributed_at": "timestamptz",
    "first_seen_at": "timestamptz",
    "last_seen_at": "timestamptz",
    "heartbeat_at": "timestamptz",
    "listed_at": "timestamptz",
}


def _line(row: Row) -> tuple[Any, ...]:
    return (
        *row.texts,
        json.dumps(row.tags, ensure_ascii=False),
        row.vcpus,
        row.declared_service,
        row.service_id,
        row.pool_id,
        row.attributed_by,
        row.attributed_at,
        row.known.first_seen_at,
        row.known.last_seen_at,
        row.heartbeat_at,
        row.listed_at,
    )


def _value(name: str) -> str:
    return "w.tags::jsonb" if name == "tags" else f"w.{name}"


def _new_value(name: str) -> str:
    """What it was moved by stays until it is moved again."""
    if name.startswith("attributed_"):
        return f"CASE WHEN w.attributed_at IS NULL THEN m.{name} ELSE w.{name} END"
    return _value(name)


def update_rows(rows: Sequence[Row]) -> None:
    """Write what changed about machines that exist, in one statement."""
    if not rows:
        return
    lines = [(row.known.id, *_line(row)) for row in rows]
    table, values = as_table(lines, {"id": "bigint", **_WRITTEN}, name="w")
    sets = ", ".join(f"{name} = {_new_value(name)}" for name in _WRITTEN)
    run(f"UPDATE fleet_machine m SET {sets} FROM {table} WHERE m.id = w.id", values)  # noqa: S608


def insert_rows(rows: Sequence[Row], names: Sequence[tuple[int, Name]], *, origin: str) -> int:
    """Insert new machines and new names in one statement; new machines get their ids.

    `names` are (machine, name), the machine being an id, or -1 - its place in `rows` where it is new.
    Returns how many names were not there yet: fewer than given means that somebody was faster.
    """
    machines, values = as_table(
        [(-1 - place, *_line(row)) for place, row in enumerate(rows)],
        {"ord": "bigint", **_WRITTEN},
        name="w",
    )
    kept = [(machine, *name) for machine, name in sorted(names, key=lambda one: tuple(map(str, one[1])))]
    listed, more = as_table(
        kept,
        {
            "ord": "bigint",
            "kind": "text",
            "value": "text",
            "provider": "text",
            "scope": "text",
            "uid": "text",
        },
        name="n",
    )
    columns = ", ".join(_WRITTEN)
    lines = fetch(
        f"""WITH fresh AS MATERIALIZED (
            SELECT nextval(pg_get_serial_sequence('fleet_machine', 'id')) AS id, w.* FROM {machines}
        ), made AS (
            INSERT INTO fleet_machine (id, origin, {columns})
            SELECT w.id, %s, {", ".join(map(_value, _WRITTEN))} FROM fresh w RETURNING id
        ), named AS (
            INSERT INTO fleet_machinealias (origin, id_kind, id_value, provider, scope, node_uid, machine_id)
            SELECT %s, n.kind, n.value, n.provider, n.scope, n.uid, COALESCE(f.id, n.ord)
            FROM {listed} LEFT JOIN fresh f ON f.ord = n.ord
            ON CONFLICT DO NOTHING RETURNING 1
        )
        SELECT ord, id, 0 FROM fresh UNION ALL SELECT 0, 0, (SELECT count(*) FROM named)""",  # noqa: S608
        [*values, origin, origin, *more],
    )
    added = 0
    for place, pk, count in lines:
        added += count
        if place < 0:
            rows[-1 - place].known.id = pk
    return added


def point_names(names: Sequence[tuple[int, Name]], *, origin: str) -> None:
    """Give stored names to other machines."""
    if not names:
        return
    table, values = as_table(
        [(machine, *name) for machine, name in names],
        {"id": "bigint", "kind": "text", "value": "text", "provider": "text", "scope": "text", "uid": "text"},
        name="w",
    )
    run(
        f"""UPDATE fleet_machinealias a SET machine_id = w.id FROM {table} WHERE a.origin = %s
            AND a.id_kind = w.kind AND a.id_value = w.value AND a.provider IS NOT DISTINCT FROM w.provider
            AND a.scope = w.scope AND a.node_uid = w.uid""",  # noqa: S608
        [*values, origin],
    )
