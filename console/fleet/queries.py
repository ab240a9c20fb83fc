"""What the fleet's pages and lists show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet, Sum

from console.fleet.models import Machine, Pool, RunningInterval, Service, WorkloadStatus
from console.lib.rows import fetch

INSTANCE_ORDER = ["-last_seen_at", "-pk"]
MOST_NAMED = 2_000


@dataclass(frozen=True, slots=True)
class ServiceFilter:
    """The filters of the list of services."""

    q: str = ""
    team: str = ""
    kind: str = ""
    criticality: str = ""
    is_archived: bool = False

    def of(self, origin: str) -> QuerySet[Service]:
        found = Service.objects.filter(origin=origin, archived_at__isnull=not self.is_archived)
        if self.q:
            found = found.filter(Q(name__icontains=self.q) | Q(slug__icontains=self.q))
        if self.team:
            found = found.filter(team=None) if self.team == "none" else found.filter(team__slug=self.team)
        if self.kind:
            found = found.filter(kind=self.kind)
        if self.criticality:
            found = found.filter(criticality=self.criticality)
        return found


@dataclass(frozen=True, slots=True)
class ServiceLine:
    """A service in a list. None where nothing was ever reported."""

    service: Service
    running: int | None
    wanted: int | None
    ready: int | None
    pending: int | None

    @property
    def is_short(self) -> bool:
        return self.wanted is not None and self.ready is not None and self.ready < self.wanted


def service_lines(services: Sequence[Service]) -> list[ServiceLine]:
    """Services with what runs of them, in two queries however many."""
    ids = [service.pk for service in services]
    running = {
        pk: count if is_known else None
        for pk, count, is_known in fetch(
            "SELECT s, (SELECT count(*) FROM fleet_runninginterval i WHERE i.service_id = s AND i.ended_at IS NULL),"
            " EXISTS (SELECT 1 FROM fleet_runninginterval i WHERE i.service_id = s) FROM unnest(%s::bigint[]) s",
            [ids],
        )
    }
    states: dict[int, dict[str, Any]] = {
        row["service"]: dict(row)
        for row in WorkloadStatus.objects.filter(service__in=ids)
        .values("service")
        .annotate(wants=Sum("wanted"), readies=Sum("ready"), pends=Sum("pending"))
        .order_by()
    }
    return [_service_line(service, running[service.pk], states.get(service.pk)) for service in services]


def _service_line(service: Service, count: int | None, state: dict[str, Any] | None) -> ServiceLine:
    if state is None:
        return ServiceLine(service, count, None, None, None)
    return ServiceLine(service, count, state["wants"], state["readies"], state["pends"])


@dataclass(frozen=True, slots=True)
class InstanceFilter:
    """The filters of the list of instances."""

    q: str = ""
    service: str = ""
    provider: str = ""
    region: str = ""
    zone: str = ""
    instance_type: str = ""
    lifecycle: str = ""
    running: str = ""
    team: str = ""
    account: str = ""
    pool: str = ""
    instance_id: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def of(self, origin: str) -> QuerySet[Machine]:
        found = Machine.objects.filter(origin=origin, merged_into=None).select_related("service")
        if self.q:
            found = found.filter(named(self.q, origin=origin))
        if self.service:
            found = found.filter(service__in=services_called(self.service, origin=origin))
        if self.team:
            services = Service.objects.filter(origin=origin)
            of_team = (
                services.filter(team=None) if self.team == "none" else services.filter(team__slug=self.team)
            )
            found = found.filter(service__in=list(of_team.values_list("pk", flat=True)))
        if self.instance_id:
            found = found.filter(pk__in=machines_called(self.instance_id, origin=origin))
        if self.since:
            found = found.filter(last_seen_at__gte=self.since)
        if self.until:
            found = found.filter(last_seen_at__lt=self.until)
        for name in ("provider", "account", "region", "zone", "instance_type", "pool"):
            if value := getattr(self, name):
                found = found.filter(**{name: value})
        if self.lifecycle:
            newest = RunningInterval.objects.filter(lifecycle=self.lifecycle, ended_at=None)
            found = found.filter(pk__in=newest.values("machine"))
        if self.running:
            still = RunningInterval.objects.filter(origin=origin, ended_at=None).values("machine")
            found = found.filter(pk__in=still) if self.running == "yes" else found.exclude(pk__in=still)
        return found


def services_called(slug: str, *, origin: str) -> list[int]:
    """The service of this slug, if there is one: its id in a query leads to an index."""
    return list(Service.objects.filter(origin=origin, slug=slug).values_list("pk", flat=True))


def machines_called(name: str, *, origin: str) -> list[int]:
    """Ids of the machines of exactly this instance id or node name; each lookup has its index."""
    machines = Machine.objects.filter(origin=origin)
    by_id = machines.filter(instance_id=name).values_list("pk", flat=True)
    return sorted(
        {*by_id, *machines.exclude(node_name="").filter(node_name=name).values_list("pk", flat=True)}
    )


def machines_named(start: str, *, origin: str) -> list[int] | None:
    """Ids of the machines whose instance id or node name begins so; None: so many that it names none in particular."""
    machines = Machine.objects.filter(origin=origin)
    by_id = machines.filter(instance_id__startswith=start).order_by("instance_id")
    by_node = machines.filter(node_name__startswith=start).exclude(node_name="").order_by("node_name")
    found = set(by_id.values_list("pk", flat=True)[:MOST_NAMED])
    found.update(by_node.values_list("pk", flat=True)[:MOST_NAMED])
    return sorted(found) if len(found) < MOST_NAMED else None


def named(start: str, *, origin: str) -> Q:
    """The same as a condition on machines."""
    ids = machines_named(start, origin=origin)
    if ids is None:
        return Q(instance_id__startswith=start) | Q(node_name__startswith=start)
    return Q(pk__in=ids)


_SHOWN = (
    "id",
    "provider",
    "account",
    "region",
    "zone",
    "instance_id",
    "instance_type",
    "os",
    "node_name",
    "cluster",
    "namespace",
    "node_pool",
    "vcpus",
    "tags",
    "first_seen_at",
    "last_seen_at",
    "heartbeat_at",
)


def instance_lines(machines: Sequence[Machine]) -> list[dict[str, Any]]:
    """Machines with their newest interval, in one more query."""
    newest = {
        each.machine_id: each
        for each in RunningInterval.objects.filter(machine__in=[machine.pk for machine in machines])
        .order_by("machine", "-started_at")
        .distinct("machine")
    }
    return [_instance_line(machine, newest.get(machine.pk)) for machine in machines]


def _instance_line(machine: Machine, interval: RunningInterval | None) -> dict[str, Any]:
    return {
        **{name: getattr(machine, name) for name in _SHOWN},
        "service": machine.service.slug,
        "lifecycle": interval.lifecycle if interval else "unknown",
        "is_running": None if interval is None else interval.ended_at is None,
        "started_at": interval.started_at if interval else None,
        "ended_at": interval.ended_at if interval else None,
        "end_cause": interval.end_cause if interval else "",
        "replaces": interval.replaces if interval else "",
    }


def known_places(origin: str) -> dict[str, list[str]]:
    """What the filters of instances offer: services in use, and the providers and regions of pools."""
    services = Service.objects.filter(origin=origin, archived_at=None).order_by("slug")
    pools = Pool.objects.filter(origin=origin)
    return {
        "service": list(services.values_list("slug", flat=True)),
        "provider": list(pools.order_by("provider").values_list("provider", flat=True).distinct()),
        "region": list(
            pools.exclude(region="").order_by("region").values_list("region", flat=True).distinct()
        ),
    }
