"""What one batch of the alert pipeline works on, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from console.alerts.models import AlertGroup


@dataclass(frozen=True, slots=True)
class Change:
    """An interruption is new or has changed (`interruptions.InterruptionChange`)."""

    id: int
    interruption_id: int
    is_new: bool
    is_replay: bool


@dataclass(frozen=True, slots=True)
class Due:
    """A group whose time has come."""

    id: int


@dataclass(frozen=True, slots=True)
class Found:
    """What a rule saw when it opened or changed its group: it goes into the receipt."""

    inputs: Mapping[str, Any] = field(default_factory=dict)
    windows: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Touched:
    """Groups that something happened to, and what: the input of the decision."""

    groups: list[AlertGroup] = field(default_factory=list)
    triggers: dict[int, str] = field(default_factory=dict)
    """By group id: what is decided on."""
    late_by: dict[int, float] = field(default_factory=dict)
    """By group id: seconds by which its reclaims were told too late, where they were."""
    found: dict[int, Found] = field(default_factory=dict)
    """By group id, of findings."""

    def add(self, other: Touched) -> None:
        """Let what else happened in the same batch be decided on with this."""
        again = {group.pk for group in other.groups}
        self.groups = [group for group in self.groups if group.pk not in again] + other.groups
        self.triggers |= other.triggers
        self.late_by |= other.late_by
        self.found |= other.found
