"""Whether the console can do its work, in one sentence a reason."""

from __future__ import annotations

from datetime import datetime

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from kombu import Connection
from kombu.exceptions import OperationalError

from console.feeds.models import PipelineStop
from console.interruptions.lag import MOST_LAG, lags


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
