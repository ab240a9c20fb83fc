"""A group's figures, and the closing of groups that nobody has to close.

*Healed* means that every machine has ended or was withdrawn and every known move runs (none known:
10 minutes after the end). Without news for 30 minutes and without a pending move a group closes as
`no_news`, which nobody is told as healed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from console.alerts.impact import impact_sentences
from console.alerts.models import AlertEvent, AlertGroup, EventKind, GroupStatus, Resolution
from console.alerts.touched import Touched

NO_NEWS_AFTER = timedelta(minutes=30)
HEALED_AFTER_END = timedelta(minutes=10)
FIGURES = [
    "member_count",
    "running_out_count",
    "earliest_deadline_at",
    "impact",
    "last_news_at",
    "due_at",
    "status",
    "resolution",
    "resolved_at",
    "silenced_until",
    "version",
]

_FIGURES = """
SELECT g.group_id, count(*), count(*) FILTER (WHERE g.is_open),
       min(g.deadline_at) FILTER (WHERE g.is_open), bool_and(g.healed_at IS NOT NULL), max(g.healed_at),
       coalesce(sum(g.pending), 0)
FROM (
    SELECT m.group_id, i.deadline_at, o.is_open, v.pending,
           CASE WHEN o.is_open OR v.pending > 0 THEN NULL
                WHEN i.state = 'cancelled' THEN i.updated_at
                WHEN v.moves > 0 THEN greatest(i.ended_at, v.last_running_at)
                ELSE i.ended_at + %(wait)s::interval END AS healed_at
    FROM alerts_groupmember m
    JOIN interruptions_interruption i ON i.id = m.interruption_id
    CROSS JOIN LATERAL (
        SELECT i.state IN ('noticed', 'cordoned', 'draining', 'shutting_down', 'shut_down') AS is_open
    ) o
    CROSS JOIN LATERAL (
        SELECT count(*) AS moves, count(*) FILTER (WHERE running_at IS NULL) AS pending,
               max(running_at) AS last_running_at
        FROM interruptions_move WHERE interruption_id = i.id
    ) v
    WHERE m.group_id = ANY(%(groups)s)
) g GROUP BY g.group_id
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a group's members add up to."""

    members: int = 0
    running_out: int = 0
    earliest_deadline_at: datetime | None = None
    has_ended: bool = False
    healed_at: datetime | None = None
    pending_moves: int = 0


def refresh(groups: Sequence[AlertGroup], *, now: datetime, is_news: bool) -> list[AlertGroup]:
    """Write the figures of locked groups, close those that are over, and set when to look again."""
    if not groups:
        return []
    figures = _figures([group.pk for group in groups])
    impacts = impact_sentences(groups, figures)
    events = []
    for group in groups:
        mine = figures.get(group.pk, Figures())
        group.member_count, group.running_out_count = mine.members, mine.running_out
        group.earliest_deadline_at = mine.earliest_deadline_at
        group.impact = group.impact if group.is_finding else impacts[group.pk]
        group.version += 1
        if is_news:
            group.last_news_at = now
        if group.is_open:
            events += _close_if_over(group, mine, now=now)
            events += _end_silence(group, now=now)
        group.due_at = _next_look(group, mine, now=now) if group.is_open else None
    AlertGroup.objects.bulk_update(groups, FIGURES)
    AlertEvent.objects.bulk_create(events)
    return list(groups)


def settle(group_ids: Sequence[int], *, now: datetime) -> Touched:
    """Look at groups whose time has come, locked by the caller: heal, close as no news, or end a silence."""
    groups = list(AlertGroup.objects.filter(pk__in=group_ids).select_related("service").order_by("pk"))
    refreshed = refresh(groups, now=now, is_news=False)
    triggers = {group.pk: f"due:{now:%Y-%m-%dT%H:%M:%S}" for group in refreshed}
    return Touched(groups=refreshed, triggers=triggers)


def _figures(ids: Sequence[int]) -> dict[int, Figures]:
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES, {"groups": list(ids), "wait": str(HEALED_AFTER_END)})
        return {row[0]: Figures(*row[1:]) for row in cursor.fetchall()}


def _close_if_over(group: AlertGroup, figures: Figures, *, now: datetime) -> list[AlertEvent]:
    if group.is_finding:
        return []
    if figures.members == 0:
        return [_close(group, Resolution.MERGED, "Its machines were attributed elsewhere", now=now)]
    if figures.has_ended and figures.healed_at is not None and figures.healed_at <= now:
        return [
            _close(group, Resolution.HEALED, "Every machine has gone and its work runs elsewhere", now=now)
        ]
    if not figures.pending_moves and now - group.last_news_at >= NO_NEWS_AFTER:
        return [
            _close(
                group, Resolution.NO_NEWS, "No news for 30 minutes: closed, not known to be healed", now=now
            )
        ]
    return []


def _close(group: AlertGroup, resolution: Resolution, text: str, *, now: datetime) -> AlertEvent:
    group.status, group.resolution, group.resolved_at = GroupStatus.RESOLVED, resolution, now
    group.silenced_until = None
    return AlertEvent(
        group=group, at=now, kind=EventKind.RESOLVED, text=text, data={"resolution": resolution}
    )


def _end_silence(group: AlertGroup, *, now: datetime) -> list[AlertEvent]:
    if not group.is_open or group.silenced_until is None or group.silenced_until > now:
        return []
    group.silenced_until = None
    return [AlertEvent(group=group, at=now, kind=EventKind.UNSILENCED, text="The silence ended")]


def _next_look(group: AlertGroup, figures: Figures, *, now: datetime) -> datetime | None:
    looks = [group.silenced_until] if group.silenced_until else []
    if group.is_finding:
        return min(looks, default=None)
    if figures.has_ended and figures.healed_at is not None:
        looks.append(figures.healed_at)
    elif not figures.pending_moves:
        looks.append(group.last_news_at + NO_NEWS_AFTER)
    return min(looks) if looks else None
