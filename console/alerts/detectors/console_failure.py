"""The console itself fails: alerting stopped, work was set aside, a rule raised."""

from __future__ import annotations

from console.alerts.detecting import Condition, Detector, Kind, Subject, row
from console.alerts.models.words import Severity

STOPPED, RAISED, ASIDE = "stopped", "raised", "aside"

DETECTOR = Detector(
    name="console_failure",
    title="The console fails",
    about="A pipeline met too many errors and rests, a rule raised an error, or alerting set work aside: "
    "somebody may not be told of what they should be.",
    kind=Kind.EVENT,
    subject=Subject.CONSOLE,
    conditions=(
        Condition(STOPPED, "A pipeline stopped", row("page", "page", "page")),
        Condition(RAISED, "A rule raised an error", row("page", "page", "page")),
        Condition(ASIDE, "Work was set aside", row("ticket", "ticket", "ticket")),
    ),
    severity=Severity.ERROR,
    evaluations=1,
)
