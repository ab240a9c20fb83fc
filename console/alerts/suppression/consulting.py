"""Which suppressions apply to a group at a moment, and whether they may hide it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from console.alerts.models import AlertGroup


@dataclass(frozen=True, slots=True)
class Consulted:
    """What was looked at for one group; it goes into the receipt whole."""

    suppressed_by: int | None = None
    """The suppression that hides it; null: nothing does."""
    until: datetime | None = None
    """When it is decided on again because that suppression ends."""
    words: str = ""
    """`Maintenance "Upgrade of EKS" by Alice until 14:00 UTC`."""
    consulted: Sequence[dict[str, object]] = field(default_factory=tuple)
    """Each suppression in force: its id, name, whether it matched, and why it did or did not hide."""


def consult(groups: Collection[AlertGroup], *, now: datetime) -> dict[int, Consulted]:
    """By group id, for every group given. A constant number of queries."""
    return {group.pk: Consulted() for group in groups}
