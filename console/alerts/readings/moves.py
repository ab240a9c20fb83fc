"""Workloads that left a reclaimed machine in the last day, and whether they ran again by `now`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from console.alerts.detecting import Asked
from console.lib.rows import fetch

WINDOW = timedelta(hours=24)

_MOVES = """
SELECT coalesce(i.service_id, m.service_id), v.workload_class, v.workload,
       least(v.evicted_at, i.drain_started_at, i.ended_at),
       CASE WHEN v.running_at <= %(now)s THEN v.running_at END
FROM interruptions_move v JOIN fleet_machine m ON m.id = v.machine_id
LEFT JOIN interruptions_interruption i ON i.id = v.interruption_id
WHERE v.origin = ANY(%(origins)s) AND v.evicted_at > %(since)s AND v.evicted_at <= %(now)s
"""


@dataclass(frozen=True, slots=True)
class MoveRow:
    service_id: int
    workload_class: str
    workload: str
    evicted_at: datetime
    running_at: datetime | None

    @property
    def seconds(self) -> float | None:
        """None: still pending. Clocks that disagree make it 0, never less."""
        return (
            None if self.running_at is None else max(0.0, (self.running_at - self.evicted_at).total_seconds())
        )

    def age(self, *, now: datetime) -> float:
        return max(0.0, (now - self.evicted_at).total_seconds())


def read_moves(asked: Asked) -> list[MoveRow]:
    values = {"origins": list(asked.origins), "since": asked.since(WINDOW), "now": asked.now}
    return [MoveRow(*row) for row in fetch(_MOVES, values)]
