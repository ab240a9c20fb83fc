"""How a service's group begins: its key, its first row, its members."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from console.alerts.models import AlertGroup
from console.alerts.reclaims import Reclaim
from console.alerts.severity import TABLE, Level
from console.fleet.models import Service
from console.lib.rows import columns_of, run
from console.runbooks.models import Execution

_ADD = """
INSERT INTO alerts_groupmember (group_id, interruption_id, joined_at, reason)
SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::timestamptz[], %s::text[]) ON CONFLICT DO NOTHING
"""


def service_key(service_id: int) -> str:
    """The key of the group that a service's reclaims join."""
    return f"service:{service_id}"


def new_group(
    service: Service, *, origin: str, execution: Execution | None, triggered_at: datetime, now: datetime
) -> AlertGroup:
    """An open group of a service's reclaims, not stored yet."""
    return AlertGroup(
        origin=origin,
        key=service_key(service.pk),
        service=service,
        team_id=service.team_id,
        execution=execution,
        title=f"Reclaims of {service.name}",
        severity=TABLE[service.criticality][Level.ENOUGH],
        triggered_at=triggered_at,
        last_news_at=now,
    )


def add_members(
    joined: Mapping[int, Sequence[Reclaim]], services: Mapping[int, Service], *, now: datetime
) -> None:
    """Members by group id, each with the reason that its page shows. Twice is harmless."""
    rows = [
        (group_id, reclaim.id, now, f"Reclaim of a machine of {services[reclaim.service_id].name}"[:200])
        for group_id, members in sorted(joined.items())
        for reclaim in members
    ]
    if rows:
        run(_ADD, columns_of(rows, ("bigint", "bigint", "timestamptz", "text")))
