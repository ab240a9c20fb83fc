"""State that reclaims cost: work since the last checkpoint, replicas that were not ready again. Seven days, one day.

M4 and M8 by service, from the rows that nodes report (`Work`, `Replica`); found through the reclaims of the window,
whose index bounds the search, and those that fell into none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from console.alerts.detecting import Asked
from console.lib.rows import fetch

WORK_WINDOW = timedelta(days=7)
REPLICA_WINDOW = timedelta(hours=24)

_RECORDS = """
recent AS (
    SELECT id, service_id FROM interruptions_interruption
    WHERE origin = ANY(%(origins)s) AND started_at > %(since)s - interval '1 day' AND started_at <= %(now)s
), told AS (
    SELECT recent.service_id, r.* FROM recent JOIN {table} r ON r.interruption_id = recent.id
    UNION ALL
    SELECT m.service_id, r.* FROM {table} r JOIN fleet_machine m ON m.id = r.machine_id
    WHERE r.interruption_id IS NULL AND r.at > %(since)s AND r.origin = ANY(%(origins)s)
)
"""
_WORK = f"""
WITH {_RECORDS.format(table="interruptions_work")}, job AS (
    SELECT service_id, job, sum(lost_seconds) AS lost, sum(useful_seconds + lost_seconds) AS total,
           sum(restart_seconds) AS restart
    FROM told WHERE at > %(since)s AND at <= %(now)s AND received_at <= %(known)s GROUP BY service_id, job
)
SELECT service_id, count(*), sum(lost), sum(total), sum(lost * lost), sum(lost * total), sum(total * total),
       sum(restart)
FROM job WHERE total > 0 GROUP BY service_id
"""  # noqa: S608 - names of this file
_REPLICAS = f"""
WITH {_RECORDS.format(table="interruptions_replica")}
SELECT service_id, last_write_at, CASE WHEN ready_at <= %(now)s THEN ready_at END
FROM told WHERE last_write_at > %(since)s AND last_write_at <= %(now)s
"""  # noqa: S608 - names of this file


@dataclass(frozen=True, slots=True)
class WorkRow:
    """The jobs of a service, as sums over them: all that the ratio and its interval need."""

    service_id: int
    jobs: int
    lost: float
    total: float
    """Useful and lost seconds."""
    lost_squared: float
    lost_by_total: float
    total_squared: float
    restart: float = 0.0

    @classmethod
    def of(cls, service_id: int, jobs: list[tuple[float, float]]) -> WorkRow:
        """From (useful, lost) seconds of each job."""
        pairs = [(lost, useful + lost) for useful, lost in jobs]
        return cls(
            service_id,
            len(pairs),
            sum(lost for lost, _ in pairs),
            sum(total for _, total in pairs),
            sum(lost * lost for lost, _ in pairs),
            sum(lost * total for lost, total in pairs),
            sum(total * total for _, total in pairs),
        )


@dataclass(frozen=True, slots=True)
class ReplicaRow:
    service_id: int
    last_write_at: datetime
    ready_at: datetime | None


def read_work(asked: Asked) -> list[WorkRow]:
    return [WorkRow(*row) for row in fetch(_WORK, _values(asked, WORK_WINDOW))]


def read_replicas(asked: Asked) -> list[ReplicaRow]:
    return [ReplicaRow(*row) for row in fetch(_REPLICAS, _values(asked, REPLICA_WINDOW))]


def _values(asked: Asked, window: timedelta) -> dict[str, object]:
    values = {"origins": list(asked.origins), "since": asked.since(window), "now": asked.now}
    return values | {"known": asked.known_at}
