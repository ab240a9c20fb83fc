"""What the on-call board shows. Open rows and rollups only: its cost does not grow with history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.db.models import Case, Count, F, IntegerField, Max, Min, Q, QuerySet, Value, When
from django.http import QueryDict

from console.alerts.impact import Replicas, replicas_by_service
from console.alerts.models import AlertGroup, GroupStatus
from console.fleet.models import Criticality, Service
from console.interruptions.models import Hook, Interruption, Move, State
from console.interruptions.rows import InterruptionRow, interruption_rows
from console.lib.origin import Origin

MOST_ROWS = 100
MOST_GROUPS = 60
MOST_SERVICES = 40
JUST_ENDED = timedelta(minutes=30)
DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Filters:
    """What the URL asks for. Empty strings ask for everything."""

    service: str = ""
    team: str = ""
    provider: str = ""
    region: str = ""
    q: str = ""

    @classmethod
    def of(cls, query: QueryDict) -> Filters:
        return cls(**{name: query.get(name, "").strip()[:100] for name in cls.__dataclass_fields__})

    @property
    def is_set(self) -> bool:
        return any(getattr(self, name) for name in self.__dataclass_fields__)

    @property
    def query(self) -> str:
        return urlencode({n: getattr(self, n) for n in self.__dataclass_fields__ if getattr(self, n)})

    def narrow_interruptions(self, rows: QuerySet[Interruption]) -> QuerySet[Interruption]:
        rows = rows.filter(self._service("service__"))
        if self.provider:
            rows = rows.filter(provider=self.provider)
        if self.region:
            rows = rows.filter(region=self.region)
        if self.q:
            rows = rows.filter(
                Q(machine__instance_id__icontains=self.q)
                | Q(machine__node_name__icontains=self.q)
                | Q(service__name__icontains=self.q)
                | Q(key__icontains=self.q)
            )
        return rows

    def narrow_groups(self, rows: QuerySet[AlertGroup]) -> QuerySet[AlertGroup]:
        rows = rows.filter(self._service("service__"))
        where = Q()
        if self.provider:
            where &= Q(members__interruption__provider=self.provider)
        if self.region:
            where &= Q(members__interruption__region=self.region)
        if where:
            rows = rows.filter(pk__in=AlertGroup.objects.filter(where).values("pk"))
        return rows.filter(Q(title__icontains=self.q) | Q(impact__icontains=self.q)) if self.q else rows

    def _service(self, prefix: str) -> Q:
        where = Q()
        if self.service:
            where &= Q(**{f"{prefix}slug": self.service})
        if self.team:
            where &= Q(**{f"{prefix}team__slug": self.team})
        return where


@dataclass(frozen=True, slots=True)
class AffectedService:
    """A service that machines are being taken from, in its own terms."""

    service: Service
    running_out: int
    earliest_deadline_at: datetime | None
    replicas: Replicas | None

    @property
    def sentence(self) -> str:
        if self.replicas is None:
            return "Replicas not reported"
        return self.replicas.sentence(self.service.name).partition(": ")[2]

    @property
    def is_short(self) -> bool:
        """Fewer replicas than it needs: a person is needed now."""
        replicas = self.replicas
        return replicas is not None and replicas.needed is not None and replicas.ready < replicas.needed


@dataclass(frozen=True, slots=True)
class Feed:
    """The live feed of the board: rows by time left, and how many more there are."""

    rows: Sequence[InterruptionRow]
    running_out: int
    hidden: int
    """Running out, but not shown because of the filters."""


def live_feed(*, origin: Origin, filters: Filters, now: datetime) -> Feed:
    """Machines that are being taken, the least time left first; then those that have just gone."""
    everything = Interruption.objects.of_origin(origin)
    running_out = everything.running_out()
    just_gone = everything.filter(ended_at__gte=now - JUST_ENDED, started_at__gte=now - DAY).exclude(
        state=State.NO_ACTION
    )
    related = ("service__team", "machine", "pool")
    narrowed = filters.narrow_interruptions(running_out).select_related(*related)
    rows = list(narrowed.order_by(F("deadline_at").asc(nulls_last=True), "pk")[:MOST_ROWS])
    if len(rows) < MOST_ROWS:
        gone = filters.narrow_interruptions(just_gone).select_related(*related).order_by("-ended_at", "pk")
        rows += list(gone[: MOST_ROWS - len(rows)])
    total = running_out.count()
    shown = narrowed.count() if filters.is_set else total
    replicas = replicas_by_service([row.service_id for row in rows])
    impacts = {pk: r.sentence("").removeprefix(": ") for pk, r in replicas.items()}
    return Feed(rows=interruption_rows(rows, impacts=impacts), running_out=shown, hidden=total - shown)


def open_groups(*, origin: Origin, filters: Filters) -> tuple[list[AlertGroup], int]:
    """Open groups, those nobody has first; and how many the filters hide."""
    rows = AlertGroup.objects.of_origin(origin).open()
    order = Case(
        When(status=GroupStatus.TRIGGERED, silenced_until=None, then=Value(0)),
        When(status=GroupStatus.ACKNOWLEDGED, silenced_until=None, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    narrowed = filters.narrow_groups(rows).select_related("service__team", "acknowledged_by", "execution")
    shown = list(
        narrowed.order_by(order, F("earliest_deadline_at").asc(nulls_last=True), "-pk")[:MOST_GROUPS]
    )
    hidden = rows.count() - narrowed.count() if filters.is_set else 0
    return shown, hidden


def affected_services(*, origin: Origin, filters: Filters) -> list[AffectedService]:
    """Services that are losing machines now, the most critical and the shortest first."""
    losing = filters.narrow_interruptions(Interruption.objects.of_origin(origin).running_out())
    totals = list(
        losing.values("service_id")
        .annotate(running_out=Count("pk"), earliest=Min("deadline_at"))
        .order_by("-running_out", "service_id")[:MOST_SERVICES]
    )
    services = Service.objects.select_related("team").in_bulk([row["service_id"] for row in totals])
    replicas = replicas_by_service(list(services))
    found = [
        AffectedService(
            service=services[row["service_id"]],
            running_out=row["running_out"],
            earliest_deadline_at=row["earliest"],
            replicas=replicas.get(row["service_id"]),
        )
        for row in totals
    ]
    rank = list(Criticality.values)
    return sorted(found, key=lambda a: (not a.is_short, rank.index(a.service.criticality), -a.running_out))


@dataclass(frozen=True, slots=True)
class PendingMoves:
    """Workloads that left a machine and do not run yet."""

    count: int
    oldest_at: datetime | None
    workloads: Sequence[Move]


def pending_moves(*, origin: Origin, now: datetime) -> PendingMoves:
    """Moves of the last day that have not ended."""
    rows = Move.objects.filter(origin=origin, running_at=None, evicted_at__gte=now - DAY)
    totals = rows.aggregate(count=Count("pk"), oldest=Min("evicted_at"), newest=Max("evicted_at"))
    some = rows.select_related("machine__service").order_by("evicted_at", "pk")[:8]
    return PendingMoves(count=totals["count"], oldest_at=totals["oldest"], workloads=list(some))


def failed_hooks(*, origin: Origin, now: datetime) -> list[Hook]:
    """Shutdown hooks of the last day that did not complete, newest first."""
    rows = Hook.objects.filter(origin=origin, at__gte=now - DAY).exclude(outcome="complete")
    return list(rows.select_related("machine__service", "interruption").order_by("-at", "-pk")[:8])
