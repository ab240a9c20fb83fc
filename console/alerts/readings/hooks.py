"""Shutdown hooks of the last day, each held against the window that its machine had."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from console.alerts.detecting import Asked
from console.lib.rows import fetch

WINDOW = timedelta(hours=24)

_HOOKS = """
SELECT coalesce(i.service_id, m.service_id), h.outcome, extract(epoch FROM h.finished_at - h.started_at)::float8,
       extract(epoch FROM CASE
           WHEN i.deadline_at > i.notice_at THEN i.deadline_at - i.notice_at
           WHEN m.provider IN ('gcp', 'azure') THEN interval '30 seconds' ELSE interval '120 seconds' END)::float8
FROM interruptions_hook h JOIN fleet_machine m ON m.id = h.machine_id
LEFT JOIN interruptions_interruption i ON i.id = h.interruption_id
WHERE h.origin = ANY(%s) AND h.at > %s AND h.at <= %s AND h.received_at <= %s AND NOT h.is_inferred
"""


@dataclass(frozen=True, slots=True)
class HookRow:
    service_id: int
    outcome: str
    took: float | None
    """Seconds; None where an end was not reported."""
    window: float
    """Seconds from notice to deadline: what the provider promised, or its usual notice."""

    @property
    def share(self) -> float | None:
        """Of the window, how much was used."""
        return self.took / self.window if self.took is not None and self.window else None


def read_hooks(asked: Asked) -> list[HookRow]:
    values = [list(asked.origins), asked.since(WINDOW), asked.now, asked.known_at]
    return [HookRow(*row) for row in fetch(_HOOKS, values)]
