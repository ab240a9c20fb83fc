"""A rotation as the arithmetic sees it: frozen, without a database. `loading.py` reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerPlan:
    """One version of a layer. `kind` is hourly, daily, weekly or monthly; a turn lasts `length` of them."""

    position: int
    title: str
    kind: str
    length: int
    zone: ZoneInfo
    starts_on: date
    handover_at: time
    people: tuple[int, ...]
    valid_from: datetime
    valid_until: datetime | None = None
    weekdays: frozenset[int] = frozenset()
    """0 is Monday; empty: every day."""
    hours: tuple[time, time] | None = None

    @property
    def is_one_person(self) -> bool:
        """Nobody takes turns: the layer is theirs in all its hours."""
        return len(set(self.people)) == 1


@dataclass(frozen=True, slots=True, kw_only=True)
class OverridePlan:
    """`person_id` is on call instead; of two the one with the greater `id` is newer and counts."""

    id: int
    person_id: int
    replaced_id: int | None
    """Only where this person would be on call; null: whoever would be, or nobody."""
    started_at: datetime
    ended_at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that decides who is on call in one rotation."""

    rotation_id: int
    layers: Sequence[LayerPlan] = ()
    overrides: Sequence[OverridePlan] = ()


@dataclass(frozen=True, slots=True)
class Shift:
    """One person on call in [started_at, ended_at)."""

    person_id: int
    started_at: datetime
    ended_at: datetime
    source: LayerPlan | OverridePlan
    """What says so."""
    turn_at: datetime
    """When the turn or override that it is cut from begins."""

    def holds(self, at: datetime) -> bool:
        return self.started_at <= at < self.ended_at

    def cut(self, started_at: datetime, ended_at: datetime) -> Shift:
        return Shift(self.person_id, started_at, ended_at, self.source, self.turn_at)

    @property
    def why(self) -> str:
        """`Primary, week of Mon 2 Mar`, in the rotation's own time; or `Override by Alice: dentist`."""
        if isinstance(self.source, OverridePlan):
            return self.source.why
        if self.source.is_one_person:
            return self.source.title
        clock = self.turn_at.astimezone(self.source.zone)
        day = f"{clock:%a} {clock.day} {clock:%b}"
        turn = f"turn of {day} {clock:%H:%M}"
        return (
            f"{self.source.title}, {turn if self.source.kind == 'hourly' else TURN[self.source.kind] + day}"
        )

    @property
    def override_id(self) -> int | None:
        return self.source.id if isinstance(self.source, OverridePlan) else None


TURN = {"daily": "day of ", "weekly": "week of ", "monthly": "month of "}


@dataclass(frozen=True, slots=True)
class Gap:
    """Nobody is on call in [started_at, ended_at)."""

    started_at: datetime
    ended_at: datetime
