"""Reading back what is known of some machines: their observations, and the interruptions stored for them.

Bounded as `feeds.md` section 3 says: observations within 14 days of the batch's own, those that share a
native id with these, and those of every interruption that has one among them, until nothing is added.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import msgspec

from console.feeds.normalised import Action, Cause, Kind, Outcome
from console.interruptions.observing import Statement, as_seen
from console.interruptions.seen import Seen
from console.lib.rows import columns_of, fetch

REACH = timedelta(days=14)
RECEIVED_EARLIEST = timedelta(days=1)
"""A message is received at most this long before the time it speaks of (clocks run ahead)."""

_SEEN = """
SELECT o.id, o.machine_id, o.interruption_id, o.feed_id, o.event_id, o.kind, o.occurred_at, o.received_at,
       o.machine_named, o.source, o.deadline_at, o.outcome, o.cause, o.action, o.machine_state,
       o.native_id, o.boot_id, o.node_uid, o.may_open, o.is_precise_deadline, o.is_restart, o.is_observed,
       o.is_low_confidence, o.listed, o.incarnation
FROM interruptions_observation o
"""
_NEAR = (
    _SEEN
    + """JOIN unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[]) AS r (machine_id, lo, hi)
    ON o.machine_id = r.machine_id AND o.occurred_at BETWEEN r.lo AND r.hi
WHERE o.received_at >= %s
"""
)
_KIN = (
    _SEEN
    + """WHERE o.machine_id = ANY(%(machines)s) AND o.id <> ALL(%(have)s)
  AND (o.interruption_id = ANY(%(interruptions)s) OR (o.native_id <> '' AND o.native_id = ANY(%(native)s)))
"""
)


@dataclass(slots=True)
class Told:
    """What was observed of one machine, and where each observation was put last time."""

    machine_id: int
    seen: dict[int, Seen] = field(default_factory=dict)
    homes: dict[int, int] = field(default_factory=dict)
    """By observation id: the stored interruption it belongs to."""


class Span(msgspec.Struct, frozen=True, gc=False):
    """A machine and the times its new observations speak of."""

    machine_id: int
    first_at: datetime
    last_at: datetime


class Lived(Protocol):
    """What is to be known of a machine: who provides it, and from when to when it was spoken of."""

    @property
    def provider(self) -> str: ...
    @property
    def first_seen_at(self) -> datetime: ...
    @property
    def last_seen_at(self) -> datetime: ...


def tell(
    spans: Sequence[Span], fresh: Mapping[int, Statement], *, machines: Mapping[int, Lived], now: datetime
) -> dict[int, Told]:
    """Everything about these machines that their new observations (`fresh`, not stored yet) may touch."""
    told = {span.machine_id: Told(span.machine_id) for span in spans}
    for pk, statement in fresh.items():
        if statement.machine_id is not None:
            provider = machines[statement.machine_id].provider
            told[statement.machine_id].seen[pk] = as_seen(pk, statement, provider=provider)
    if told:
        _recall(told, spans, machines=machines, now=now)
    return told


def _recall(
    told: dict[int, Told], spans: Sequence[Span], *, machines: Mapping[int, Lived], now: datetime
) -> None:
    """Add what is stored of them."""
    lows = [span.first_at - REACH for span in spans]
    highs = [span.last_at + REACH for span in spans]
    ahead = any(span.last_at > now for span in spans)
    received = datetime.min.replace(tzinfo=UTC) if ahead else min(lows) - RECEIVED_EARLIEST
    ids = [span.machine_id for span in spans]
    near = columns_of(list(zip(ids, lows, highs, strict=True)), ("bigint", "timestamptz", "timestamptz"))
    rows = fetch(_NEAR, [*near, received])
    # What a machine did before and after its span, and only then, may be tied to it from afar.
    older = {
        span.machine_id
        for span, low, high in zip(spans, lows, highs, strict=True)
        if machines[span.machine_id].first_seen_at < low or machines[span.machine_id].last_seen_at > high
    }
    while True:
        for row in rows:
            _add(told[row[1]], row, provider=machines[row[1]].provider)
        rows = _kin({pk: told[pk] for pk in older})
        if not rows:
            return


def _kin(told: dict[int, Told]) -> list[tuple[Any, ...]]:
    homes = {home for one in told.values() for home in one.homes.values()}
    native = {seen.native_id for one in told.values() for seen in one.seen.values() if seen.native_id}
    if not homes and not native:
        return []
    have = [pk for one in told.values() for pk in one.seen]
    wanted = {"machines": list(told), "have": have, "interruptions": list(homes), "native": list(native)}
    return fetch(_KIN, wanted)


def _add(told: Told, row: tuple[Any, ...], *, provider: str) -> None:
    told.seen[row[0]] = _seen(row, provider=provider)
    if row[2] is not None:
        told.homes[row[0]] = row[2]


def _seen(row: tuple[Any, ...], *, provider: str) -> Seen:
    return Seen(
        id=row[0],
        feed_id=row[3],
        event_id=row[4],
        kind=_KINDS[row[5]],
        occurred_at=row[6],
        received_at=row[7],
        machine_named=row[8],
        source=row[9],
        provider=provider or None,
        deadline_at=row[10],
        outcome=_OUTCOMES[row[11]],
        cause=_CAUSES.get(row[12]),
        action=_ACTIONS.get(row[13]),
        state=row[14] or None,
        native_id=row[15] or None,
        boot_id=row[16] or None,
        node_uid=row[17] or None,
        may_open=row[18],
        is_precise_deadline=row[19],
        is_restart=row[20],
        is_observed=row[21],
        is_low_confidence=row[22],
        listed=tuple(row[23]) if row[23] is not None else None,
        incarnation=row[24],
    )


def spans_of(times: Iterable[tuple[int, datetime]]) -> list[Span]:
    """One span a machine, from (machine id, time) pairs."""
    first: dict[int, datetime] = {}
    last: dict[int, datetime] = {}
    for machine_id, at in times:
        first[machine_id] = min(first.get(machine_id, at), at)
        last[machine_id] = max(last.get(machine_id, at), at)
    return [Span(pk, first[pk], last[pk]) for pk in sorted(first)]


_KINDS = {kind.value: kind for kind in Kind}
_OUTCOMES = {outcome.value: outcome for outcome in Outcome}
_CAUSES = {cause.value: cause for cause in Cause}
_ACTIONS = {action.value: action for action in Action}
