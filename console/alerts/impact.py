"""What a group means for its service, in service terms: the first sentence a responder reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from console.alerts.models import AlertGroup
from console.fleet.models import WorkloadStatus


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

    def sentence(self, service: str) -> str:
        """`checkout: 3 of 12 replicas, zone c empty, needs 9`."""
        parts = [f"{service}: {self.ready} of {self.wanted} replicas"]
        if self.empty_zones:
            word = "zone" if len(self.empty_zones) == 1 else "zones"
            parts.append(f"{word} {', '.join(self.empty_zones)} empty")
        if self.needed is not None and self.ready < self.needed:
            parts.append(f"needs {self.needed}")
        if self.pending:
            parts.append(f"{self.pending} pending")
        return ", ".join(parts)


def replicas_by_service(service_ids: Sequence[int]) -> dict[int, Replicas]:
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
        total.empty_zones += sorted(zone for zone, ready in row.by_zone.items() if ready == 0)
    return found


def impact_sentences(groups: Sequence[AlertGroup], figures: Mapping[int, _Counted]) -> dict[int, str]:
    """The impact of each group, by its id."""
    replicas = replicas_by_service([group.service_id for group in groups if group.service_id])
    return {group.pk: _sentence(group, figures.get(group.pk), replicas) for group in groups}


def _sentence(group: AlertGroup, figures: _Counted | None, replicas: Mapping[int, Replicas]) -> str:
    members = figures.members if figures else 0
    running_out = figures.running_out if figures else 0
    word = "machine" if members == 1 else "machines"
    machines = f"{running_out} of {members} {word} still running" if running_out else f"{members} {word} gone"
    reported = replicas.get(group.service_id or 0)
    if reported is None or group.service is None:
        return f"{machines}; replicas not reported"
    return f"{reported.sentence(group.service.name)}; {machines}"[:300]
