"""Writing the difference between the interruptions that are stored and those that the observations tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

import msgspec

from console.interruptions.records import ATTACHED
from console.lib.live import announce
from console.lib.rows import array_literal, columns_of, fetch, run


class Wanted(msgspec.Struct, frozen=True, gc=False):
    """An interruption as it should stand. Field names are column names."""

    origin: str
    key: str
    ordinal: int
    machine_id: int
    service_id: int
    pool_id: int | None
    provider: str
    region: str
    state: str
    cause: str
    action: str
    known_by: str
    native_id: str
    opened_by: str
    started_at: datetime
    deadline_at: datetime | None
    ended_at: datetime | None
    at_risk_at: datetime | None
    notice_at: datetime | None
    cordoned_at: datetime | None
    drain_started_at: datetime | None
    shutdown_started_at: datetime | None
    shutdown_completed_at: datetime | None
    terminated_at: datetime | None
    evicted_at: datetime | None
    scheduled_at: datetime | None
    running_at: datetime | None
    has_drain_error: bool
    is_low_confidence: bool
    witness_count: int
    observation_count: int
    first_received_at: datetime
    last_received_at: datetime
    is_late: bool
    due_at: datetime | None

    @property
    def values(self) -> tuple[Any, ...]:
        """Every column in order."""
        return _values(self)

    @property
    def over_at(self) -> datetime:
        """When it was over, or will be, as far as is known."""
        return self.ended_at or self.deadline_at or self.started_at

    @property
    def is_counted(self) -> bool:
        """A spot reclaim that is neither a hint nor withdrawn."""
        return self.cause == "spot" and self.state not in ("at_risk", "no_action", "cancelled")


_TYPES = {"str": "text", "int": "bigint", "int | None": "bigint", "bool": "boolean"}
COLUMNS = {name: _TYPES.get(kind, "timestamptz") for name, kind in Wanted.__annotations__.items()}
_values = attrgetter(*COLUMNS)
_NAMES = ", ".join(COLUMNS)
_CASTS = ", ".join(f"%s::{kind}[]" for kind in COLUMNS.values())

_INSERT = (
    f"INSERT INTO interruptions_interruption ({_NAMES}, version, updated_at) "  # noqa: S608
    f"SELECT n.*, 1, %s FROM unnest({_CASTS}) AS n ({_NAMES}) "
    "ON CONFLICT (origin, key) DO NOTHING RETURNING id, key"
)
_SERVED = (
    "CASE WHEN n.state IN ('at_risk', 'no_action', 'cancelled') THEN NULL ELSE i.replacement_launched_at END"
)
"""What is no loss has no replacement; who it was is free to serve another."""
_UPDATE = (
    f"UPDATE interruptions_interruption i SET ({_NAMES}, version, updated_at, replacement_launched_at) = "  # noqa: S608
    f"({', '.join(f'n.{name}' for name in COLUMNS)}, i.version + 1, %s, {_SERVED}) "
    f"FROM unnest(%s::bigint[], {_CASTS}) AS n (id, {_NAMES}) WHERE i.id = n.id"
)
_ASSIGN = """
UPDATE interruptions_observation o SET interruption_id = n.interruption_id
FROM unnest(%s::bigint[], %s::timestamptz[], %s::bigint[]) AS n (id, received_at, interruption_id)
WHERE o.id = n.id AND o.received_at = n.received_at
"""
_ALIAS = """
INSERT INTO interruptions_interruptionalias (origin, key, interruption_id)
SELECT %s, * FROM unnest(%s::text[], %s::bigint[]) AS a (key, interruption_id)
ON CONFLICT (origin, key) DO UPDATE SET interruption_id = excluded.interruption_id
"""
_ABSORB = """
UPDATE interruptions_interruption i SET merged_into_id = n.kept, state = 'no_action', due_at = NULL,
       episode_id = NULL, replacement_launched_at = NULL, version = i.version + 1, updated_at = %s
FROM unnest(%s::bigint[], %s::bigint[]) AS n (gone, kept) WHERE i.id = n.gone
"""
_FOLLOW = """
UPDATE {table} r SET interruption_id = n.kept FROM unnest(%s::bigint[], %s::bigint[]) AS n (gone, kept)
WHERE r.interruption_id = n.gone
"""
_CHANGES = """
INSERT INTO interruptions_interruptionchange (interruption_id, at, is_new, is_replay)
SELECT id, %s, is_new, is_replay FROM unnest(%s::bigint[], %s::boolean[], %s::boolean[])
       AS c (id, is_new, is_replay)
"""


def insert(wanted: Sequence[Wanted], *, now: datetime) -> dict[str, int]:
    """Store new interruptions. Returns their ids by key; absent are those whose key is another's already."""
    if not wanted:
        return {}
    return {key: pk for pk, key in fetch(_INSERT, [now, *_columns(wanted)])}


def update(wanted: Mapping[int, Wanted], *, now: datetime) -> None:
    """Overwrite stored interruptions, by id."""
    if not wanted:
        return
    run(_UPDATE, [now, array_literal(list(wanted), "bigint"), *_columns(list(wanted.values()))])


def assign(homes: Iterable[tuple[int, datetime, int | None]]) -> None:
    """Put observations (id, receive time) into interruptions, or into none."""
    rows = list(homes)
    if not rows:
        return
    run(_ASSIGN, columns_of(rows, ("bigint", "timestamptz", "bigint")))


def alias(keys: Mapping[str, int], *, origin: str) -> None:
    """Let keys that are no longer an interruption's own lead to it."""
    if not keys:
        return
    run(_ALIAS, [origin, list(keys), list(keys.values())])


def absorb(gone: Mapping[int, int], *, now: datetime) -> None:
    """Leave tombstones where interruptions turned out to be others (gone id -> surviving id)."""
    if not gone:
        return
    columns = [list(gone), list(gone.values())]
    run(_ABSORB, [now, *columns])
    for kind in ATTACHED:
        run(_FOLLOW.format(table=f"interruptions_{kind}"), columns)


def report_changes(changes: Mapping[int, bool], *, replayed: frozenset[int], now: datetime) -> None:
    """Leave a row for the alert pipeline for each interruption; the value says whether it is new.

    The boards list reclaims, not groups alone: they are told now and not once the alert pipeline has come round.
    """
    if not changes:
        return
    rows = [(pk, changes[pk], pk in replayed) for pk in sorted(changes)]
    run(_CHANGES, [now, *columns_of(rows, ("bigint", "boolean", "boolean"))])
    announce("feed")


def _columns(wanted: Sequence[Wanted]) -> list[Any]:
    return columns_of([one.values for one in wanted], COLUMNS.values())
