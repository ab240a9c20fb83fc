"""Where an interruption stands at a given moment: what its stages say, and what time alone decides.

How it is read where there is room: a sign of life counts as evidence that a machine outlived its deadline
from `OVERRUN` after it on, for a machine may overrun by some seconds and still go; not if the machine has
restarted since, nor from another boot, for that is another life. A withdrawal counts at once. Where the
provider's feed does not tell of the end, an inventory that says when the machine stopped running does. A machine
that restarted without anyone telling of its end did end: presumed at the deadline, or at the restart if
that came sooner. Stages reached by a hint (a drain on a recommendation) leave it a hint.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from console.feeds.normalised import Kind
from console.interruptions.seen import HINT
from console.interruptions.tracks import GRACE, Stages

OVERRUN = timedelta(minutes=2)


class State(StrEnum):
    """The highest stage of the node track, or how it closed."""

    AT_RISK = "at_risk"
    NOTICED = "noticed"
    CORDONED = "cordoned"
    DRAINING = "draining"
    SHUTTING_DOWN = "shutting_down"
    SHUT_DOWN = "shut_down"
    ENDED = "ended"
    PRESUMED = "presumed"
    CANCELLED = "cancelled"
    NO_ACTION = "no_action"


_OPEN_STATES = {
    Kind.NODE_CORDONED: State.CORDONED,
    Kind.NODE_DRAIN_STARTED: State.DRAINING,
    Kind.SHUTDOWN_STARTED: State.SHUTTING_DOWN,
    Kind.SHUTDOWN_COMPLETED: State.SHUT_DOWN,
}


class Resolution(msgspec.Struct, frozen=True, kw_only=True):
    state: State
    ended_at: datetime | None = None
    next_due_at: datetime | None = None
    """When time alone may change the state; None when it cannot."""


def resolve(
    stages: Stages,
    *,
    now: datetime,
    alive_at: datetime | None = None,
    alive_boot_id: str | None = None,
    stopped_at: Sequence[datetime] = (),
) -> Resolution:
    """The state at `now`.

    `alive_at` is the machine's latest sign of life (heartbeat, inventory); `stopped_at` is when it stopped
    running, as its inventory has it, once for each time it ran.
    """
    if not stages.is_real:
        return _hint(stages, now=now)
    if stages.ended_at is not None:
        return Resolution(state=State.ENDED, ended_at=stages.ended_at)
    if stages.withdrawn_at is not None:
        return Resolution(state=State.CANCELLED)
    if (gone_at := _listed_end(stages, stopped_at=stopped_at, now=now)) is not None:
        return Resolution(state=State.ENDED, ended_at=gone_at)
    deadline_at = stages.due_deadline_at
    if stages.restarted_at is not None:
        return Resolution(state=State.PRESUMED, ended_at=min(deadline_at, stages.restarted_at))
    if now < deadline_at + GRACE:
        return Resolution(state=_open_state(stages), next_due_at=deadline_at + GRACE)
    if _outlived(stages, alive_at=alive_at, alive_boot_id=alive_boot_id):
        return Resolution(state=State.CANCELLED)
    return Resolution(state=State.PRESUMED, ended_at=deadline_at)


def _hint(stages: Stages, *, now: datetime) -> Resolution:
    """A recommendation ends without action when the machine ends by itself, or after a day."""
    expires_at = stages.started_at + HINT
    if stages.ended_at is not None:
        return Resolution(state=State.NO_ACTION, ended_at=min(stages.ended_at, expires_at))
    if now < expires_at:
        return Resolution(state=State.AT_RISK, next_due_at=expires_at)
    return Resolution(state=State.NO_ACTION, ended_at=expires_at)


def _open_state(stages: Stages) -> State:
    return _OPEN_STATES.get(stages.node or Kind.INTERRUPTION_NOTICE, State.NOTICED)


def _listed_end(stages: Stages, *, stopped_at: Sequence[datetime], now: datetime) -> datetime | None:
    """The first time it stopped running between the start and the end of the grace."""
    until = min(now, stages.due_deadline_at + GRACE)
    return min((at for at in stopped_at if stages.started_at <= at <= until), default=None)


def _outlived(stages: Stages, *, alive_at: datetime | None, alive_boot_id: str | None) -> bool:
    if alive_at is None or alive_at <= stages.due_deadline_at + OVERRUN:
        return False
    is_other_boot = alive_boot_id and stages.boot_ids and alive_boot_id not in stages.boot_ids
    return not is_other_boot
