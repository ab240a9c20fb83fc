"""Interruptions follow their machine: to the service or pool it was given, to the machine it turned out to be.

Rules and inventory belong to `fleet`, which knows nothing of interruptions. A trigger notes each machine that has
interruptions and was moved or merged; this works the notes off, under the machines' locks, in one transaction:
what is tied to a merged machine is tied to the kept one, the last 14 days and whatever is open are decided anew,
the episodes of the services concerned are rebuilt, and change rows let the alert groups follow.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from itertools import chain

from django.db import transaction

from console.interruptions import deciding, joining
from console.interruptions.known import REACH, spans_of
from console.interruptions.models import OPEN_STATES
from console.lib.rows import fetch

MOST_STRAYS = 500

_CLAIM = """
DELETE FROM interruptions_straymachine WHERE id IN (
    SELECT id FROM interruptions_straymachine ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
) RETURNING id, origin, machine_id, from_service_id
"""
_LOCK = """
SELECT id, service_id, merged_into_id FROM fleet_machine
WHERE id = ANY(%(ids)s) OR id IN (SELECT merged_into_id FROM fleet_machine WHERE id = ANY(%(ids)s))
ORDER BY id FOR UPDATE
"""
_RECENT = """
SELECT machine_id, started_at FROM interruptions_interruption
WHERE machine_id = ANY(%s) AND merged_into_id IS NULL AND (started_at >= %s OR state = ANY(%s))
"""


def follow_machines(*, now: datetime) -> int:
    """Let interruptions follow a batch of machines that moved. Returns how many moves were worked off."""
    with transaction.atomic():
        strays = sorted(fetch(_CLAIM, [MOST_STRAYS]))
        by_origin: dict[str, dict[int, int]] = defaultdict(dict)
        for _, origin, machine_id, service_id in strays:
            by_origin[origin].setdefault(machine_id, service_id)
        for origin in sorted(by_origin):
            _follow(by_origin[origin], origin=origin, now=now)
    return len(strays)


def _follow(came_from: dict[int, int], *, origin: str, now: datetime) -> None:
    machines = {pk: (service, kept) for pk, service, kept in fetch(_LOCK, {"ids": list(came_from)})}
    merges = [(kept, pk) for pk, (_, kept) in machines.items() if pk in came_from and kept is not None]
    joining.follow(merges)
    whole = {kept for kept, _ in merges}
    staying = [pk for pk in came_from if pk in machines and machines[pk][1] is None]
    recent = fetch(_RECENT, [sorted({*staying, *whole}), now - REACH, list(OPEN_STATES)])
    spans = {span.machine_id: span for span in spans_of(chain(recent, ((pk, now) for pk in whole)))}
    for pk in whole:
        spans[pk] = joining.whole_span(pk, spans[pk])
    moved = joining.services_of(merges)
    for pk, service_id in came_from.items():
        service, kept = machines.get(pk, (service_id, None))
        moved.setdefault(kept or pk, set()).update((service_id, service))
    deciding.decide(
        [spans[pk] for pk in sorted(spans)],
        origin=origin,
        now=now,
        moved={pk: services for pk, services in moved.items() if pk in spans},
    )
