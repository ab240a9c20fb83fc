"""What a group means for its service, in service terms: the first sentence a responder reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from django.db.models import Count

from console.alerts.models import AlertGroup, GroupMember
from console.fleet.models import Service, WorkloadStatus


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

    @property
    def is_short(self) -> bool:
        """Fewer replicas than the service needs."""
        return self.needed is not None and self.ready < self.needed

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
    hit = _services_hit([group.pk for group in groups if group.is_wave])
    services = [service.pk for counted in hit.values() for service in counted]
    replicas = replicas_by_service([*services, *(group.service_id for group in groups if group.service_id)])
    sentences = {}
    for group in groups:
        machines = _machines(figures.get(group.pk))
        reported = replicas.get(group.service_id or 0)
        if group.is_wave:
            sentences[group.pk] = _of_wave(hit.get(group.pk, []), replicas, machines)
        elif reported is None or group.service is None:
            sentences[group.pk] = f"{machines}; replicas not reported"
        else:
            sentences[group.pk] = f"{reported.sentence(group.service.name)}; {machines}"
    return {pk: sentence[:300] for pk, sentence in sentences.items()}


def _machines(figures: _Counted | None) -> str:
    members = figures.members if figures else 0
    running_out = figures.running_out if figures else 0
    word = "machine" if members == 1 else "machines"
    return f"{running_out} of {members} {word} still running" if running_out else f"{members} {word} gone"


def _services_hit(wave_ids: Sequence[int]) -> dict[int, list[Service]]:
    """The services whose machines are in each wave, the one that loses most first."""
    if not wave_ids:
        return {}
    rows = list(
        GroupMember.objects.filter(group__in=wave_ids)
        .values_list("group", "interruption__service")
        .annotate(machines=Count("pk"))
        .order_by("group", "-machines", "interruption__service")
    )
    services = Service.objects.in_bulk({row[1] for row in rows})
    hit: dict[int, list[Service]] = {}
    for group_id, service_id, _ in rows:
        hit.setdefault(group_id, []).append(services[service_id])
    return hit


def _of_wave(services: Sequence[Service], replicas: Mapping[int, Replicas], machines: str) -> str:
    """`2 of 5 services below their need (checkout, search); 12 of 41 machines still running`."""
    short = [service.name for service in services if (r := replicas.get(service.pk)) and r.is_short]
    names = short or [service.name for service in services]
    listed = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    if len(services) == 1:
        hit = f"{listed} is below its need" if short else f"1 service hit: {listed}"
    elif short:
        hit = f"{len(short)} of {len(services)} services below their need: {listed}"
    else:
        hit = f"{len(services)} services hit: {listed}"
    return f"{hit}; {machines}"
