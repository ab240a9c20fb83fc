"""Groups about the console itself: a pipeline that stopped, work that failed. They have no members.

One is open for a key, held by the database as for every other group.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from console.alerts import routing, silences
from console.alerts.models import (
    AlertEvent,
    AlertGroup,
    AlertGroupQuerySet,
    EventKind,
    GroupStatus,
    Resolution,
    Severity,
)
from console.alerts.touched import Touched
from console.lib.live import announce
from console.lib.origin import Origin


def open_finding(
    key: str,
    *,
    title: str,
    text: str,
    severity: Severity,
    now: datetime,
    origin: str = Origin.LIVE,
) -> AlertGroup:
    """Open the group of `key`, or tell the open one what is known now."""
    with transaction.atomic():
        group = AlertGroup(
            origin=origin,
            key=key,
            title=title,
            impact=text[:300],
            severity=severity,
            triggered_at=now,
            last_news_at=now,
        )
        AlertGroup.objects.bulk_create([group], ignore_conflicts=True)
        group = _locked(key, origin).get()
        if not group.events.exists():
            silences.carry_over([group], now=now)
            _tell(group, EventKind.TRIGGERED, text, now=now)
        elif group.impact != text[:300]:
            group.title, group.impact, group.last_news_at = title, text[:300], now
            group.version += 1
            group.save(update_fields=["title", "impact", "last_news_at", "version"])
            announce("groups", ids=[group.pk])
    return group


def close_finding(key: str, *, text: str, now: datetime, origin: str = Origin.LIVE) -> None:
    """It is over: resolve the open group of `key`, if there is one."""
    with transaction.atomic():
        for group in _locked(key, origin):
            group.status, group.resolution, group.resolved_at = (
                GroupStatus.RESOLVED,
                Resolution.HEALED,
                max(now, group.triggered_at),
            )
            group.due_at = None
            group.version += 1
            group.save()
            _tell(group, EventKind.RESOLVED, text, now=now)


def _locked(key: str, origin: str) -> AlertGroupQuerySet:
    return AlertGroup.objects.open().filter(origin=origin, key=key).select_for_update()


def _tell(group: AlertGroup, kind: EventKind, text: str, *, now: datetime) -> None:
    """History, receipt, boards."""
    AlertEvent.objects.create(group=group, at=now, kind=kind, text=text)
    trigger = f"{kind.value}:{now:%Y-%m-%dT%H:%M:%S.%f}"
    routing.decide(Touched(groups=[group], triggers={group.pk: trigger}), now=now)
    announce("groups", ids=[group.pk])
