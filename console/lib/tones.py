"""How a word of state looks: its tone (a colour of the design system) and its icon.

Red means a person is needed now; amber that somebody has it, or that it is at risk; green only what
has healed; grey is suppressed or no data; blue is information or a drill; neutral is everything normal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Tone = Literal["danger", "warn", "ok", "info", "muted", "neutral"]


@dataclass(frozen=True)
class Look:
    tone: Tone
    icon: str


UNKNOWN = Look("muted", "circle-question-mark")

LOOKS: dict[str, Look] = {
    # Interruptions: a reclaim that goes as planned is normal, hence neutral.
    "at_risk": Look("warn", "triangle-alert"),
    "noticed": Look("neutral", "bell"),
    "cordoned": Look("neutral", "ban"),
    "draining": Look("neutral", "droplets"),
    "shutting_down": Look("neutral", "hourglass"),
    "shut_down": Look("neutral", "power-off"),
    "ended": Look("neutral", "power-off"),
    "presumed": Look("muted", "circle-dashed"),
    "cancelled": Look("muted", "undo-2"),
    "no_action": Look("muted", "circle-slash"),
    "rescheduled": Look("ok", "circle-check"),
    "overran": Look("danger", "timer-off"),
    # Shutdown hooks.
    "complete": Look("ok", "circle-check"),
    "partial": Look("warn", "triangle-alert"),
    "failed": Look("danger", "circle-x"),
    # Alert groups.
    "triggered": Look("danger", "bell-ring"),
    "acknowledged": Look("warn", "user-check"),
    "resolved": Look("ok", "circle-check"),
    "healed": Look("ok", "circle-check"),
    "unanswered": Look("danger", "siren"),
    "flapping": Look("warn", "repeat"),
    "silenced": Look("muted", "bell-off"),
    "suppressed": Look("muted", "bell-off"),
    "no_news": Look("muted", "circle-dashed"),
    # Planned quiet.
    "in_force": Look("muted", "bell-off"),
    "upcoming": Look("neutral", "calendar"),
    "over": Look("muted", "check"),
    "unsigned": Look("warn", "pencil"),
    "signed": Look("neutral", "user-check"),
    # What was decided about telling somebody.
    "page": Look("neutral", "bell-ring"),
    "ticket": Look("neutral", "list-checks"),
    "log": Look("neutral", "scroll-text"),
    "suppress": Look("muted", "bell-off"),
    # Escalations, and what became of a message.
    "running": Look("danger", "bell-ring"),
    "with_wave": Look("muted", "bell-off"),
    "exhausted": Look("danger", "siren"),
    "queued": Look("neutral", "hourglass"),
    "sending": Look("neutral", "hourglass"),
    "handed_over": Look("neutral", "check"),
    "delivered": Look("neutral", "check"),
    "unknown": Look("warn", "circle-question-mark"),
    "called_off": Look("muted", "ban"),
    "not_sent": Look("muted", "ban"),
    # Tickets.
    "in_progress": Look("warn", "user-check"),
    "wont_do": Look("muted", "ban"),
    "overdue": Look("danger", "clock"),
    # What was decided about a group, and what became of a stage.
    "ok": Look("neutral", "check"),
    # Rules.
    "firing": Look("danger", "bell-ring"),
    "cooling": Look("muted", "hourglass"),
    "draft": Look("info", "pencil"),
    # Replays of drafts, and what a draft makes of an episode.
    "replaying": Look("info", "repeat"),
    "gone": Look("neutral", "minus"),
    "hidden": Look("muted", "bell-off"),
    "quieter": Look("neutral", "arrow-down-to-line"),
    "new": Look("neutral", "plus"),
    "louder": Look("neutral", "arrow-up-to-line"),
    "earlier": Look("neutral", "chevron-left"),
    "delayed_by_draft": Look("neutral", "chevron-right"),
    "same": Look("muted", "check"),
    "missed": Look("warn", "triangle-alert"),
    # Severities.
    "critical": Look("danger", "octagon-alert"),
    "error": Look("danger", "circle-alert"),
    "warning": Look("warn", "triangle-alert"),
    "info": Look("info", "info"),
    # What became of a message.
    "lost": Look("warn", "circle-question-mark"),
    "unfinished": Look("info", "loader-circle"),
    # Health of feeds, the canary and services.
    "healthy": Look("neutral", "circle-check"),
    "quiet": Look("muted", "moon"),
    "silent": Look("danger", "wifi-off"),
    "paused": Look("warn", "pause"),
    "waiting": Look("muted", "hourglass"),
    "late": Look("warn", "clock"),
    "delayed": Look("warn", "clock"),
    "heard": Look("ok", "radio"),
    "in_time": Look("ok", "radio"),
    "excused": Look("muted", "moon"),
    "degraded": Look("warn", "triangle-alert"),
    "deaf": Look("danger", "wifi-off"),
    "down": Look("danger", "circle-x"),
    "disabled": Look("muted", "circle-slash"),
    "pending": Look("muted", "circle-dashed"),
    "not_reported": Look("muted", "circle-dashed"),
    # Checklists, quarantine, drills.
    "open": Look("neutral", "circle-dashed"),
    "done": Look("ok", "check"),
    "skipped": Look("muted", "skip-forward"),
    "accepted": Look("neutral", "check"),
    "ignored": Look("muted", "minus"),
    "unrecognised": Look("muted", "circle-question-mark"),
    "held": Look("warn", "archive-x"),
    "replayed": Look("neutral", "repeat"),
    "discarded": Look("muted", "trash-2"),
    "drill": Look("info", "flask-conical"),
    "test": Look("info", "flask-conical"),
    "sample": Look("info", "flask-conical"),
}


def look_of(state: object) -> Look:
    """The look of a state word; a word without one is shown grey with a question mark, never green."""
    return LOOKS.get(str(state), UNKNOWN)
