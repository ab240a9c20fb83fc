"""The three tracks of one interruption: when each stage was first reached (`feeds.md` section 4).

A track's state is its highest stage seen and a stage keeps its earliest time, so a late message fills
in its own stage and moves nothing back. Withdrawals (`outcome` cancelled) reach no stage. An error is an
attempt: on the node track it reaches its stage and is remembered, of pods and capacity nothing came of it.

How it is read where there is room: a notice of something else than a reclaim (maintenance) is a witness
and no stage. `stopped` is the end unless the provider said it would terminate the machine. The hint's
own time is `at_risk_at`; what a person calls the start is the notice or proof that made it real.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from console.feeds.normalised import Action, Cause, Kind, Outcome
from console.interruptions.seen import (
    Seen,
    is_better_deadline,
    is_foreign_notice,
    is_hint,
    is_stop,
    notice_of,
    opens,
    order_of,
)

GRACE = timedelta(minutes=15)
"""How long past its deadline a machine's fate is left open; also what makes a message late."""


class KnownBy(StrEnum):
    NOTICE = "notice"
    AUDIT = "audit"
    """A proof without a notice."""
    VANISHED = "vanished"
    """Silence whose cause came later; said by whoever finds silent machines, never here."""


NODE_TRACK = {
    Kind.REBALANCE_RECOMMENDATION: "at_risk_at",
    Kind.INTERRUPTION_NOTICE: "notice_at",
    Kind.NODE_CORDONED: "cordoned_at",
    Kind.NODE_DRAIN_STARTED: "drain_started_at",
    Kind.SHUTDOWN_STARTED: "shutdown_started_at",
    Kind.SHUTDOWN_COMPLETED: "shutdown_completed_at",
    Kind.TERMINATED: "terminated_at",
}
"""Lowest stage first."""
PODS_TRACK = {
    Kind.POD_EVICTED: "evicted_at",
    Kind.POD_SCHEDULED: "scheduled_at",
    Kind.POD_RUNNING: "running_at",
}
CAPACITY_TRACK = {Kind.REPLACEMENT_LAUNCHED: "replacement_launched_at"}
_FIELDS = {**NODE_TRACK, **PODS_TRACK, **CAPACITY_TRACK}


class Stages(msgspec.Struct, frozen=True, kw_only=True):
    """What the members of one interruption say together. Depends on them alone, not on the clock."""

    is_real: bool
    known_by: KnownBy
    started_at: datetime
    """Of the notice or proof; of the hint while it is no more than that."""
    cause: Cause
    first_received_at: datetime
    last_received_at: datetime
    witness_count: int
    """Feeds that told of it."""
    observation_count: int
    due_deadline_at: datetime
    """The deadline stated, else start + the provider's notice."""
    action: Action | None = None
    deadline_at: datetime | None = None
    ended_at: datetime | None = None
    withdrawn_at: datetime | None = None
    """The withdrawal that is the node track's last word."""
    restarted_at: datetime | None = None
    boot_ids: frozenset[str] = frozenset()
    has_drain_error: bool = False
    is_low_confidence: bool = False

    at_risk_at: datetime | None = None
    notice_at: datetime | None = None
    cordoned_at: datetime | None = None
    drain_started_at: datetime | None = None
    shutdown_started_at: datetime | None = None
    shutdown_completed_at: datetime | None = None
    terminated_at: datetime | None = None
    evicted_at: datetime | None = None
    scheduled_at: datetime | None = None
    running_at: datetime | None = None
    replacement_launched_at: datetime | None = None

    @property
    def node(self) -> Kind | None:
        return self._highest(NODE_TRACK)

    @property
    def pods(self) -> Kind | None:
        return self._highest(PODS_TRACK)

    @property
    def capacity(self) -> Kind | None:
        return self._highest(CAPACITY_TRACK)

    @property
    def is_late(self) -> bool:
        """It was over, or past its deadline, 15 minutes before it was first heard of."""
        over_at = self.ended_at or self.due_deadline_at
        return self.is_real and over_at + GRACE < self.first_received_at

    def _highest(self, track: dict[Kind, str]) -> Kind | None:
        return next((kind for kind in reversed(track) if getattr(self, track[kind]) is not None), None)


def stage_times(
    members: Sequence[Seen],
    *,
    replacements: Iterable[Seen] = (),
    native_id: str | None = None,
    restarted_at: datetime | None = None,
    vanished_at: datetime | None = None,
) -> Stages:
    """The stages of an interruption from its members, in any order.

    `replacements` are statements about other machines that serve this interruption: launches, and pods
    that run again elsewhere. `native_id`, `restarted_at` and `vanished_at` are those of its `Reclaim`.
    """
    times: dict[str, datetime] = {}
    for seen in (*members, *replacements):
        _reach(times, seen)
    action = _action(members)
    off_at = min([m.occurred_at for m in members if is_stop(m)], default=None)
    if off_at is not None and action != Action.TERMINATE:
        times["terminated_at"] = min(times.get("terminated_at", off_at), off_at)
    ended_at = times.get("terminated_at")
    started_at, is_real = _start(members, ended_at)
    deadline_at = _deadline(members)
    received = [m.received_at for m in members]
    return Stages(
        is_real=is_real,
        known_by=KnownBy.AUDIT if is_real and "notice_at" not in times else KnownBy.NOTICE,
        started_at=started_at,
        cause=_cause(members),
        first_received_at=min(received),
        last_received_at=max(received),
        witness_count=len({m.feed_id for m in members}),
        observation_count=len(members),
        due_deadline_at=deadline_at or started_at + _notice(members),
        action=action,
        deadline_at=deadline_at,
        ended_at=ended_at,
        withdrawn_at=_withdrawal(members, native_id, vanished_at),
        restarted_at=restarted_at,
        boot_ids=frozenset([m.boot_id for m in members if m.boot_id]),
        has_drain_error=any(m.outcome == Outcome.ERROR and m.kind in NODE_TRACK for m in members),
        is_low_confidence=any(m.is_low_confidence for m in members),
        **times,
    )


def _reach(times: dict[str, datetime], seen: Seen) -> None:
    field = _FIELDS.get(seen.kind)
    if field is None or seen.outcome == Outcome.CANCELLED or is_foreign_notice(seen):
        return
    if seen.outcome == Outcome.ERROR and seen.kind not in NODE_TRACK:
        return
    known = times.get(field)
    if known is None or seen.occurred_at < known:
        times[field] = seen.occurred_at


def _start(members: Sequence[Seen], ended_at: datetime | None) -> tuple[datetime, bool]:
    """A proof may come moments after the end it proves: nothing starts after its end."""
    openings = [m for m in members if opens(m)]
    real = [m.occurred_at for m in openings if not is_hint(m)]
    if not real:
        return min(m.occurred_at for m in openings), False
    started_at = min(real)
    return (min(started_at, ended_at) if ended_at else started_at), True


def _action(members: Sequence[Seen]) -> Action | None:
    """The earliest stated by a notice or proof of the reclaim itself."""
    stated = [m for m in members if m.action and opens(m)]
    return min(stated, key=order_of).action if stated else None


def _deadline(members: Sequence[Seen]) -> datetime | None:
    best: Seen | None = None
    for seen in members:
        if seen.deadline_at is not None and is_better_deadline(seen, best):
            best = seen
    return best.deadline_at if best is not None else None


def _notice(members: Sequence[Seen]) -> timedelta:
    telling = [m for m in members if m.provider]
    return notice_of(min(telling, key=order_of).provider if telling else None)


_PRECEDENCE = {cause: place for place, cause in enumerate(Cause)}


def _cause(members: Sequence[Seen]) -> Cause:
    """The first of the precedence order that anyone states."""
    stated = [m.cause for m in members if m.cause]
    return min(stated, key=_PRECEDENCE.__getitem__) if stated else Cause.UNKNOWN


def _withdrawal(
    members: Sequence[Seen], native_id: str | None, vanished_at: datetime | None
) -> datetime | None:
    """When the reclaim was called off, unless the node track went on after that."""
    withdrawn = [m.occurred_at for m in members if _withdraws(m, native_id)]
    if vanished_at is not None:
        withdrawn.append(vanished_at)
    if not withdrawn:
        return None
    last = max(withdrawn)
    went_on = any(
        m.occurred_at > last
        for m in members
        if m.kind in NODE_TRACK and m.outcome != Outcome.CANCELLED and not is_foreign_notice(m)
    )
    return None if went_on else last


def _withdraws(seen: Seen, native_id: str | None) -> bool:
    """A cordon or drain undone, a shutdown cancelled, the notice itself gone; not a pod kept after all."""
    if seen.outcome != Outcome.CANCELLED or seen.kind not in NODE_TRACK:
        return False
    if is_foreign_notice(seen):
        return bool(seen.native_id) and seen.native_id == native_id
    return True
