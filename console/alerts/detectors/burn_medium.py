"""A budget goes so fast that 5 % of it is gone within six hours (`metrics.md` section 3, rule medium)."""

from __future__ import annotations

from console.alerts.burning import conditions, detector_of
from console.alerts.models.words import Severity

DETECTOR = detector_of(
    "medium",
    title="Error budget burns steadily",
    about="Over six hours and over their last thirty minutes an objective's error budget burns at the limit or above, "
    "with enough failed requests in the six hours. Over when the thirty minutes burn below half of it.",
    severity=Severity.ERROR,
    conditions=conditions("The budget burns steadily"),
)
