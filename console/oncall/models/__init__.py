"""The rows of this room; each file holds one idea."""

from __future__ import annotations

from console.oncall.models.calendar_link import CalendarLink
from console.oncall.models.layer import Layer, LayerMember, TurnKind, Weekday
from console.oncall.models.note import HandOffNote
from console.oncall.models.override import Override, OverrideKind
from console.oncall.models.policy import (
    EscalationLevel,
    EscalationPolicy,
    LevelTarget,
    PolicyUse,
    TargetKind,
)
from console.oncall.models.rotation import Rotation
from console.oncall.models.swap import SwapRequest, SwapState

__all__ = [
    "CalendarLink",
    "EscalationLevel",
    "EscalationPolicy",
    "HandOffNote",
    "Layer",
    "LayerMember",
    "LevelTarget",
    "Override",
    "OverrideKind",
    "PolicyUse",
    "Rotation",
    "SwapRequest",
    "SwapState",
    "TargetKind",
    "TurnKind",
    "Weekday",
]
