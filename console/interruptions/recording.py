"""Record: what was heard becomes observations, machines and interruptions, in one transaction.

Set-based: a batch costs a constant number of statements, however many messages it holds. Which observations
are one interruption is decided by `partition`, a pure function; this file fetches, asks it, and writes the
difference. The machines concerned are locked, so two workers never decide about one machine at once.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec
from django.db import connection, transaction

from console.feeds.normalised import MachineRef, Reading
from console.fleet.identity import MachineFacts, Resolved, resolve_machines
from console.interruptions import deciding, joining
from console.interruptions.known import Span, spans_of
from console.interruptions.observing import Statement, observe
from console.interruptions.records import Reported, store_records

logger = logging.getLogger(__name__)

MOST_DUE = 500

_HAS_STOPPED = """
i.state IN ('noticed', 'cordoned', 'draining', 'shutting_down', 'shut_down') AND i.due_at IS NOT NULL AND EXISTS (
    SELECT 1 FROM fleet_runninginterval r WHERE r.machine_id = i.machine_id
      AND r.ended_at >= i.started_at AND r.ended_at <= least(%(now)s, i.due_at))
"""
"""An open interruption whose machine the inventory says has stopped running since."""
_DUE = f"""
SELECT id, machine_id, origin, started_at FROM (
    SELECT i.id, i.machine_id, i.origin, i.started_at, i.due_at FROM interruptions_interruption i
    WHERE i.due_at <= %(now)s
    UNION
    SELECT i.id, i.machine_id, i.origin, i.started_at, i.due_at FROM interruptions_interruption i
    WHERE {_HAS_STOPPED}
) AS due ORDER BY due_at LIMIT %(most)s
"""  # noqa: S608 - a condition from this file
_SETTLED = f"""
UPDATE interruptions_interruption i SET due_at = NULL
WHERE i.id = ANY(%(ids)s) AND (i.due_at <= %(now)s OR {_HAS_STOPPED})
"""  # noqa: S608
"""What deciding left due although it was looked at: its observations are gone, and time changes nothing."""
_LOCK = "SELECT id FROM fleet_machine WHERE id = ANY(%s) ORDER BY id FOR UPDATE SKIP LOCKED"


class Heard(msgspec.Struct, frozen=True, gc=False):
    """One stored delivery and what it says."""

    feed_id: int
    origin: str
    delivery_pk: int
    received_at: datetime
    reading: Reading


def record_heard(heard: Sequence[Heard], *, now: datetime) -> set[int]:
    """Record a batch. Call it in a transaction: it is all there afterwards, or nothing is.

    Returns the machines that nothing was heard of before.
    """
    by_origin: dict[str, list[Heard]] = defaultdict(list)
    for one in heard:
        by_origin[one.origin].append(one)
    new: set[int] = set()
    for origin in sorted(by_origin):
        new |= _record(by_origin[origin], origin=origin, now=now)
    return new


def settle_due(*, now: datetime) -> int:
    """Look again at interruptions whose time has come (a deadline long past, a hint a day old), and at open
    ones whose machine the inventory says has stopped running.

    Returns how many machines were looked at; 0: nothing is due, or others are at it.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_DUE, {"now": now, "most": MOST_DUE})
        due = cursor.fetchall()
        if not due:
            return 0
        cursor.execute(_LOCK, [sorted({row[1] for row in due})])
        locked = {row[0] for row in cursor.fetchall()}
        by_origin: dict[str, list[tuple[int, datetime]]] = defaultdict(list)
        looked_at = []
        for pk, machine_id, origin, started_at in due:
            if machine_id in locked:
                looked_at.append(pk)
                by_origin[origin].append((machine_id, started_at))
        for origin in sorted(by_origin):
            deciding.decide(spans_of(by_origin[origin]), origin=origin, now=now)
        cursor.execute(_SETTLED, {"now": now, "ids": looked_at})
        if cursor.rowcount:
            logger.error("interruptions.not_settled", extra={"count": cursor.rowcount})
    return len(locked)


def _record(heard: Sequence[Heard], *, origin: str, now: datetime) -> set[int]:
    mentions = [mention for index, one in enumerate(heard) for mention in _mentions(index, one)]
    resolved = resolve_machines([mention.facts for mention in mentions], origin=origin, now=now)
    joining.follow(resolved.merges)
    statements = list(_statements(heard, mentions, resolved))
    fresh = observe(statements)
    reported = list(_reported(heard, mentions, resolved))
    store_records(reported)
    times = [(s.machine_id, s.event.occurred_at) for s in fresh.values() if s.machine_id is not None]
    times += [(kept, now) for kept, _ in resolved.merges] + [(pk, now) for pk in resolved.moved]
    deciding.decide(
        _spans(times, resolved),
        origin=origin,
        now=now,
        fresh=fresh,
        reported=reported,
        moved=_moved(resolved),
    )
    return resolved.new


def _spans(times: Sequence[tuple[int, datetime]], resolved: Resolved) -> list[Span]:
    """What was heard of a machine; a machine that two became is looked at as a whole."""
    whole = {kept for kept, _ in resolved.merges}
    spans = spans_of(times)
    return [s if s.machine_id not in whole else joining.whole_span(s.machine_id, s) for s in spans]


def _moved(resolved: Resolved) -> dict[int, set[int]]:
    """Machines that are of another service by now, or that two became, with all services they were of."""
    moved = joining.services_of(resolved.merges)
    for pk, services in resolved.moved.items():
        moved.setdefault(pk, set()).update(services)
    return moved


_OF_THE_POD_ALONE: dict[str, str] = {}
"""A pod's namespace says nothing of the node it runs on, which others share."""


class Mention(msgspec.Struct, frozen=True, gc=False):
    """A machine as one message names it, and where in the batch that stands."""

    heard: int
    event: int | None
    """The event's place among its reading's statements; None where the message shows the machine without an event."""
    facts: MachineFacts


def _mentions(index: int, one: Heard) -> Iterator[Mention]:
    reading = one.reading
    for place, event in enumerate(reading.statements):
        labels = event.labels if "pod" not in event.labels else _OF_THE_POD_ALONE
        facts = _facts(event.machine, seen_at=event.occurred_at, labels=labels)
        yield Mention(index, place, facts)
    if reading.machine is not None:
        facts = _facts(
            reading.machine,
            seen_at=one.received_at,
            heartbeat_at=reading.heartbeat_at,
            labels={"service": reading.service} if reading.service else None,
        )
        yield Mention(index, None, facts)


def _facts(
    machine: MachineRef,
    *,
    seen_at: datetime,
    heartbeat_at: datetime | None = None,
    labels: dict[str, str] | None = None,
) -> MachineFacts:
    said = labels or {}
    return MachineFacts(
        seen_at=seen_at,
        provider=machine.provider,
        account=machine.account,
        region=machine.region,
        zone=machine.zone,
        instance_id=machine.instance_id,
        instance_type=machine.instance_type,
        node_name=machine.node_name,
        node_uid=machine.node_uid,
        node_claim=machine.node_claim,
        cluster=machine.cluster or said.get("cluster"),
        namespace=said.get("namespace"),
        node_pool=said.get("node_pool"),
        declared_service=said.get("service"),
        heartbeat_at=heartbeat_at,
    )


def _statements(
    heard: Sequence[Heard], mentions: Sequence[Mention], resolved: Resolved
) -> Iterator[Statement]:
    for mention, machine_id in zip(mentions, resolved.ids, strict=True):
        if mention.event is None:
            continue
        one = heard[mention.heard]
        yield Statement(
            feed_id=one.feed_id,
            origin=one.origin,
            delivery_pk=one.delivery_pk,
            received_at=one.received_at,
            event=one.reading.statements[mention.event],
            machine_id=machine_id,
            is_replay=one.reading.is_replay,
        )


def _reported(heard: Sequence[Heard], mentions: Sequence[Mention], resolved: Resolved) -> Iterator[Reported]:
    """The records of each node, with the machine that its message is about."""
    machines = {
        mention.heard: pk for mention, pk in zip(mentions, resolved.ids, strict=True) if pk is not None
    }
    for index, one in enumerate(heard):
        machine_id = machines.get(index)
        if machine_id is None:
            continue
        for place, fact in enumerate(one.reading.facts):
            yield Reported(
                feed_id=one.feed_id,
                origin=one.origin,
                report_id=(getattr(fact, "told_as", "") or f"{one.reading.delivery_id}:{place}")[:512],
                received_at=one.received_at,
                machine_id=machine_id,
                service_id=resolved.machines[machine_id].service_id,
                fact=fact,
            )
