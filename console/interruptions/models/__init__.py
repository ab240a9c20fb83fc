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
from console.interruptions.models.rollup import (
    AssumedEnd,
    BunchPair,
    BunchPiece,
    DirtyHours,
    LatencyHour,
    MachineDay,
    MeasureDay,
    MeasureHour,
    RateTarget,
    ReportingService,
    RollupState,
)
from console.interruptions.models.rollup_records import JobHour, RecoveryHour, Signal, StreamHour
from console.interruptions.models.rollup_warnings import HintHour, NoticeHour, WitnessHour
from console.interruptions.models.stray import StrayMachine
from console.interruptions.models.words import HINT_STATES, OPEN_STATES, KnownBy, State

__all__ = [
    "HINT_STATES",
    "OPEN_STATES",
    "AssumedEnd",
    "BunchPair",
    "BunchPiece",
    "DirtyHours",
    "Episode",
    "HintHour",
    "Hook",
    "HookOutcome",
    "Interruption",
    "InterruptionAlias",
    "InterruptionChange",
    "JobHour",
    "KnownBy",
    "LatencyHour",
    "LogLine",
    "MachineDay",
    "MeasureDay",
    "MeasureHour",
    "Move",
    "NoticeHour",
    "Observation",
    "ObservationKey",
    "RateTarget",
    "RecoveryHour",
    "Replica",
    "ReportingService",
    "RollupState",
    "Sample",
    "Signal",
    "State",
    "StrayMachine",
    "StreamHour",
    "Volume",
    "WitnessHour",
    "Work",
]
