"""Hooks of one service fail again and again: what the next reclaim will do is known already."""

from __future__ import annotations

from console.alerts.detecting import Detector, Threshold, one_condition
from console.alerts.readings.hooks import read_hooks
from console.alerts.readings.outcomes import outcomes_judge

DETECTOR = Detector(
    name="failed_hooks",
    title="Failed hooks",
    about="Shutdown hooks of one service failed again and again within 24 h.",
    thresholds=(
        Threshold("least", "At least", 3, "hooks in 24 h", least=1, most=1e6, is_whole=True),
        Threshold("share", "Share of hooks", 0.1, "share", least=0, most=1),
    ),
    conditions=one_condition("Hooks fail repeatedly"),
    read=read_hooks,
    judge=outcomes_judge("failed", verb="failed", title="Shutdown hooks of {name} fail"),
)
