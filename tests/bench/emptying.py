"""A bench begins with nothing of another's: its deliveries, machines, interruptions and groups are taken away."""

from __future__ import annotations

from django.db import connection

_TABLES = (
    "feeds_delivery, feeds_heartbeatdelivery, feeds_deliverykey, feeds_queueddelivery, feeds_pipelineattempt,"
    " feeds_quarantineditem, interruptions_observation, interruptions_observationkey, interruptions_interruption,"
    " interruptions_episode, alerts_alertgroup, fleet_machine, fleet_pool"
)


def empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {_TABLES} CASCADE")
