"""What a group means for its services, in service terms: the first sentence a responder reads, and its figures."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from console.alerts.models import AlertGroup
from console.fleet.models import WorkloadStatus
from console.lib.rows import fetch

_HITS = """
SELECT m.group_id, i.service_id, s.name, s.criticality,
       count(*) FILTER (WHERE i.state NOT IN ('at_risk', 'no_action', 'cancelled')),
       count(*) FILTER (WHERE i.state IN ('ended', 'presumed'))
FROM alerts_groupmember m JOIN alerts_alertgroup g ON g.id = m.group_id
JOIN interruptions_interruption i ON i.id = m.interruption_id
JOIN fleet_service s ON s.id = i.service_id
WHERE m.group_id = ANY(%s) AND (g.service_id IS NULL OR g.service_id = i.service_id OR m.placed_by_id IS NOT NULL)
GROUP BY m.group_id, i.service_id, s.name, s.criticality
ORDER BY m.group_id, count(*) DESC, i.service_id
"""
_RUNNING = """
SELECT service_id, count(*) FROM fleet_runninginterval
WHERE service_id = ANY(%s) AND ended_at IS NULL AND lifecycle = 'spot' GROUP BY service_id
"""


class _Counted(Protocol):
    @property
    def members(self) -> int: ...
    @property
    def running_out(self) -> int: ...


@dataclass(slots=True)
class Replicas:
    """What the workloads of one service add up to, as last reported."""

    wanted: int = 0
    ready: int = 0
    pending: int = 0
    needed: int | None = None
    empty_zones: list[str] = field(default_factory=list)
    disruptions_left: int | None = None
    """Of the workload that may lose the fewest more. None: no budget is reported."""
    is_short: bool = False
    """A workload has fewer replicas than it needs: another one's surplus does not help it."""

    def sentence(self, service: str) -> str:
        """`checkout: 3 of 12 replicas, zone c empty, needs 9`."""
        parts = [f"{service}: {self.ready} of {self.wanted} replicas"]
        if self.empty_zones:
            word = "zone" if len(self.empty_zones) == 1 else "zones"
            parts.append(f"{word} {', '.join(self.empty_zones)} empty")
        if self.is_short:
            parts.append(f"needs {self.needed}")
        if self.pending:
            parts.append(f"{self.pending} pending")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Hit:
    """A service that loses machines, and what that leaves of it."""

    service_id: int
    name: str
    criticality: str
    machines: int
    """Of the group: those that are being taken, and those that are gone."""
    ended: int
    running: int
    """Its spot machines that run now, those being taken among them."""
    replicas: Replicas | None
    """None: its clusters report nothing."""

    @property
    def is_short(self) -> bool:
        return self.replicas is not None and self.replicas.is_short

    @property
    def share_gone(self) -> float | None:
        """Of the service's spot machines, what the group takes. None: no inventory."""
        before = self.running + self.ended
        return min(1.0, self.machines / before) if self.running else None

    def leaves_too_little(self, *, assumed_share: float, large: float) -> bool:
        """Below its need; where no need is reported, a large share of its spot machines, or many of them, go."""
        if self.replicas is not None and self.replicas.needed is not None:
            return self.replicas.is_short
        share = self.share_gone
        return self.machines >= large if share is None else share >= assumed_share

    def words(self) -> str:
        if self.replicas is None:
            return f"{self.name}: {self.machines} machines, replicas not reported"
        return self.replicas.sentence(self.name)


@dataclass(frozen=True, slots=True)
class Impact:
    """What a group does to the services in it, the one that loses most first. None of them: it is a finding."""

    hits: tuple[Hit, ...] = ()

    @property
    def is_short(self) -> bool:
        return any(hit.is_short for hit in self.hits)


def replicas_by_service(service_ids: Collection[int]) -> dict[int, Replicas]:
    """The newest reported state of each service's workloads, added up. Absent: nothing was reported."""
    found: dict[int, Replicas] = {}
    rows = WorkloadStatus.objects.filter(service__in=service_ids).order_by("pk")
    for row in rows:
        total = found.setdefault(row.service_id, Replicas())
        total.wanted += row.wanted
        total.ready += row.ready
        total.pending += row.pending
        if row.needed is not None:
            total.needed = (total.needed or 0) + row.needed
            total.is_short = total.is_short or row.ready < row.needed
        if row.disruptions_allowed is not None:
            left = total.disruptions_left
            total.disruptions_left = (
                row.disruptions_allowed if left is None else min(left, row.disruptions_allowed)
            )
        total.empty_zones += sorted(zone for zone, ready in row.by_zone.items() if ready == 0)
    return found


def assess(groups: Sequence[AlertGroup]) -> dict[int, Impact]:
    """The impact of each group by its id, in three statements. Needs `service` selected along."""
    wanted = [group for group in groups if not group.is_finding]
    if not wanted:
        return {group.pk: Impact() for group in groups}
    rows = fetch(_HITS, [[group.pk for group in wanted]])
    services = {row[1] for row in rows} | {group.service_id for group in wanted if group.service_id}
    replicas = replicas_by_service(services)
    running = dict(fetch(_RUNNING, [sorted(services)]))
    hits: dict[int, list[Hit]] = {group.pk: [] for group in groups}
    for group_id, service_id, name, criticality, machines, ended in rows:
        counts = (machines, ended, running.get(service_id, 0))
        hits[group_id].append(Hit(service_id, name, criticality, *counts, replicas.get(service_id)))
    return {group.pk: Impact(tuple(_own(group, hits[group.pk], replicas, running))) for group in groups}


def _own(
    group: AlertGroup, hits: list[Hit], replicas: Mapping[int, Replicas], running: Mapping[int, int]
) -> list[Hit]:
    """Of a service's group that service, whatever a member has turned into, and those that people put beside it."""
    service = group.service
    if group.is_wave or service is None:
        return hits
    if any(hit.service_id == service.pk for hit in hits):
        return hits
    counts = (0, 0, running.get(service.pk, 0))
    return [*hits, Hit(service.pk, service.name, service.criticality, *counts, replicas.get(service.pk))]


def sentence_of(group: AlertGroup, impact: Impact, figures: _Counted | None) -> str:
    """At most 300 characters, as the group keeps it."""
    machines = _machines(figures)
    if group.is_wave:
        return f"{_of_wave(impact.hits)}; {machines}"[:300]
    if len(impact.hits) > 1:
        return f"{_of_several(impact.hits)}; {machines}"[:300]
    if not impact.hits or impact.hits[0].replicas is None:
        return f"{machines}; replicas not reported"
    return f"{impact.hits[0].words()}; {machines}"[:300]


def _of_several(hits: Sequence[Hit]) -> str:
    """Of a group into which people put machines of other services: the one that is below its need first."""
    first, *others = sorted(hits, key=lambda hit: not hit.is_short)
    return f"{first.words()}, and {', '.join(hit.words() for hit in others)}"


def _machines(figures: _Counted | None) -> str:
    members = figures.members if figures else 0
    running_out = figures.running_out if figures else 0
    word = "machine" if members == 1 else "machines"
    return f"{running_out} of {members} {word} still running" if running_out else f"{members} {word} gone"


def _of_wave(hits: Sequence[Hit]) -> str:
    """`2 of 5 services below their need: checkout, search`."""
    short = [hit.name for hit in hits if hit.is_short]
    names = short or [hit.name for hit in hits]
    listed = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    if len(hits) == 1:
        return f"{listed} is below its need" if short else f"1 service hit: {listed}"
    if short:
        return f"{len(short)} of {len(hits)} services below their need: {listed}"
    return f"{len(hits)} services hit: {listed}"
