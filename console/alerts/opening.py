"""How a service's group begins: its key, its first row, its members."""

from __future__ import annotations

from datetime import datetime

from console.alerts.models import AlertGroup, GroupMember, Severity
from console.fleet.models import Criticality, Service
from console.interruptions.models import Interruption
from console.runbooks.models import Execution

SEVERITY_OF = {
    Criticality.CRITICAL: Severity.ERROR,
    Criticality.USER_FACING: Severity.WARNING,
    Criticality.BATCH: Severity.INFO,
    Criticality.BEST_EFFORT: Severity.INFO,
}


def service_key(service_id: int) -> str:
    """The key of the group that a service's reclaims join."""
    return f"service:{service_id}"


def new_group(
    service: Service, *, origin: str, execution: Execution | None, triggered_at: datetime, now: datetime
) -> AlertGroup:
    """An open group of a service's reclaims, not stored yet."""
    return AlertGroup(
        origin=origin,
        key=service_key(service.pk),
        service=service,
        execution=execution,
        title=f"Reclaims of {service.name}",
        severity=SEVERITY_OF[Criticality(service.criticality)],
        triggered_at=triggered_at,
        last_news_at=now,
    )


def add_members(joined: dict[int, list[Interruption]], *, now: datetime) -> None:
    """Members by group id, each with the reason that its page shows."""
    GroupMember.objects.bulk_create(
        (
            GroupMember(
                group_id=group_id,
                interruption=interruption,
                joined_at=now,
                reason=f"Reclaim of a machine of {interruption.service.name}",
            )
            for group_id, members in sorted(joined.items())
            for interruption in members
        ),
        ignore_conflicts=True,
        batch_size=1_000,
    )
