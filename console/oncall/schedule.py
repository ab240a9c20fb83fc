"""Who is on call: pure over rotations, layers, overrides and `at`.

Two queries, however many rotations are asked for. `timeline.py` is the arithmetic, `docs/on-call.md` its rules.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from console.oncall import timeline
from console.oncall.loading import plans_of
from console.oncall.plan import Gap, Plan, Shift

HORIZON = timedelta(days=90)
REACHES = (timedelta(hours=26), timedelta(days=8), timedelta(days=34), HORIZON)
"""How far to look both ways for the ends of a shift: days end within the first, weeks within the second."""


@dataclass(frozen=True, slots=True)
class OnCall:
    """One person's turn. `until` is when somebody else takes over; null: not within the next 90 days."""

    rotation_id: int
    person_id: int
    since: datetime | None
    until: datetime | None
    why: str
    """`Layer 1, week of 2 Mar` or `Override by Alice: dentist`."""
    override_id: int | None = None


@dataclass(frozen=True, slots=True)
class Next:
    """Who comes after whoever is on call, or after the gap, and when."""

    person_id: int
    at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Roster:
    """A rotation at one moment: whose turn it is (none: nobody's), and the next shift after it."""

    rotation_id: int
    now: OnCall | None
    next: Next | None

    @property
    def hand_over_at(self) -> datetime | None:
        """When it changes next; null: not within the next 90 days."""
        return self.now.until if self.now else self.next.at if self.next else None


def on_call_at(rotation_ids: Collection[int], *, at: datetime) -> dict[int, list[OnCall]]:
    """By rotation: who is on call at `at`, the first layer's person first. Empty: nobody is."""
    return {pk: [roster.now] if roster.now else [] for pk, roster in rosters(rotation_ids, at=at).items()}


def rosters(rotation_ids: Collection[int], *, at: datetime) -> dict[int, Roster]:
    """By rotation: who is on call now and who is next."""
    plans = plans_of(rotation_ids, since=at - HORIZON, until=at + HORIZON)
    return {pk: roster(plan, at=at) for pk, plan in plans.items()}


def shifts(rotation_ids: Collection[int], *, since: datetime, until: datetime) -> dict[int, list[Shift]]:
    """By rotation: half-open shifts in order, cut to [since, until), a person's turns in a row as one."""
    plans = plans_of(rotation_ids, since=since, until=until)
    return {pk: timeline.shifts_of(plan, since, until) for pk, plan in plans.items()}


def gaps(rotation_ids: Collection[int], *, since: datetime, until: datetime) -> dict[int, list[Gap]]:
    """By rotation: when nobody is on call."""
    plans = plans_of(rotation_ids, since=since, until=until)
    return {pk: timeline.gaps_of(plan, since, until) for pk, plan in plans.items()}


def roster(plan: Plan, *, at: datetime) -> Roster:
    """Looks further and further until both ends of the shift, and who comes after, are seen."""
    for reach in REACHES:
        found = _look(plan, at=at, reach=reach)
        if found.is_complete:
            break
    return Roster(plan.rotation_id, found.on_call(plan.rotation_id), found.coming())


@dataclass(frozen=True, slots=True)
class _Look:
    """What is seen of a rotation from one moment, so far both ways. Null: not in sight."""

    reach: timedelta
    at: datetime
    piece: Shift | None
    """The turn or override that counts at this moment …"""
    shift: Shift | None
    """… and the shift that it is a part of."""
    after: Shift | None

    @property
    def since(self) -> datetime | None:
        return self.shift.started_at if self.shift and self.shift.started_at > self.at - self.reach else None

    @property
    def is_complete(self) -> bool:
        return self.after is not None and (self.shift is None or self.since is not None)

    def on_call(self, rotation_id: int) -> OnCall | None:
        if self.shift is None or self.piece is None:
            return None
        until = self.shift.ended_at if self.shift.ended_at < self.at + self.reach else None
        piece = self.piece
        return OnCall(rotation_id, piece.person_id, self.since, until, piece.why, piece.override_id)

    def coming(self) -> Next | None:
        return Next(self.after.person_id, self.after.started_at, self.after.why) if self.after else None


def _look(plan: Plan, *, at: datetime, reach: timedelta) -> _Look:
    found = timeline.pieces_of(plan, at - reach, at + reach)
    whole = timeline.merged(found)
    return _Look(
        reach=reach,
        at=at,
        piece=next((piece for piece in found if piece.holds(at)), None),
        shift=next((shift for shift in whole if shift.holds(at)), None),
        after=next((shift for shift in whole if shift.started_at > at), None),
    )
