"""Writing down what was said: one row a statement, told again changes nothing.

Everything here is set-based: a batch costs a constant number of statements.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from console.feeds.normalised import NormalisedEvent
from console.interruptions.seen import Seen
from console.lib.rows import array_literal, columns_of, fetch, run


class Statement(msgspec.Struct, frozen=True, gc=False):
    """One event of one stored delivery, and the machine it was resolved to."""

    feed_id: int
    origin: str
    delivery_pk: int
    received_at: datetime
    event: NormalisedEvent
    machine_id: int | None
    is_replay: bool

    @property
    def key(self) -> tuple[int, str, str]:
        return self.feed_id, self.event.event_id[:512], self.event.machine.identifier[:512]


_COLUMNS = {
    "id": "bigint",
    "received_at": "timestamptz",
    "origin": "text",
    "feed_id": "bigint",
    "delivery_pk": "bigint",
    "machine_id": "bigint",
    "interruption_id": "bigint",
    "event_id": "text",
    "machine_named": "text",
    "source": "text",
    "kind": "text",
    "occurred_at": "timestamptz",
    "deadline_at": "timestamptz",
    "outcome": "text",
    "cause": "text",
    "action": "text",
    "machine_state": "text",
    "native_id": "text",
    '"group"': "text",
    "boot_id": "text",
    "node_uid": "text",
    "may_open": "boolean",
    "is_precise_deadline": "boolean",
    "is_restart": "boolean",
    "is_observed": "boolean",
    "is_future": "boolean",
    "is_low_confidence": "boolean",
    "is_replay": "boolean",
    "listed": "text",
    "incarnation": "bigint",
    "labels": "jsonb",
    "message": "text",
}
_KEYS = """
INSERT INTO interruptions_observationkey (feed_id, event_id, machine_named, received_at)
SELECT * FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::timestamptz[])
ON CONFLICT DO NOTHING RETURNING id, feed_id, event_id, machine_named
"""
_ROWS = (
    f"INSERT INTO interruptions_observation ({', '.join(_COLUMNS)}) "  # noqa: S608
    f"SELECT {', '.join(f'r.{name}::text[]' if name == 'listed' else f'r.{name}' for name in _COLUMNS)} "
    f"FROM unnest({', '.join(f'%s::{kind}[]' for kind in _COLUMNS.values())}) AS r ({', '.join(_COLUMNS)})"
)


def observe(statements: Sequence[Statement]) -> dict[int, Statement]:
    """Claim the statements that are new, by the id that each is to be written with. A repeat is silent."""
    first: dict[tuple[int, str, str], Statement] = {}
    for statement in statements:
        first.setdefault(statement.key, statement)
    if not first:
        return {}
    keys = [(*key, first[key].received_at) for key in sorted(first)]
    named = columns_of(keys, ("bigint", "text", "text", "timestamptz"))
    claimed = {(feed, event, machine): pk for pk, feed, event, machine in fetch(_KEYS, named)}
    return {claimed[key]: first[key] for key in sorted(claimed)}


def write_down(fresh: Mapping[int, Statement], *, homes: Mapping[int, int]) -> None:
    """Store new statements, each in its interruption (`homes`, by the statement's id) or in none."""
    if fresh:
        rows = [_row(pk, statement, homes.get(pk)) for pk, statement in fresh.items()]
        run(_ROWS, columns_of(rows, _COLUMNS.values()))


def as_seen(pk: int, statement: Statement, *, provider: str) -> Seen:
    """A new statement as `partition` sees it: exactly what will be read back of it."""
    event, machine = statement.event, statement.event.machine
    return Seen(
        id=pk,
        feed_id=statement.feed_id,
        event_id=event.event_id[:512],
        kind=event.kind,
        occurred_at=event.occurred_at,
        received_at=statement.received_at,
        machine_named=machine.identifier[:512],
        source=event.source,
        provider=provider or None,
        deadline_at=event.deadline_at,
        outcome=event.outcome,
        cause=event.cause,
        action=event.action,
        state=event.state or None,
        native_id=(event.native_id or "")[:256] or None,
        boot_id=(machine.boot_id or "")[:128] or None,
        node_uid=(machine.node_uid or "")[:128] or None,
        may_open=event.may_open,
        is_precise_deadline=event.is_precise_deadline,
        is_restart=event.is_restart,
        is_observed=event.is_observed,
        is_low_confidence=event.is_low_confidence,
        listed=event.listed,
        incarnation=event.incarnation,
    )


def _row(pk: int, statement: Statement, home: int | None) -> tuple[object, ...]:
    event, machine = statement.event, statement.event.machine
    return (
        pk,
        statement.received_at,
        statement.origin,
        statement.feed_id,
        statement.delivery_pk,
        statement.machine_id,
        home,
        event.event_id[:512],
        machine.identifier[:512],
        event.source,
        event.kind.value,
        event.occurred_at,
        event.deadline_at,
        event.outcome.value,
        event.cause.value if event.cause else "",
        event.action.value if event.action else "",
        event.state or "",
        (event.native_id or "")[:256],
        (event.group or "")[:256],
        (machine.boot_id or "")[:128],
        (machine.node_uid or "")[:128],
        event.may_open,
        event.is_precise_deadline,
        event.is_restart,
        event.is_observed,
        event.is_future,
        event.is_low_confidence,
        statement.is_replay,
        array_literal(event.listed, "text") if event.listed is not None else None,
        event.incarnation,
        msgspec.json.encode(event.labels).decode() if event.labels else "{}",
        (event.message or "")[:500],
    )
