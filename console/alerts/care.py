"""What might be forgotten: groups that somebody took long ago and nobody closed, the longest held first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q
from django.urls import reverse

from console.alerts.models import AlertGroup, Escalation, GroupStatus, StepKind
from console.lib.origin import Origin

MOST_HELD = 200


@dataclass(frozen=True, slots=True)
class Held:
    """A group that somebody has: since when, and what happens next."""

    group: AlertGroup
    url: str
    is_reminded: bool
    """Whoever has it was asked and has not answered."""
    reminders: int
    next_at: datetime | None
    """When they are asked next, or when it is given back."""


def held_groups(*, origin: Origin) -> Sequence[Held]:
    """Open groups by age of acknowledgement. Three queries."""
    rows = AlertGroup.objects.of_origin(origin).filter(status=GroupStatus.ACKNOWLEDGED)
    reminded = Count("escalation_steps", filter=Q(escalation_steps__kind=StepKind.REMINDED))
    groups = list(
        rows.select_related("acknowledged_by", "service__team")
        .annotate(reminder_count=reminded)
        .order_by("acknowledged_at", "pk")[:MOST_HELD]
    )
    running = {e.group_id: e for e in Escalation.objects.open().filter(group__in=groups)}
    return [_held(group, running.get(group.pk)) for group in groups]


def _held(group: AlertGroup, escalation: Escalation | None) -> Held:
    return Held(
        group=group,
        url=reverse("alerts:group_detail", args=[group.pk]),
        is_reminded=escalation is not None and escalation.reminded_at is not None,
        reminders=int(getattr(group, "reminder_count", 0)),
        next_at=escalation.next_at if escalation else None,
    )
