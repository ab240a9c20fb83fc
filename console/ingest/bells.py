"""The bells of the two pipelines; they carry nothing, and a lost one costs a sweep of beat."""

from __future__ import annotations

from console.lib.bells import Bell

RECORD = Bell("console.ingest.tasks.record", queue="ingest")
ALERT = Bell("console.alerts.tasks.alert", queue="alerts", gap=0.25)
"""A batch of changes costs more than the changes in it: in a stream they are worth waiting for."""
REPLAY = Bell("console.ingest.tasks.replay", queue="reports")
