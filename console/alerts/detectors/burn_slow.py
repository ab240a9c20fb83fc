"""A budget will not last its period (`metrics.md` section 3, rule slow)."""

from __future__ import annotations

from console.alerts.burning import conditions, detector_of
from console.alerts.detecting import TICKETS
from console.alerts.models.words import Severity

DETECTOR = detector_of(
    "slow",
    title="Error budget will not last",
    about="Over three days and over their last six hours an objective's error budget burns at the limit or above: at "
    "that pace it does not last its 30 days. Over when the six hours burn below half of it.",
    severity=Severity.WARNING,
    conditions=conditions("The budget will not last", TICKETS),
    least_bad=1,
)
