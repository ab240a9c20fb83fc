"""Two interruptions turned out to be one: the survivor takes over the other's place in its groups.

What was said and done in those groups is then reached from the survivor. An open group of another service
loses it again at once (`correlate.py`) and says where it went.
"""

from __future__ import annotations

from collections.abc import Sequence

from console.alerts.reclaims import Reclaim
from console.lib.rows import run

_INHERIT = """
INSERT INTO alerts_groupmember (group_id, interruption_id, joined_at, reason, placed_by_id)
SELECT DISTINCT ON (m.group_id, i.merged_into_id) m.group_id, i.merged_into_id, m.joined_at, m.reason,
    m.placed_by_id
FROM alerts_groupmember m JOIN interruptions_interruption i ON i.id = m.interruption_id
WHERE i.id = ANY(%s) ORDER BY m.group_id, i.merged_into_id, m.joined_at
ON CONFLICT (group_id, interruption_id) DO NOTHING
"""
_GIVE_UP = "DELETE FROM alerts_groupmember WHERE interruption_id = ANY(%s)"


def inherit(reclaims: Sequence[Reclaim]) -> None:
    """Let the survivors of these have the memberships of those that were merged into them."""
    gone = [reclaim.id for reclaim in reclaims if reclaim.merged_into_id is not None]
    if gone:
        run(_INHERIT, [gone])
        run(_GIVE_UP, [gone])
