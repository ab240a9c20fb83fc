"""A cascade that is true for a service alone: its machines go at once in many places, and no wave explains it.

It opens no group of its own: it raises the service's open group, and says so in its history.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q

from console.alerts.detecting import ServiceRow
from console.alerts.detectors.cascade import (
    WINDOW,
    Cascade,
    Limits,
    Reclaim,
    Stock,
    find_service_cascade,
)
from console.alerts.models import AlertEvent, AlertGroup, EventKind
from console.alerts.opening import led_elsewhere, service_key
from console.alerts.rules_in_force import InForce, Rules
from console.alerts.settle import refresh
from console.alerts.touched import Change, Touched
from console.alerts.wave_reading import HISTORY, RECENT
from console.alerts.wave_words import reason_of
from console.alerts.waves import figures_of
from console.fleet.models import Service
from console.lib.rows import fetch

_COUNTS = "i.cause = 'spot' AND i.state NOT IN ('at_risk', 'no_action', 'cancelled') AND NOT i.is_late"
_IN_A_WAVE = """EXISTS (SELECT 1 FROM alerts_groupmember m JOIN alerts_alertgroup g ON g.id = m.group_id
                         WHERE m.interruption_id = i.id AND g.key LIKE 'wave:%%')"""
_NEAR = f"""
WITH fresh AS MATERIALIZED (
    SELECT i.id, i.service_id, i.started_at FROM interruptions_interruption i
    WHERE i.id = ANY(%(ids)s) AND {_COUNTS} AND i.started_at >= %(recent)s AND NOT {_IN_A_WAVE}
), span AS (
    SELECT service_id, array_agg(id) AS ids, min(started_at) - %(window)s::interval AS since,
           max(started_at) + %(window)s::interval AS until
    FROM fresh GROUP BY service_id
)
SELECT i.service_id, i.id, i.machine_id, i.pool_id, i.started_at, i.id = ANY(s.ids)
FROM span s JOIN interruptions_interruption i ON i.service_id = s.service_id
 AND i.started_at BETWEEN s.since AND s.until
WHERE {_COUNTS} AND NOT {_IN_A_WAVE} ORDER BY i.id
"""  # noqa: S608 - pieces of this file
_STOCKS = """
SELECT s.id, (SELECT count(*) FROM fleet_runninginterval r
              WHERE r.service_id = s.id AND r.ended_at IS NULL AND r.lifecycle = 'spot'),
       coalesce(past.reclaims, 0), coalesce(past.weeks, 0)
FROM unnest(%(services)s::bigint[]) AS s (id)
LEFT JOIN LATERAL (
    SELECT sum(d.reclaim_count)::bigint AS reclaims, (sum(d.spot_microseconds) / 604800e6)::float8 AS weeks
    FROM interruptions_measureday d
    WHERE d.service_id = s.id AND d.day >= %(now)s - %(history)s::interval AND d.day < date_trunc('day', %(now)s, 'UTC')
) past ON true
"""


@dataclass(slots=True)
class Near:
    """The reclaims of one service around the fresh ones, those in waves left out."""

    reclaims: list[Reclaim] = field(default_factory=list)
    fresh: set[int] = field(default_factory=set)

    @property
    def machines(self) -> int:
        return len({reclaim.machine_id for reclaim in self.reclaims})


def follow(changes: Sequence[Change], *, rules: Rules, now: datetime) -> Touched:
    """Called after waves, in their transaction: what they hold is explained already."""
    if not rules.of("cascade"):
        return Touched()
    fresh = [one.interruption_id for one in changes if not (one.is_replay and one.is_new)]
    near = {pk: one for pk, one in _near(fresh, now=now).items() if one.machines > 1}
    if not near:
        return Touched()
    found = _cascades(near, rules, now=now)
    return _raise(found, changes[-1], now=now) if found else Touched()


def _near(ids: Sequence[int], *, now: datetime) -> dict[int, Near]:
    found: dict[int, Near] = defaultdict(Near)
    values = {"ids": list(ids), "recent": now - RECENT, "window": WINDOW}
    for service_id, *reclaim, is_fresh in fetch(_NEAR, values):
        found[service_id].reclaims.append(Reclaim(*reclaim))
        if is_fresh:
            found[service_id].fresh.add(reclaim[0])
    return found


def _cascades(near: Mapping[int, Near], rules: Rules, *, now: datetime) -> dict[int, tuple[Cascade, InForce]]:
    """By service id, with the rule that looks at it."""
    services = Service.objects.select_related("team").in_bulk(near)
    values = {"services": sorted(near), "now": now, "history": HISTORY}
    found = {}
    for pk, running, reclaims, weeks in fetch(_STOCKS, values):
        rule = rules.choose("cascade", _row(services[pk]))
        if rule is None:
            continue
        stock, limits = Stock(running, reclaims, weeks), Limits.of(rule.limits)
        mine = near[pk]
        if cascade := find_service_cascade(mine.reclaims, stock, fresh=mine.fresh, limits=limits):
            found[pk] = cascade, rule
    return found


def _row(service: Service) -> ServiceRow:
    team = service.team.slug if service.team else ""
    return ServiceRow(
        service.pk, service.origin, service.slug, service.name, service.criticality, service.team_id, team
    )


def _raise(found: Mapping[int, tuple[Cascade, InForce]], change: Change, *, now: datetime) -> Touched:
    """Mark the groups that are not marked yet; one that is goes on as it is."""
    services = Service.objects.in_bulk(found)
    keys = {(service.origin, service_key(pk)): pk for pk, service in services.items()}
    led = {merged.target_id: keys[key] for key, merged in led_elsewhere(keys).items()}
    mine = Q(key__in=[key for _, key in keys], origin__in={origin for origin, _ in keys})
    rows = AlertGroup.objects.open().filter(mine | Q(pk__in=led), cascaded_at=None).select_related("service")
    groups = list(rows.select_for_update(of=("self",)).order_by("pk"))
    events = []
    for group in groups:
        service_id = keys.get((group.origin, group.key)) or led[group.pk]
        cascade, rule = found[service_id]
        group.cascaded_at = now
        scope = services[service_id].name
        text = reason_of(cascade, scope, Limits.of(rule.limits))
        data = figures_of(cascade, scope)
        events.append(AlertEvent(group=group, at=now, kind=EventKind.JOINED, text=text, data=data))
    AlertGroup.objects.bulk_update(groups, ["cascaded_at"])
    AlertEvent.objects.bulk_create(events)
    refresh(groups, now=now, is_news=True)
    return Touched(groups=groups, triggers={group.pk: f"change:{change.id}" for group in groups})
