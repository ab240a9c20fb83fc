"""The groups of one world: they live in memory, under the same keys and one open a key, and are never stored."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from heapq import heappop, heappush

from console.alerts.models import AlertGroup, GroupStatus, Severity
from console.alerts.opening import new_group, service_key
from console.alerts.receipts import Told
from console.alerts.replay.past import Past, Taken
from console.alerts.touched import Found
from console.alerts.wave_reading import Zone


@dataclass(frozen=True, slots=True)
class Decided:
    """One page, ticket or suppression."""

    at: datetime
    decision: str
    severity: str
    rule: str
    reason: str
    impact: str


@dataclass(slots=True, eq=False)
class Held:
    """One group, what is in it, and what was decided about it."""

    group: AlertGroup
    zone: Zone | None = None
    parent: Held | None = None
    members: dict[int, Taken] = field(default_factory=dict)
    told: Told | None = None
    decided: list[Decided] = field(default_factory=list)
    found: Found = field(default_factory=Found)
    hidden_by: int | None = None
    """The window that hides it now."""
    opened_at: list[datetime] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return self.group.is_open

    @property
    def is_under_wave(self) -> bool:
        return self.parent is not None and self.parent.is_open


class Groups:
    """Every group that ever was in this world."""

    def __init__(self, past: Past) -> None:
        self.past = past
        self.all: list[Held] = []
        self.by_key: dict[str, Held] = {}
        """The newest of each key, open or not."""
        self.of_reclaim: dict[int, Held] = {}
        """The newest group of a service that a reclaim is in."""
        self.wave_of: dict[int, Held] = {}
        self.openings: dict[str, list[datetime]] = defaultdict(list)
        self.told: dict[str, Told] = {}
        """Of each key, last."""
        self._due: list[tuple[datetime, int, Held]] = []
        self._count = 0

    def open(self, key: str) -> Held | None:
        held = self.by_key.get(key)
        return held if held is not None and held.is_open else None

    def opened(self) -> list[Held]:
        return [held for held in self.by_key.values() if held.is_open]

    def add(self, group: AlertGroup, *, now: datetime, zone: Zone | None = None) -> Held:
        self._count += 1
        group.pk = self._count
        held = Held(group, zone=zone, opened_at=[now])
        self.all.append(held)
        self.by_key[group.key] = held
        self.openings[group.key].append(now)
        return held

    def open_again(self, held: Held, *, now: datetime) -> None:
        """Its row is open again already."""
        held.opened_at.append(now)
        self.openings[held.group.key].append(now)

    def join(self, one: Taken, *, now: datetime) -> Held | None:
        """Into its service's open group, or a new one. None: its service is gone."""
        service = self.past.services.get(one.service_id)
        if service is None:
            return None
        held = self.open(service_key(service.pk))
        if held is None:
            group = new_group(service, origin=self.past.origin, execution=None, triggered_at=now, now=now)
            held = self.add(group, now=now)
        held.members[one.id] = one
        self.of_reclaim[one.id] = held
        return held

    def wave(self, zone: Zone, *, pool_id: int | None, now: datetime) -> Held:
        group = AlertGroup(
            origin=zone.origin,
            key=zone.key,
            pool_id=pool_id,
            title=f"Wave of reclaims in {zone.name}",
            severity=Severity.WARNING,
            status=GroupStatus.TRIGGERED,
            triggered_at=now,
            last_news_at=now,
        )
        return self.add(group, now=now, zone=zone)

    def look_again(self, held: Held) -> None:
        """At the time that its row says."""
        if held.group.due_at is not None:
            self._count += 1
            heappush(self._due, (held.group.due_at, self._count, held))

    def due(self, until: datetime) -> tuple[datetime, Held] | None:
        """The next one whose time comes by then; each is handed out once."""
        while self._due and self._due[0][0] <= until:
            at, _, held = heappop(self._due)
            if held.is_open and held.group.due_at == at:
                return at, held
        return None
