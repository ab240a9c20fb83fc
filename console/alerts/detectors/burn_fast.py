"""A budget goes so fast that 2 % of it is gone within the hour (`metrics.md` section 3, rule fast)."""

from __future__ import annotations

from console.alerts.burning import conditions, detector_of
from console.alerts.models.words import Severity

DETECTOR = detector_of(
    "fast",
    title="Error budget burns fast",
    about="Over an hour and over its last five minutes an objective's error budget burns at the limit or above, with "
    "enough failed requests in the hour. Over when the five minutes burn below half of it.",
    severity=Severity.CRITICAL,
    conditions=conditions("The budget burns fast"),
)
