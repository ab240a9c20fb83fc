"""The bell of what is due at once; it carries nothing, and a lost one costs a sweep of beat."""

from __future__ import annotations

from console.lib.bells import Bell

ESCALATE = Bell("console.alerts.tasks.alert", queue="alerts")
