"""What the on-call board shows. Open rows and rollups only: its cost does not grow with history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from urllib.parse import urlencode

from django.db import connection
from django.db.models import (
    Case,
    CharField,
    Count,
    F,
    IntegerField,
    Min,
    Model,
    Q,
    QuerySet,
    Value,
    When,
    Window,
)
from django.http import QueryDict

from console.alerts.impact import Replicas, replicas_by_service
from console.alerts.models import AlertGroup, AlertGroupQuerySet, GroupStatus
from console.dashboards.quiet import Quiet
from console.fleet.models import Criticality, Pool, Service
from console.interruptions.models import Hook, Interruption, Move, State
from console.interruptions.rows import InterruptionRow, interruption_rows
from console.lib.origin import Origin

Row = TypeVar("Row", bound=Model)
MOST_ROWS = 100
MOST_GROUPS = 60
MOST_SERVICES = 40
MOST_MOVES = 8
JUST_ENDED = timedelta(minutes=30)
DAY = timedelta(hours=24)
LEAST_MOVES = 5
MOST_CHOICES = 1_000


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

    def narrow_groups(self, rows: AlertGroupQuerySet) -> AlertGroupQuerySet:
        where = Q()
        if self.service or self.team:
            rows = rows.about(Service.objects.filter(self._service("")).values_list("pk", flat=True))
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
        return self.replicas is not None and self.replicas.is_short


@dataclass(frozen=True, slots=True)
class Feed:
    """The live feed of the board: rows by time left, and how many more there are."""

    rows: Sequence[InterruptionRow]
    running_out: int
    hidden: int
    """Running out, but not shown because of the filters."""


@dataclass(frozen=True, slots=True)
class RunningOut:
    """How many machines are being taken: all, and those that the filters leave."""

    total: int
    shown: int


def count_running_out(*, origin: Origin, filters: Filters) -> RunningOut:
    rows = Interruption.objects.of_origin(origin).running_out()
    return RunningOut(*_counted(rows, filters.narrow_interruptions(rows), is_narrowed=filters.is_set))


def live_feed(
    *,
    origin: Origin,
    filters: Filters,
    counted: RunningOut,
    affected: Affected,
    now: datetime,
) -> Feed:
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
    replicas = {one.service.pk: one.replicas for one in affected.rows if one.replicas}
    if others := {row.service_id for row in rows} - {one.service.pk for one in affected.rows}:
        replicas |= replicas_by_service(sorted(others))
    impacts = {pk: r.sentence("").removeprefix(": ") for pk, r in replicas.items()}
    return Feed(
        rows=interruption_rows(rows, impacts=impacts),
        running_out=counted.shown,
        hidden=counted.total - counted.shown,
    )


@dataclass(frozen=True, slots=True)
class OpenGroups:
    """The first groups of the board, how many there are, and how many the filters hide."""

    shown: Sequence[AlertGroup]
    total: int
    alone: int
    """Triggered, neither silenced nor suppressed: nobody has them."""
    hidden: int


def open_groups(*, origin: Origin, filters: Filters, now: datetime) -> OpenGroups:
    """Open groups, waves first, then those nobody has.

    A wave stands for the groups of the services under it.
    """
    rows = AlertGroup.objects.of_origin(origin).open()
    order = Case(
        When(status=GroupStatus.TRIGGERED, silenced_until=None, suppressed_until=None, then=Value(0)),
        When(status=GroupStatus.ACKNOWLEDGED, silenced_until=None, suppressed_until=None, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    is_below = Case(
        When(key__startswith="wave:", then=Value(0)), default=Value(1), output_field=IntegerField()
    )
    is_alone = Q(status=GroupStatus.TRIGGERED)
    for until in ("silenced_until", "suppressed_until"):
        is_alone &= Q(**{until: None}) | Q(**{f"{until}__lte": now})
    narrowed = filters.narrow_groups(rows)
    shown = list(
        narrowed.nested()
        .with_paged()
        .with_child_count()
        .annotate(total=Window(Count("pk")), alone=Window(Count(Case(When(is_alone, then=Value(1))))))
        .select_related("service__team", "acknowledged_by", "execution")
        .order_by(is_below, order, F("earliest_deadline_at").asc(nulls_last=True), "-pk")[:MOST_GROUPS]
    )
    total, matching = _counted(rows, narrowed, is_narrowed=True) if filters.is_set else (0, 0)
    first = shown[0] if shown else None
    return OpenGroups(
        shown=shown,
        total=getattr(first, "total", 0),
        alone=getattr(first, "alone", 0),
        hidden=total - matching,
    )


def _counted(rows: QuerySet[Row], narrowed: QuerySet[Row], *, is_narrowed: bool) -> tuple[int, int]:
    """How many there are, and how many of them the filters leave, in one query."""
    if not is_narrowed:
        total = rows.count()
        return total, total
    left = Q(pk__in=narrowed.order_by().values("pk"))
    counts = rows.aggregate(total=Count("pk"), shown=Count("pk", filter=left))
    return counts["total"], counts["shown"]


@dataclass(frozen=True, slots=True)
class Affected:
    """The services that are hit hardest, and how many there are in all."""

    rows: Sequence[AffectedService]
    services: int


def affected_services(*, origin: Origin, filters: Filters) -> Affected:
    """Services that are losing machines now, the most critical and the shortest first."""
    losing = filters.narrow_interruptions(Interruption.objects.of_origin(origin).running_out())
    services = list(
        Service.objects.filter(interruptions__in=losing)
        .annotate(running_out=Count("interruptions"), earliest_at=Min("interruptions__deadline_at"))
        .annotate(services_hit=Window(Count("pk")))
        .select_related("team")
        .order_by("-running_out", "pk")[:MOST_SERVICES]
    )
    replicas = replicas_by_service([service.pk for service in services])
    found = [
        AffectedService(
            service=service,
            running_out=service.running_out,
            earliest_deadline_at=service.earliest_at,
            replicas=replicas.get(service.pk),
        )
        for service in services
    ]
    rank = list(Criticality.values)
    return Affected(
        rows=sorted(found, key=lambda a: (not a.is_short, rank.index(a.service.criticality), -a.running_out)),
        services=services[0].services_hit if services else 0,
    )


@dataclass(frozen=True, slots=True)
class Headline:
    """The board's answer in a sentence, and what of it needs a person."""

    title: str
    lead: str


def headline(*, machines: int, affected: Affected, groups: OpenGroups, quiet: Quiet) -> Headline:
    """`7 machines are being reclaimed from 3 services`: said of what the filters show."""
    if not quiet.feeds:
        return Headline("What is being reclaimed now?", "Nobody would know: no feed is connected.")
    if not machines:
        heard = ", as far as is heard" if quiet.silent else ""
        return Headline(f"No machine is being reclaimed{heard}", _who_has_it(groups))
    verb = "machine is" if machines == 1 else "machines are"
    whose = affected.rows[0].service.name if affected.services == 1 else f"{affected.services} services"
    return Headline(f"{machines} {verb} being reclaimed from {whose}", _who_has_it(groups))


def _who_has_it(groups: OpenGroups) -> str:
    if not groups.total:
        return "No group is open."
    if not groups.alone:
        return "Somebody has every open group, or silenced it."
    if groups.total == 1:
        return "Nobody has its group yet."
    if groups.alone == groups.total:
        return f"Nobody has any of the {groups.total} open groups yet."
    return f"Nobody has {groups.alone} of {groups.total} open groups yet."


@dataclass(frozen=True, slots=True)
class PendingMoves:
    """Workloads that left a machine and do not run yet."""

    count: int
    oldest_at: datetime | None
    workloads: Sequence[Move]


def pending_moves(*, origin: Origin, now: datetime) -> PendingMoves:
    """Moves of the last day that have not ended."""
    rows = Move.objects.filter(origin=origin, running_at=None, evicted_at__gte=now - DAY)
    counted = rows.annotate(waiting=Window(Count("pk"))).select_related("machine__service")
    some = list(counted.order_by("evicted_at", "pk")[:MOST_MOVES])
    return PendingMoves(
        count=some[0].waiting if some else 0,
        oldest_at=some[0].evicted_at if some else None,
        workloads=some,
    )


def failed_hooks(*, origin: Origin, now: datetime) -> list[Hook]:
    """Shutdown hooks of the last day that did not complete, newest first."""
    rows = Hook.objects.filter(origin=origin, at__gte=now - DAY).exclude(outcome="complete")
    return list(rows.select_related("machine__service", "interruption").order_by("-at", "-pk")[:8])


@dataclass(frozen=True, slots=True)
class Latency:
    """How long workloads took to run again in the last day (M3). Seconds; None: too few to say."""

    n: int
    p50: float | None
    p95: float | None
    pending: int

    @property
    def is_enough(self) -> bool:
        return self.n >= LEAST_MOVES


_LATENCY = """
WITH moves AS (
    SELECT extract(epoch FROM running_at - evicted_at) AS seconds FROM interruptions_move
    WHERE origin = %s AND evicted_at >= %s
)
SELECT count(*), count(*) FILTER (WHERE seconds IS NULL),
       percentile_disc(0.5) WITHIN GROUP (ORDER BY coalesce(seconds, 'infinity'::float8)),
       percentile_disc(0.95) WITHIN GROUP (ORDER BY coalesce(seconds, 'infinity'::float8))
FROM moves
"""


def reschedule_latency(*, origin: Origin, now: datetime) -> Latency:
    """M3 over 24 h: nearest rank, a workload that does not run yet counts as infinitely long."""
    with connection.cursor() as cursor:
        cursor.execute(_LATENCY, [origin, now - DAY])
        n, pending, p50, p95 = cursor.fetchone()
    return Latency(n=n, p50=p50, p95=p95, pending=pending)


@dataclass(frozen=True, slots=True)
class Choices:
    """What the filters can be set to."""

    services: Sequence[tuple[str, str]]
    teams: Sequence[tuple[str, str]]
    providers: Sequence[str]
    regions: Sequence[str]


def choices(*, origin: Origin) -> Choices:
    """Names for the filter bar, from what exists in this data origin."""
    nothing = Value("", output_field=CharField())
    named = Service.objects.filter(origin=origin, archived_at=None).order_by("name", "pk")
    placed = Pool.objects.filter(origin=origin).order_by("provider", "region").distinct()
    rows = list(
        named.values_list("slug", "name", "team__slug", "team__name", Value(1))[:MOST_CHOICES].union(
            placed.values_list("provider", "region", nothing, nothing, Value(0))[:MOST_CHOICES], all=True
        )
    )
    services = sorted((row[:4] for row in rows if row[4]), key=lambda row: row[1])
    pools = {row[:2] for row in rows if not row[4]}
    teams = {slug: name for _, _, slug, name in services if slug}
    return Choices(
        services=[(slug, name) for slug, name, _, _ in services],
        teams=sorted(teams.items(), key=lambda team: team[1]),
        providers=sorted({provider for provider, _ in pools if provider}),
        regions=sorted({region for _, region in pools if region}),
    )
