"""How far the two pipelines are behind: what waits in their queues, and since when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from console.feeds.models import QueuedDelivery
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


def _lag(name: str, rows: QuerySet[Any], column: str, *, now: datetime) -> Lag:
    oldest = rows.values_list(column, flat=True).first()
    waiting = rows.count() if oldest else 0
    return Lag(
        name=name, waiting=waiting, seconds=max((now - oldest).total_seconds(), 0.0) if oldest else 0.0
    )
