"""The rows of this room; each file holds one idea."""

from __future__ import annotations

from console.oncall.models.policy import (
    EscalationLevel,
    EscalationPolicy,
    LevelTarget,
    PolicyUse,
    TargetKind,
)
from console.oncall.models.rotation import Rotation

__all__ = [
    "EscalationLevel",
    "EscalationPolicy",
    "LevelTarget",
    "PolicyUse",
    "Rotation",
    "TargetKind",
]
