"""Who is woken when something waits: the row is the work, the bell only says so."""

from __future__ import annotations

from console.lib.bells import Bell

RECORD = Bell("console.ingest.tasks.record", queue="ingest")
ALERT = Bell("console.alerts.tasks.alert", queue="alerts")
REPLAY = Bell("console.ingest.tasks.replay", queue="reports")
