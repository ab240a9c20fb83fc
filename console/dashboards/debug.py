"""Node-level facts: machines, shutdowns against their window, evacuation, storage, and one reclaim in full."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q
from django.http import QueryDict

from console.feeds.models import Delivery, Feed
from console.fleet.models import Machine
from console.fleet.queries import named, services_called
from console.interruptions.gantt import Gantt, draw
from console.interruptions.models import (
    Hook,
    Interruption,
    LogLine,
    Move,
    Observation,
    Replica,
    Volume,
    Work,
)
from console.interruptions.rows import InterruptionRow, interruption_rows
from console.interruptions.witnesses import Ledger, ledger_of
from console.lib.cursor import Page, cut_page
from console.lib.origin import Origin

WEEK = timedelta(days=7)
MOST_OBSERVATIONS = 500
MOST_LOG_LINES = 300
LOGS_BEFORE = timedelta(minutes=15)
LOGS_AFTER = timedelta(minutes=60)


@dataclass(frozen=True, slots=True)
class Witness:
    """What one feed said of a reclaim, when, and how long after the first one we heard."""

    observation: Observation
    feed: Feed | None
    delay: timedelta
    """From when it happened to when it was received."""
    behind: timedelta
    """From the first message about this reclaim to this one."""


@dataclass(frozen=True, slots=True)
class ReclaimPage:
    """Everything about one reclaim."""

    interruption: Interruption
    row: InterruptionRow
    gantt: Gantt
    ledger: Ledger
    witnesses: Sequence[Witness]
    hooks: Sequence[Hook]
    moves: Sequence[Move]
    works: Sequence[Work]
    volumes: Sequence[Volume]
    replicas: Sequence[Replica]
    logs: Sequence[LogLine]
    siblings: Sequence[Interruption]


def reclaim_page(interruption: Interruption, *, now: datetime) -> ReclaimPage:
    """All that is known of one reclaim: fifteen queries, whatever there is."""
    hooks = list(interruption.hook_records.order_by("at", "pk"))
    moves = list(interruption.move_records.order_by("evicted_at", "pk"))
    volumes = list(interruption.volume_records.order_by("at", "pk"))
    return ReclaimPage(
        interruption=interruption,
        row=interruption_rows([interruption])[0],
        gantt=draw(interruption, hooks=hooks, moves=moves, volumes=volumes, now=now),
        ledger=ledger_of(interruption),
        witnesses=_witnesses(interruption),
        hooks=hooks,
        moves=moves,
        works=list(interruption.work_records.order_by("at", "pk")),
        volumes=volumes,
        replicas=list(interruption.replica_records.order_by("last_write_at", "pk")),
        logs=_logs(interruption),
        siblings=list(
            Interruption.objects.filter(machine=interruption.machine_id, merged_into=None)
            .exclude(pk=interruption.pk)
            .order_by("-started_at", "-pk")[:10]
        ),
    )


def _witnesses(interruption: Interruption) -> list[Witness]:
    rows = list(
        Observation.objects.filter(
            interruption=interruption, received_at__gte=interruption.first_received_at - timedelta(days=1)
        ).order_by("received_at", "pk")[:MOST_OBSERVATIONS]
    )
    feeds = Feed.objects.in_bulk({row.feed_id for row in rows})
    return [
        Witness(
            observation=row,
            feed=feeds.get(row.feed_id),
            delay=row.received_at - row.occurred_at,
            behind=row.received_at - interruption.first_received_at,
        )
        for row in rows
    ]


def _logs(interruption: Interruption) -> list[LogLine]:
    over_at = interruption.ended_at or interruption.deadline_at or interruption.started_at
    rows = LogLine.objects.filter(
        machine=interruption.machine_id,
        at__range=(interruption.started_at - LOGS_BEFORE, over_at + LOGS_AFTER),
        received_at__gte=interruption.started_at - timedelta(days=1),
    )
    return list(rows.order_by("at", "pk")[:MOST_LOG_LINES])


def raw_message(observation_id: int, received_at: datetime) -> Delivery | None:
    """The message an observation was read from, exactly as received; None once it has expired."""
    observation = Observation.objects.filter(pk=observation_id, received_at=received_at).first()
    if observation is None:
        return None
    return Delivery.objects.filter(pk=observation.delivery_pk, received_at=received_at).first()


@dataclass(frozen=True, slots=True)
class MachineFilters:
    """What the URL of the debug board asks for."""

    q: str = ""
    service: str = ""
    provider: str = ""

    @classmethod
    def of(cls, query: QueryDict) -> MachineFilters:
        return cls(**{name: query.get(name, "").strip()[:200] for name in cls.__dataclass_fields__})

    @property
    def is_set(self) -> bool:
        return bool(self.q or self.service or self.provider)


def page_of_machines(*, origin: Origin, filters: MachineFilters, cursor: str) -> Page[Machine]:
    """Machines, those spoken of last first, with how often each was reclaimed."""
    rows = Machine.objects.filter(origin=origin, merged_into=None).select_related("service", "pool")
    if filters.q:
        rows = rows.filter(named(filters.q, origin=origin))
    if filters.service:
        rows = rows.filter(service__in=services_called(filters.service, origin=origin))
    if filters.provider:
        rows = rows.filter(provider=filters.provider)
    return cut_page(rows, order=("-last_seen_at", "-pk"), cursor=cursor, size=50)


def newest_reclaims(machines: Sequence[Machine]) -> dict[int, Interruption]:
    """The newest reclaim of each machine."""
    rows = (
        Interruption.objects.filter(machine__in=machines, merged_into=None)
        .order_by("machine_id", "-started_at", "-pk")
        .distinct("machine_id")
    )
    return {row.machine_id: row for row in rows}


@dataclass(frozen=True, slots=True)
class Shutdown:
    """One hook run held against the notice window it had."""

    hook: Hook
    seconds: float
    window: float | None

    @property
    def share(self) -> int | None:
        """Percent of the window that was used; over 100 it overran."""
        return round(100 * self.seconds / self.window) if self.window else None


def shutdowns(*, origin: Origin, now: datetime, most: int = 12) -> list[Shutdown]:
    """The latest hook runs with how much of their window they used."""
    rows = (
        Hook.objects.filter(
            origin=origin, at__gte=now - WEEK, started_at__isnull=False, finished_at__isnull=False
        )
        .select_related("machine__service", "interruption")
        .order_by("-at", "-pk")[:most]
    )
    found = []
    for hook in rows:
        if hook.started_at is None or hook.finished_at is None:
            continue
        window = hook.interruption.notice_window() if hook.interruption else None
        seconds = (hook.finished_at - hook.started_at).total_seconds()
        found.append(Shutdown(hook, seconds, window.total_seconds() if window else None))
    return found


@dataclass(frozen=True, slots=True)
class Evacuation:
    """How far the workloads of one reclaimed machine have come."""

    interruption: Interruption
    moved: int
    total: int


def evacuations(*, origin: Origin, now: datetime, most: int = 12) -> list[Evacuation]:
    """Machines whose workloads moved in the last day, those not finished first."""
    rows = (
        Interruption.objects.of_origin(origin)
        .filter(move_records__evicted_at__gte=now - timedelta(days=1))
        .select_related("service", "machine")
        .annotate(
            total=Count("move_records"),
            moved=Count("move_records", filter=Q(move_records__running_at__isnull=False)),
        )
        .order_by("-started_at", "-pk")[:most]
    )
    found = [Evacuation(row, getattr(row, "moved"), getattr(row, "total")) for row in rows]  # noqa: B009
    return sorted(found, key=lambda one: one.moved == one.total)


def attachments(*, origin: Origin, now: datetime, most: int = 12) -> list[Volume]:
    """The latest volumes that were let go, with how long they took to be attached again."""
    rows = Volume.objects.filter(origin=origin, at__gte=now - WEEK).select_related(
        "machine__service", "interruption"
    )
    return list(rows.order_by("-at", "-pk")[:most])


def recoveries(*, origin: Origin, now: datetime, most: int = 12) -> list[Replica]:
    """The latest replicas that were lost, with how long they took to be ready again."""
    rows = Replica.objects.filter(origin=origin, at__gte=now - WEEK).select_related(
        "machine__service", "interruption"
    )
    return list(rows.order_by("-at", "-pk")[:most])


def channel_named(missed_by: str) -> str:
    """`feed id:format` in words; empty where nothing is asked for."""
    feed_id, _, source = missed_by.partition(":")
    if not feed_id.isdecimal() or len(feed_id) > 18:
        return ""
    name = Feed.objects.filter(pk=int(feed_id)).values_list("name", flat=True).first()
    return f"{name or 'a feed since removed'} ({source})"


def hook_logs(*, origin: Origin, now: datetime, most: int = 20) -> list[LogLine]:
    """The latest lines that nodes sent."""
    rows = LogLine.objects.filter(origin=origin, received_at__gte=now - timedelta(days=1))
    return list(rows.select_related("machine").order_by("-received_at", "-pk")[:most])
