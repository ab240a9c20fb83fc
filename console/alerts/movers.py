"""What gave reclaims another service while their group was open: tags learnt, a rule changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from console.alerts.reclaims import Reclaim
from console.fleet.models import AttributedBy
from console.lib.rows import fetch

_READ = """
SELECT i.id, m.attributed_by, m.attributed_at
FROM interruptions_interruption i JOIN fleet_machine m ON m.id = i.machine_id
WHERE i.id = ANY(%s) AND m.attributed_at IS NOT NULL
"""


class Mover(NamedTuple):
    """What moved one machine, and when."""

    by: AttributedBy
    at: datetime


class Movers(dict[int, Mover]):
    """By reclaim. One that nothing is known of is not in it."""

    def words(self, reclaims: Sequence[Reclaim]) -> str:
        """` by tags learnt at 14:03 UTC`; empty where nothing is known."""
        known = [self[reclaim.id] for reclaim in reclaims if reclaim.id in self]
        if not known:
            return ""
        reasons = " and ".join(sorted({str(mover.by.label) for mover in known}))
        return f" by {reasons} at {max(mover.at for mover in known).astimezone(UTC):%H:%M} UTC"


def read(reclaim_ids: Sequence[int]) -> Movers:
    """Asks nothing where nothing moved."""
    if not reclaim_ids:
        return Movers()
    return Movers({pk: Mover(AttributedBy(by), at) for pk, by, at in fetch(_READ, [list(reclaim_ids)])})
