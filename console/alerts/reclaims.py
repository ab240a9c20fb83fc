"""What grouping needs to know of interruptions and their places in groups: slim rows, many at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

import msgspec

from console.alerts.models import GroupStatus
from console.interruptions.models import HINT_STATES
from console.lib.rows import fetch

_RECLAIMS = """
SELECT i.id, i.origin, i.service_id, i.episode_id, i.state, i.is_late, i.started_at,
       coalesce(i.ended_at, i.deadline_at, i.started_at), i.first_received_at, i.merged_into_id
FROM interruptions_interruption i
WHERE i.id = ANY(%(ids)s) OR i.id = ANY(ARRAY(
    SELECT merged_into_id FROM interruptions_interruption WHERE id = ANY(%(ids)s) AND merged_into_id IS NOT NULL))
ORDER BY i.id
"""
_MEMBERSHIPS = """
SELECT m.id, m.interruption_id, m.group_id, g.key, g.status, m.placed_by_id IS NOT NULL
FROM alerts_groupmember m JOIN alerts_alertgroup g ON g.id = m.group_id
WHERE m.interruption_id = ANY(%s) AND g.key LIKE 'service:%%' ORDER BY m.id
"""


class Reclaim(msgspec.Struct, frozen=True, gc=False):
    """An interruption as its group sees it."""

    id: int
    origin: str
    service_id: int
    episode_id: int | None
    state: str
    is_late: bool
    started_at: datetime
    over_at: datetime
    first_received_at: datetime
    merged_into_id: int | None

    @property
    def is_hint(self) -> bool:
        return self.state in HINT_STATES


class Membership(msgspec.Struct, frozen=True, gc=False):
    """A reclaim's place in a group of a service."""

    id: int
    interruption_id: int
    group_id: int
    key: str
    status: str
    is_placed: bool
    """A person put it there."""

    @property
    def is_open(self) -> bool:
        return self.status != GroupStatus.RESOLVED


def read_reclaims(ids: Collection[int]) -> list[Reclaim]:
    """Those of these ids; for one that turned out to be another also that other."""
    return [Reclaim(*row) for row in fetch(_RECLAIMS, {"ids": list(ids)})]


def read_memberships(reclaims: Collection[Reclaim]) -> dict[int, list[Membership]]:
    """By reclaim: its membership in each open service group, else the newest one in a closed one; of hints all."""
    hints = {reclaim.id for reclaim in reclaims if reclaim.is_hint}
    found: dict[int, list[Membership]] = defaultdict(list)
    for row in fetch(_MEMBERSHIPS, [[reclaim.id for reclaim in reclaims]]):
        found[row[1]].append(Membership(*row))
    return {
        pk: mine if pk in hints else [m for m in mine if m.is_open] or mine[-1:] for pk, mine in found.items()
    }
