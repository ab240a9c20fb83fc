"""Whether the console can do its work, in one sentence a reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from kombu import Connection
from kombu.exceptions import OperationalError

from console.feeds.models import PipelineStop, QueuedDelivery
from console.interruptions.models import InterruptionChange

MOST_LAG = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Lag:
    """What waits, and for how long the oldest of it has."""

    name: str
    waiting: int
    seconds: float


def lags(*, now: datetime) -> list[Lag]:
    """The two queues: deliveries to be recorded, changes to be alerted on."""
    return [
        _lag("record", QueuedDelivery.objects.order_by("pk"), "received_at", now=now),
        _lag("alert", InterruptionChange.objects.order_by("pk"), "at", now=now),
    ]


def _lag(name: str, rows: object, column: str, *, now: datetime) -> Lag:
    oldest = rows.values_list(column, flat=True).first()  # type: ignore[attr-defined]
    waiting = rows.count() if oldest else 0  # type: ignore[attr-defined]
    return Lag(
        name=name, waiting=waiting, seconds=max((now - oldest).total_seconds(), 0.0) if oldest else 0.0
    )


def problems(*, broker_url: str, now: datetime) -> list[str]:
    """Why the console is not ready. Empty: it is."""
    try:
        return [*_unmigrated(), *_behind(now=now), *_stopped(), *_no_broker(broker_url)]
    except DatabaseError as error:
        return [f"The database does not answer: {str(error).strip().splitlines()[0]}"]


def _unmigrated() -> list[str]:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{len(plan)} migrations are not applied. Run manage.py migrate."] if plan else []


def _behind(*, now: datetime) -> list[str]:
    return [
        f"The {lag.name} queue is {lag.seconds:.0f} s behind with {lag.waiting} waiting. Are the workers running?"
        for lag in lags(now=now)
        if lag.seconds > MOST_LAG.total_seconds()
    ]


def _stopped() -> list[str]:
    return [f"The {stop.name} pipeline stopped: {stop.reason}" for stop in PipelineStop.objects.all()]


def _no_broker(url: str) -> list[str]:
    try:
        with Connection(url, connect_timeout=2) as broker:
            broker.ensure_connection(max_retries=1, timeout=2)
    except (OperationalError, OSError) as error:
        return [f"The broker does not answer: {error}"]
    return []
