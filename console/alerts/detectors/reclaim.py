"""A reclaim, whatever becomes of it: it stands on the board, and wakes nobody by itself (`metrics.md` section 3)."""

from __future__ import annotations

from console.alerts.detecting import LOGS, Detector, Kind, one_condition
from console.alerts.models.words import Severity

DETECTOR = Detector(
    name="reclaim",
    title="Reclaims",
    about="Machines of a service are reclaimed, and no other rule finds anything the matter with it.",
    kind=Kind.EVENT,
    conditions=one_condition("A reclaim that is handled", LOGS),
    severity=Severity.INFO,
    evaluations=1,
)
