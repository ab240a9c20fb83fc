"""Who is on call: pure over rotations, layers, overrides and `at`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class OnCall:
    """One person's turn. `until` is when somebody else takes over; null: not within the next 90 days."""

    rotation_id: int
    person_id: int
    since: datetime | None
    until: datetime | None
    why: str
    """`Layer 1, week of 2 Mar` or `Override by Alice: dentist`."""


def on_call_at(rotation_ids: Collection[int], *, at: datetime) -> dict[int, list[OnCall]]:
    """By rotation: who is on call at `at`, the first layer's person first. Empty: nobody is."""
    return {rotation_id: [] for rotation_id in rotation_ids}
