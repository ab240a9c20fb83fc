"""How a service's group begins: its key, its first row, its members."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from console.alerts.models import AlertGroup
from console.alerts.reclaims import Reclaim
from console.alerts.severity import TABLE, Level
from console.fleet.models import Service
from console.lib.rows import columns_of, fetch, run
from console.runbooks.models import Execution

_ADD = """
INSERT INTO alerts_groupmember (group_id, interruption_id, joined_at, reason, placed_by_id)
SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::timestamptz[], %s::text[], %s::bigint[]) ON CONFLICT DO NOTHING
"""

_LED = """
SELECT DISTINCT ON (g.origin, g.key) g.origin, g.key, g.id, g.merged_into_id, r.id
FROM unnest(%s::text[], %s::text[]) AS wanted (origin, key)
JOIN alerts_alertgroup g ON g.origin = wanted.origin AND g.key = wanted.key AND g.merged_into_id IS NOT NULL
JOIN alerts_alertgroup t ON t.id = g.merged_into_id AND t.status <> 'resolved'
JOIN alerts_regrouping r ON r.source_id = g.id AND r.act = 'merge' AND r.taken_back_at IS NULL
WHERE NOT EXISTS (SELECT FROM alerts_alertgroup o
                  WHERE o.origin = g.origin AND o.key = g.key AND o.status <> 'resolved')
ORDER BY g.origin, g.key, g.id DESC, r.id DESC
"""
GroupKey = tuple[str, str]
"""Origin and key."""


@dataclass(frozen=True, slots=True)
class Led:
    """What a key leads to while the group that its newest one was merged into is open."""

    source_id: int
    target_id: int
    regrouping_id: int


def led_elsewhere(keys: Iterable[GroupKey]) -> dict[GroupKey, Led]:
    """Those of these keys that have no open group of their own, and lead to another's."""
    wanted = sorted(keys)
    rows = fetch(_LED, columns_of(wanted, ("text", "text"))) if wanted else []
    return {(origin, key): Led(*found) for origin, key, *found in rows}


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
    joined: Mapping[int, Sequence[Reclaim]],
    services: Mapping[int, Service],
    *,
    now: datetime,
    led: Mapping[GroupKey, Led] = MappingProxyType({}),
) -> None:
    """Members by group id, each with the reason that its page shows. Twice is harmless.

    `led`: the keys whose groups were merged into others; what joins these stays there.
    """
    rows = []
    for group_id, members in sorted(joined.items()):
        for reclaim in members:
            reason = f"Reclaim of a machine of {services[reclaim.service_id].name}"
            merged = led.get((reclaim.origin, service_key(reclaim.service_id)))
            if merged is not None:
                reason += f", whose group #{merged.source_id} was merged into this one"
            placed_by = merged.regrouping_id if merged is not None else None
            rows.append((group_id, reclaim.id, now, reason[:200], placed_by))
    if rows:
        run(_ADD, columns_of(rows, ("bigint", "bigint", "timestamptz", "text", "bigint")))
