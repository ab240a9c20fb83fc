"""How a wave begins: one open for each zone, or one that closed a moment ago and goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db.models import Q

from console.alerts.detectors.cascade import Cascade
from console.alerts.models import AlertEvent, AlertGroup, EventKind, GroupStatus, Severity
from console.alerts.silences import keep
from console.alerts.wave_reading import Zone
from console.runbooks.checklist import start_many
from console.runbooks.models import Execution


def _of_zones(zones: Sequence[Zone]) -> Q:
    matches = Q(pk__in=[])
    for origin in sorted({zone.origin for zone in zones}):
        matches |= Q(origin=origin, key__in=[zone.key for zone in zones if zone.origin == origin])
    return matches


def open_missing(
    firing: Mapping[Zone, Cascade], *, cooldown: timedelta, now: datetime
) -> set[tuple[str, str]]:
    """Open the waves that are not there yet, or re-open those closed within the cooldown. Returns their keys."""
    if not firing:
        return set()
    there = AlertGroup.objects.open().filter(_of_zones(list(firing)))
    known = set(there.values_list("origin", "key"))
    missing = sorted(zone for zone in firing if (zone.origin, zone.key) not in known)
    if not missing:
        return set()
    reopened = _reopen(missing, cooldown=cooldown, now=now)
    missing = [zone for zone in missing if (zone.origin, zone.key) not in reopened]
    executions = start_many([(None, zone.origin) for zone in missing], now=now)
    AlertGroup.objects.bulk_create(
        (_new(zone, firing[zone], run, now=now) for zone, run in zip(missing, executions, strict=True)),
        ignore_conflicts=True,
    )
    Execution.objects.filter(pk__in=[run.pk for run in executions], alert_group=None).delete()
    return {(zone.origin, zone.key) for zone in missing}


def _reopen(zones: Sequence[Zone], *, cooldown: timedelta, now: datetime) -> set[tuple[str, str]]:
    closed = AlertGroup.objects.filter(_of_zones(zones), resolved_at__gt=now - cooldown)
    newest: dict[tuple[str, str], AlertGroup] = {}
    for wave in closed.select_for_update().order_by("pk"):
        newest[wave.origin, wave.key] = wave
    told = {}
    for wave in newest.values():
        told[wave.pk] = f"The cascade goes on. {go_on(wave, cooldown=cooldown, now=now)}".strip()
    fields = [
        "status",
        "resolution",
        "resolved_at",
        "resolved_by",
        "cooldown_until",
        "silenced_until",
        "due_at",
    ]
    AlertGroup.objects.bulk_update(newest.values(), fields)
    AlertEvent.objects.bulk_create(
        AlertEvent(group=wave, at=now, kind=EventKind.REOPENED, text=told[wave.pk])
        for wave in newest.values()
    )
    return set(newest)


def go_on(wave: AlertGroup, *, cooldown: timedelta, now: datetime) -> str:
    """A closed wave is open again, under its cooldown; what is to be said of its silence."""
    silence = keep(wave, now=now)
    is_held = wave.acknowledged_at is not None
    wave.status = GroupStatus.ACKNOWLEDGED if is_held else GroupStatus.TRIGGERED
    wave.cooldown_until = (wave.resolved_at or now) + cooldown
    wave.resolution, wave.resolved_at, wave.resolved_by = "", None, None
    return silence


def _new(zone: Zone, cascade: Cascade, execution: Execution, *, now: datetime) -> AlertGroup:
    return AlertGroup(
        origin=zone.origin,
        key=zone.key,
        pool_id=cascade.pool_id,
        execution=execution,
        title=f"Wave of reclaims in {zone.name}",
        severity=Severity.WARNING,
        triggered_at=now,
        last_news_at=now,
    )


def lock(zones: Sequence[Zone], wave_ids: Sequence[int]) -> dict[int, AlertGroup]:
    wanted = AlertGroup.objects.filter(
        _of_zones(zones) & ~Q(status=GroupStatus.RESOLVED) | Q(pk__in=wave_ids)
    )
    return {wave.pk: wave for wave in wanted.select_for_update().order_by("pk")}
