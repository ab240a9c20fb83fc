"""Services as judgements see them."""

from __future__ import annotations

from collections.abc import Sequence

from console.alerts.detecting import ServiceRow
from console.lib.rows import fetch

_SERVICES = """
SELECT s.id, s.origin, s.slug, s.name, s.criticality, s.team_id, coalesce(t.slug, ''), coalesce(t.name, '')
FROM fleet_service s LEFT JOIN fleet_team t ON t.id = s.team_id
WHERE s.origin = ANY(%s) AND s.archived_at IS NULL ORDER BY s.id
"""


def read_services(origins: Sequence[str]) -> dict[int, ServiceRow]:
    """Those in use, by id."""
    return {row[0]: ServiceRow(*row) for row in fetch(_SERVICES, [list(origins)])}
