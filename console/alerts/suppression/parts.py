"""What groups are made of, in the terms in which a scope asks: one statement, however many groups."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from console.alerts.detectors.cascade import WINDOW
from console.alerts.suppression.scoping import Part
from console.lib.rows import as_table, columns_of, fetch

_PARTS = """
SELECT g.id, coalesce(i.service_id, g.service_id), s.team_id, coalesce(ma.provider, p.provider, ''),
       coalesce(ma.region, p.region, ''), coalesce(ma.zone, p.zone, ''),
       coalesce(ma.instance_type, p.instance_type, ''),
       array(SELECT l.place FROM unnest(%s::int[], %s::text[], %s::text[]) AS l (place, key, value)
             WHERE ma.tags ->> l.key = l.value ORDER BY l.place) AS labels,
       count(DISTINCT i.machine_id) FILTER (WHERE i.state NOT IN ('at_risk', 'no_action', 'cancelled')),
       min(i.started_at)
FROM alerts_alertgroup g
LEFT JOIN alerts_groupmember m ON m.group_id = g.id
LEFT JOIN interruptions_interruption i ON i.id = m.interruption_id
LEFT JOIN fleet_machine ma ON ma.id = i.machine_id
LEFT JOIN fleet_pool p ON p.id = g.pool_id
LEFT JOIN fleet_service s ON s.id = coalesce(i.service_id, g.service_id)
WHERE g.id = ANY(%s)
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
"""
_RUNNING = """
SELECT t.place, (SELECT count(*) FROM fleet_runninginterval r
                 WHERE r.service_id = t.service_id AND r.lifecycle = 'spot'
                   AND r.started_at <= t.at + %s::interval AND (r.ended_at IS NULL OR r.ended_at >= t.at))
FROM {asked}
"""


@dataclass(slots=True)
class Made:
    """A group's parts, and since when it is being hit."""

    parts: list[Part] = field(default_factory=list)
    first_at: datetime | None = None

    @property
    def lost(self) -> dict[int, int]:
        """By service: how many machines were reclaimed."""
        found: dict[int, int] = defaultdict(int)
        for part in self.parts:
            if part.service_id is not None and part.machines:
                found[part.service_id] += part.machines
        return dict(found)


def read_parts(group_ids: Collection[int], labels: Sequence[tuple[str, str]]) -> dict[int, Made]:
    """By group. A group without machines has the one part that its row names."""
    asked = columns_of([(n, *label) for n, label in enumerate(labels)], ("int", "text", "text"))
    found: dict[int, Made] = defaultdict(Made)
    for pk, service, team, provider, region, zone, kind, carried, machines, first_at in fetch(
        _PARTS, [*asked, list(group_ids)]
    ):
        made, known = found[pk], frozenset(labels[n] for n in carried)
        made.parts.append(Part(service, team, provider, region, zone, kind, known, machines))
        if first_at is not None:
            made.first_at = min(first_at, made.first_at or first_at)
    return found


def running_spot(asked: Sequence[tuple[int, datetime]]) -> list[int]:
    """For each service and moment: how many spot machines ran then or began within the cascade's window."""
    if not asked:
        return []
    rows = [(n, service, at) for n, (service, at) in enumerate(asked)]
    table, values = as_table(rows, {"place": "int", "service_id": "bigint", "at": "timestamptz"}, name="t")
    counts: Mapping[int, int] = dict(fetch(_RUNNING.format(asked=table), [WINDOW, *values]))
    return [counts[n] for n in range(len(asked))]
