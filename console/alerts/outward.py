"""What programs outside hear: the life of reclaims, groups and tickets, worded as CloudEvents.

Written in the transaction of what happened, from the rows that say so: changes of interruptions in the alert
pipeline, lines of a group's history, changes of a ticket. An event's id is key and stage, so that a receiver
knows a repeat. `docs/outward-events.md` is the reference of the types and their data.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.urls import reverse

from console.alerts.models import AlertEvent, AlertGroup, EventKind, Ticket
from console.alerts.touched import Change
from console.fleet.models import WorkloadStatus
from console.interruptions.models import HINT_STATES, Interruption, Move, State
from console.lib.origin import Origin
from console.notifications.subscribers.publishing import Happening, hearers, iso, publish

STAGES: tuple[tuple[str, str], ...] = (
    ("cordoned", "cordoned_at"),
    ("draining", "drain_started_at"),
    ("shutting_down", "shutdown_started_at"),
    ("shut_down", "shutdown_completed_at"),
    ("ended", "ended_at"),
    ("rescheduled", "running_at"),
)
"""After `noticed`: each stage and the column that says when it was reached."""
GROUP_STAGES = {
    EventKind.TRIGGERED: "triggered",
    EventKind.REOPENED: "reopened",
    EventKind.ACKNOWLEDGED: "acknowledged",
    EventKind.UNACKNOWLEDGED: "unacknowledged",
    EventKind.EXPIRED: "unacknowledged",
    EventKind.UNANSWERED: "unanswered",
    EventKind.SILENCED: "silenced",
    EventKind.UNSILENCED: "unsilenced",
    EventKind.RESOLVED: "resolved",
}
LATELY = timedelta(days=1)
INTERRUPTION, GROUP, TICKET = "spot.interruption.", "spot.group.", "spot.ticket."
TYPES = (
    *(f"{INTERRUPTION}{stage}" for stage in ("noticed", *(name for name, _ in STAGES), "cancelled")),
    *(f"{GROUP}{stage}" for stage in dict.fromkeys(GROUP_STAGES.values())),
    *(f"{TICKET}{stage}" for stage in ("opened", "changed")),
)


def tell_interruptions(changes: Sequence[Change], *, now: datetime) -> None:
    """Each stage that these reclaims reached and nobody outside heard of yet. Late ones are history."""
    if not (to := hearers()):
        return
    told = [change.interruption_id for change in changes if not change.is_replay]
    rows = Interruption.objects.filter(pk__in=told, is_late=False, merged_into=None)
    rows = rows.filter(origin__in={one.origin for one in to}).exclude(state__in=HINT_STATES)
    reclaims = list(rows.select_related("service__team", "machine", "pool").order_by("pk"))
    if not reclaims:
        return
    workloads = _workloads(reclaims)
    publish([one for row in reclaims for one in _of_reclaim(row, workloads)], to=to, now=now)


def tell_groups(group_ids: Collection[int], *, now: datetime) -> None:
    """What their histories say since yesterday and nobody outside heard of yet."""
    if not (to := hearers()):
        return
    since = max(now - LATELY, min(one.created_at for one in to))
    events = AlertEvent.objects.filter(group__in=group_ids, kind__in=GROUP_STAGES, at__gte=since)
    events = events.filter(group__origin__in={one.origin for one in to})
    rows = events.select_related("group__service__team", "group__acknowledged_by", "by").order_by("pk")
    publish([_of_group(event) for event in rows], to=to, now=now)


def tell_tickets(tickets: Sequence[Ticket], *, stage: str, now: datetime) -> None:
    """They were opened or changed: one event for each version."""
    if tickets and (to := hearers()):
        publish([_of_ticket(ticket, stage, now=now) for ticket in tickets], to=to, now=now)


def _of_reclaim(row: Interruption, workloads: Mapping[str, Any]) -> Iterable[Happening]:
    reached: list[tuple[str, datetime]] = [("noticed", row.notice_at or row.started_at)]
    reached += [(stage, at) for stage, column in STAGES if (at := getattr(row, column)) is not None]
    if row.state == State.CANCELLED:
        reached.append(("cancelled", row.updated_at))
    data = _reclaim_data(row, workloads)
    for stage, at in sorted(reached, key=lambda one: one[1]):
        yield Happening(
            key=_key(row.origin, f"{row.key}:{stage}"),
            origin=row.origin,
            type=f"{INTERRUPTION}{stage}",
            subject=row.key,
            service=row.service.slug,
            at=at,
            known_since=row.first_received_at,
            data={"stage": stage} | data,
        )


def _reclaim_data(row: Interruption, workloads: Mapping[str, Any]) -> dict[str, Any]:
    machine, service = row.machine, row.service
    return {
        "key": row.key,
        "state": row.state,
        "cause": row.cause,
        "known_by": row.known_by,
        "provider": row.provider,
        "account": machine.account,
        "region": machine.region,
        "zone": machine.zone,
        "instance_id": machine.instance_id,
        "instance_type": machine.instance_type,
        "node_name": machine.node_name,
        "notice_at": _time(row.notice_at),
        "deadline_at": _time(row.deadline_at),
        "ended_at": _time(row.ended_at),
        "service": {
            "slug": service.slug,
            "name": service.name,
            "team": service.team.slug if service.team else None,
            "criticality": service.criticality,
        },
        "workloads": workloads["of_service"].get(row.service_id, []),
        "moves": workloads["of_reclaim"].get(row.pk, []),
        "url": _url(f"/interruptions/{row.pk}/"),
    }


def _workloads(reclaims: Sequence[Interruption]) -> dict[str, dict[int, list[dict[str, Any]]]]:
    """What the service's clusters last reported, and which workloads left these machines."""
    of_service: dict[int, list[dict[str, Any]]] = defaultdict(list)
    statuses = WorkloadStatus.objects.filter(service__in={row.service_id for row in reclaims})
    for status in statuses.order_by("cluster", "namespace", "workload"):
        of_service[status.service_id].append(
            {
                "cluster": status.cluster,
                "workload": f"{status.namespace}/{status.workload}",
                "wanted": status.wanted,
                "ready": status.ready,
                "needed": status.needed,
            }
        )
    of_reclaim: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for move in Move.objects.filter(interruption__in=reclaims).order_by("evicted_at", "pk"):
        of_reclaim[move.interruption_id or 0].append(
            {
                "workload": move.workload,
                "evicted_at": _time(move.evicted_at),
                "running_at": _time(move.running_at),
            }
        )
    return {"of_service": of_service, "of_reclaim": of_reclaim}


def _of_group(event: AlertEvent) -> Happening:
    group, stage = event.group, GROUP_STAGES[EventKind(event.kind)]
    return Happening(
        key=_key(group.origin, f"{_subject(group)}:{stage}:{event.pk}"),
        origin=group.origin,
        type=f"{GROUP}{stage}",
        subject=_subject(group),
        service=group.service.slug if group.service else "",
        at=event.at,
        known_since=event.at,
        data={"stage": stage, "by": event.who, "text": event.text} | _group_data(group),
    )


def _group_data(group: AlertGroup) -> dict[str, Any]:
    return {
        "id": group.pk,
        "key": group.key,
        "title": group.title,
        "impact": group.impact,
        "severity": group.severity,
        "status": group.status,
        "resolution": group.resolution or None,
        "service": group.service.slug if group.service else None,
        "team": group.service.team.slug if group.service and group.service.team else None,
        "members": group.member_count,
        "running_out": group.running_out_count,
        "acknowledged_by": group.holder or None,
        "url": _url(reverse("alerts:group_detail", args=[group.pk])),
    }


def _of_ticket(ticket: Ticket, stage: str, *, now: datetime) -> Happening:
    return Happening(
        key=_key(ticket.origin, f"ticket:{ticket.pk}:{stage}:{ticket.version}"),
        origin=ticket.origin,
        type=f"{TICKET}{stage}",
        subject=f"ticket:{ticket.pk}",
        service=ticket.service.slug if ticket.service else "",
        at=now,
        known_since=now,
        data={
            "stage": stage,
            "id": ticket.pk,
            "title": ticket.title,
            "reason": ticket.reason,
            "rule": ticket.rule,
            "severity": ticket.severity,
            "state": ticket.state,
            "owner": ticket.owner.email if ticket.owner else None,
            "team": ticket.team.slug if ticket.team else None,
            "service": ticket.service.slug if ticket.service else None,
            "due_at": _time(ticket.due_at),
            "link": ticket.link or None,
            "group": ticket.group_id,
            "url": _url(reverse("alerts:ticket_detail", args=[ticket.pk])),
        },
    )


def _subject(group: AlertGroup) -> str:
    return f"group:{group.pk}"


def _key(origin: str, key: str) -> str:
    """Keys of two origins never meet."""
    return key if origin == Origin.LIVE else f"{origin}:{key}"


def _time(at: datetime | None) -> str | None:
    return iso(at) if at else None


def _url(path: str) -> str:
    return f"{settings.CONSOLE_URL}{path}"
