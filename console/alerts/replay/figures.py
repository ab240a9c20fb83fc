"""What a group of a world adds up to at a moment: the same rows that SQL adds up live, from what is in memory."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

from console.alerts.impact import Hit, Impact
from console.alerts.replay.past import Past, Taken
from console.alerts.replay.store import Held
from console.alerts.settle import HEALED_AFTER_END, Figures
from console.alerts.suppression.parts import Made
from console.alerts.suppression.scoping import Part


def figures_of(held: Held, *, now: datetime) -> Figures:
    """As `settle.py` reads them."""
    running_out, pending = 0, 0
    deadlines: list[datetime] = []
    healed: list[datetime | None] = []
    for one in held.members.values():
        mine = _pending(one, now)
        pending += mine
        if one.is_open(now):
            running_out += 1
            if one.deadline_at is not None:
                deadlines.append(one.deadline_at)
        healed.append(None if one.is_open(now) or mine else _healed_at(one))
    known = [at for at in healed if at is not None]
    return Figures(
        members=len(held.members),
        running_out=running_out,
        earliest_deadline_at=min(deadlines, default=None),
        has_ended=bool(healed) and len(known) == len(healed),
        healed_at=max(known, default=None),
        pending_moves=pending,
    )


def _pending(one: Taken, now: datetime) -> int:
    return sum(evicted <= now and (running is None or running > now) for evicted, running in one.moves)


def _healed_at(one: Taken) -> datetime | None:
    if one.over_at is None or one.state == "cancelled":
        return one.over_at
    ran = [running for _, running in one.moves if running is not None]
    return max(one.over_at, *ran) if ran else one.over_at + HEALED_AFTER_END


def impact_of(held: Held, past: Past, *, now: datetime) -> Impact:
    """As `impact.py` assesses it; replicas as a receipt of then has them."""
    if held.group.is_finding:
        return Impact()
    machines: Counter[int] = Counter()
    ended: Counter[int] = Counter()
    for one in held.members.values():
        machines[one.service_id] += not (one.state == "cancelled" and not one.is_open(now))
        ended[one.service_id] += one.has_ended(now)
    own = held.group.service_id
    wanted = [own] if own is not None else sorted(machines, key=lambda pk: (-machines[pk], pk))
    return Impact(tuple(_hit(pk, machines[pk], ended[pk], past, now) for pk in wanted if pk in past.services))


def _hit(pk: int, machines: int, ended: int, past: Past, now: datetime) -> Hit:
    service = past.services[pk]
    replicas = past.replicas_of(service.name, at=now)
    running = past.spot_of(pk, at=now)
    return Hit(pk, service.name, service.criticality, machines, ended, running, replicas)


def made_of(held: Held, past: Past, labels: Sequence[tuple[str, str]], *, now: datetime) -> Made:
    """As `suppression/parts.py` reads it."""
    if not held.members:
        service = past.services.get(held.group.service_id or 0)
        return Made([Part(service.pk if service else None, service.team_id if service else None)])
    parts: dict[Part, set[int]] = {}
    for one in held.members.values():
        service = past.services.get(one.service_id)
        part = Part(
            one.service_id,
            service.team_id if service else None,
            one.zone.provider,
            one.zone.region,
            one.zone.zone,
            one.instance_type,
            frozenset(label for label in labels if _tags(one.tags).get(label[0]) == label[1]),
        )
        gone = parts.setdefault(part, set())
        if not (one.state == "cancelled" and not one.is_open(now)):
            gone.add(one.machine_id)
    made = [
        Part(p.service_id, p.team_id, p.provider, p.region, p.zone, p.instance_type, p.labels, len(gone))
        for p, gone in parts.items()
    ]
    return Made(made, min(one.started_at for one in held.members.values()))


@lru_cache(maxsize=4_096)
def _tags(text: str) -> dict[str, str]:
    return {str(name): str(value) for name, value in json.loads(text).items()}
