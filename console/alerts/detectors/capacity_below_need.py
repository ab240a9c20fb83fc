"""Capacity below need: reclaims left a service with fewer replicas than it needs (`metrics.md` section 3)."""

from __future__ import annotations

from console.alerts.detecting import Detector, Kind, one_condition, row
from console.alerts.models.words import Severity

DETECTOR = Detector(
    name="capacity_below_need",
    title="Capacity below need",
    about="While machines of a service are being reclaimed its clusters report fewer ready replicas than it needs. "
    "Looked at when a reclaim changes and when a cluster reports; a service that says no need is never below it.",
    kind=Kind.EVENT,
    conditions=one_condition("Fewer replicas than needed", row("page", "page", "ticket")),
    severity=Severity.CRITICAL,
    evaluations=1,
    is_replayable=False,
)
