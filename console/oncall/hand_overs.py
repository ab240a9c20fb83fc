"""Telling the open pages that somebody else is on call: time alone changes that, and no row does."""

from __future__ import annotations

from datetime import datetime, timedelta

from console.lib.live import announce
from console.oncall.models import Rotation
from console.oncall.schedule import OnCall, on_call_at

LOOKS_BACK = timedelta(seconds=45)
"""More than the time between two looks, so that a late one misses nothing; to be told twice is harmless."""


def announce_hand_overs(*, now: datetime) -> int:
    """How many rotations changed hands just now."""
    ids = list(Rotation.objects.in_use().values_list("pk", flat=True))
    before, after = on_call_at(ids, at=now - LOOKS_BACK), on_call_at(ids, at=now)
    changed = [pk for pk in ids if _who(before[pk]) != _who(after[pk])]
    if changed:
        announce("shifts")
    return len(changed)


def _who(turns: list[OnCall]) -> list[int]:
    return [turn.person_id for turn in turns]
