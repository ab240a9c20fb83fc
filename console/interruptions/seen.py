"""One observation as `partition` sees it, and the questions asked of it alone.

Pure data without a database: recording builds these from rows. Text that is not said may be None or
empty. Nothing here looks at the order of arrival (`id`, `received_at`) except to choose among copies
that are equal in all else.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from console.feeds.normalised import Action, Cause, Kind, Outcome

EARLY = timedelta(minutes=15)
"""How long before an interruption's start an observation may lie."""
LATE = timedelta(minutes=60)
"""How long after its close."""
SAME_DEADLINE = timedelta(minutes=10)
HINT = timedelta(hours=24)
"""How long a rebalance recommendation keeps its machine at risk."""
PROMOTION = timedelta(days=7)
"""How long after it a notice or proof still belongs to that recommendation."""

STOPPED = frozenset({"stopped", "deallocated", "suspended"})
"""Machine states, as parsers write them, in which the machine is off but may come back."""

_NOTICE = {"gcp": timedelta(seconds=30), "azure": timedelta(seconds=30)}
_DEFAULT_NOTICE = timedelta(seconds=120)

STAGE_RANK: dict[str, int] = {
    Kind.REBALANCE_RECOMMENDATION: 1,
    Kind.INTERRUPTION_NOTICE: 2,
    Kind.NODE_CORDONED: 3,
    Kind.NODE_DRAIN_STARTED: 4,
    Kind.POD_EVICTED: 5,
    Kind.SHUTDOWN_STARTED: 6,
    Kind.SHUTDOWN_COMPLETED: 7,
    Kind.POD_SCHEDULED: 8,
    Kind.POD_RUNNING: 9,
    Kind.TERMINATED: 10,
    Kind.STATE_CHANGE: 11,
    Kind.REPLACEMENT_LAUNCHED: 12,
    Kind.HEARTBEAT: 13,
}
"""Order within one instant. A restart comes first of all: it cuts only what lies truly before it."""

_ARRIVALS = frozenset({Kind.REPLACEMENT_LAUNCHED, Kind.HEARTBEAT})
_POD_ARRIVALS = frozenset({Kind.POD_SCHEDULED, Kind.POD_RUNNING})


class Seen(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One statement about the machine whose interruptions are sought."""

    id: int
    feed_id: int
    event_id: str
    kind: Kind
    occurred_at: datetime
    received_at: datetime
    machine_named: str = ""
    """The machine's identifier as the message gives it."""
    source: str = ""
    provider: str | None = None
    deadline_at: datetime | None = None
    outcome: Outcome = Outcome.OK
    cause: Cause | None = None
    action: Action | None = None
    state: str | None = None
    native_id: str | None = None
    boot_id: str | None = None
    node_uid: str | None = None
    may_open: bool = False
    is_precise_deadline: bool = False
    is_restart: bool = False
    is_observed: bool = False
    is_low_confidence: bool = False
    listed: tuple[str, ...] | None = None
    """What the machine's own metadata listed (`vanishing`)."""
    incarnation: int | None = None

    @property
    def identity(self) -> str:
        """What the observation is called in `opened_by`."""
        return f"{self.feed_id}:{self.event_id}:{self.machine_named}"


def opens(seen: Seen) -> bool:
    """It may start an interruption. A withdrawal never does, whatever it withdraws."""
    return seen.may_open and seen.outcome != Outcome.CANCELLED


def is_hint(seen: Seen) -> bool:
    return seen.kind == Kind.REBALANCE_RECOMMENDATION


def is_stop(seen: Seen) -> bool:
    return seen.kind == Kind.STATE_CHANGE and seen.state in STOPPED


def is_end(seen: Seen) -> bool:
    return seen.kind == Kind.TERMINATED and seen.outcome != Outcome.CANCELLED


def is_arrival(seen: Seen) -> bool:
    """It tells of something new on the machine: a launch, or a pod the scheduler put there.

    That serves another machine's interruption (`feeds.md` section 4, replacements), never this one's.
    """
    return seen.kind in _ARRIVALS or (seen.kind in _POD_ARRIVALS and seen.source == "k8s.event")


def is_foreign_notice(seen: Seen) -> bool:
    """A notice of something else than a reclaim: maintenance, or an end the customer asked for.

    It may witness a reclaim but lends it neither a time nor a deadline nor its own native id.
    """
    return seen.kind == Kind.INTERRUPTION_NOTICE and not seen.may_open


def lends_native_id(seen: Seen) -> bool:
    """Its native id is the reclaim's. A customer's stop and a reboot for maintenance have ids of their own."""
    if seen.may_open:
        return True
    is_of_another = seen.cause in (Cause.MAINTENANCE, Cause.CUSTOMER)
    return not is_of_another and seen.kind != Kind.STATE_CHANGE and not is_foreign_notice(seen)


def is_better_deadline(new: Seen, old: Seen | None) -> bool:
    """Stated by the machine's own metadata before derived; among equals the earlier."""
    if new.deadline_at is None or is_foreign_notice(new):
        return False
    if old is None or old.deadline_at is None:
        return True
    if new.is_precise_deadline != old.is_precise_deadline:
        return new.is_precise_deadline
    return new.deadline_at < old.deadline_at


def notice_of(provider: str | None) -> timedelta:
    """The notice a provider promises where a message states no deadline."""
    return _NOTICE.get(provider or "", _DEFAULT_NOTICE)


def in_order(observations: list[Seen]) -> tuple[list[Seen], list[tuple[Seen, Seen]]]:
    """Sorted by time, stage and event id, repeats taken out as pairs (copy, what it repeats).

    A repeat is an event id the machine already holds for that feed.
    """
    if len(observations) == 1:
        return observations, []
    ordered = sorted(observations, key=order_of)
    if len({(seen.feed_id, seen.event_id) for seen in ordered}) == len(ordered):
        return ordered, []
    ordered.sort(key=_order_among_copies)
    kept: dict[tuple[int, str], Seen] = {}
    copies = []
    for seen in ordered:
        first = kept.setdefault((seen.feed_id, seen.event_id), seen)
        if first is not seen:
            copies.append((seen, first))
    return list(kept.values()), copies


def order_of(seen: Seen) -> tuple[datetime, int, str, int]:
    """The order of all observations of one machine. The feed settles what two witnesses call the same."""
    rank = 0 if seen.is_restart else STAGE_RANK[seen.kind]
    return seen.occurred_at, rank, seen.event_id, seen.feed_id


def _order_among_copies(seen: Seen) -> tuple[object, ...]:
    """`order_of`, then content, so that not even differing copies depend on arrival."""
    content = [repr(getattr(seen, name)) for name in seen.__struct_fields__ if name not in _ARRIVAL_FIELDS]
    return *order_of(seen), content, seen.received_at, seen.id


_ARRIVAL_FIELDS = ("id", "received_at")
