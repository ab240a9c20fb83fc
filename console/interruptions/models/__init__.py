"""The rows of this room; each file holds one idea."""

from __future__ import annotations

from console.interruptions.models.interruption import (
    Episode,
    Interruption,
    InterruptionAlias,
    InterruptionChange,
)
from console.interruptions.models.observation import Observation, ObservationKey
from console.interruptions.models.records import (
    Hook,
    HookOutcome,
    LogLine,
    Move,
    Replica,
    Sample,
    Volume,
    Work,
)
from console.interruptions.models.words import HINT_STATES, OPEN_STATES, KnownBy, State

__all__ = [
    "HINT_STATES",
    "OPEN_STATES",
    "Episode",
    "Hook",
    "HookOutcome",
    "Interruption",
    "InterruptionAlias",
    "InterruptionChange",
    "KnownBy",
    "LogLine",
    "Move",
    "Observation",
    "ObservationKey",
    "Replica",
    "Sample",
    "State",
    "Volume",
    "Work",
]
