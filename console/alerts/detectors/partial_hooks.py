"""F4: hooks that were cut short, so that some state was left behind (`metrics.md` F4)."""

from __future__ import annotations

from console.alerts.detecting import Detector, Threshold, one_condition
from console.alerts.readings.hooks import read_hooks
from console.alerts.readings.outcomes import outcomes_judge

DETECTOR = Detector(
    name="partial_hooks",
    title="Partial shutdowns",
    about="Hooks of one service were cut short again and again within 24 h: part of the state was left behind (F4).",
    thresholds=(
        Threshold("least", "At least", 3, "hooks in 24 h", least=1, most=1e6, is_whole=True),
        Threshold("share", "Share of hooks", 0.1, "share", least=0, most=1),
    ),
    conditions=one_condition("Hooks are cut short"),
    read=read_hooks,
    judge=outcomes_judge("partial", verb="were cut short", title="Shutdowns of {name} are cut short"),
)
