"""A group's figures, and the closing of groups that nobody has to close.

*Healed* means that every machine has ended or was withdrawn and every known move runs (none known:
10 minutes after the end). Without news for 30 minutes and without a pending move a group closes as
`no_news`, which nobody is told as healed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter

from console.alerts.impact import Impact, assess, sentence_of
from console.alerts.models import AlertEvent, AlertGroup, EventKind, GroupStatus, Resolution
from console.alerts.severity import severity_of, why
from console.alerts.touched import Touched
from console.lib.rows import as_table, fetch, run

NO_NEWS_AFTER = timedelta(minutes=30)
HEALED_AFTER_END = timedelta(minutes=10)
_WRITTEN = {
    "id": "bigint",
    "member_count": "int",
    "running_out_count": "int",
    "earliest_deadline_at": "timestamptz",
    "impact": "text",
    "severity": "text",
    "below_need_since": "timestamptz",
    "last_news_at": "timestamptz",
    "due_at": "timestamptz",
    "status": "text",
    "resolution": "text",
    "resolved_at": "timestamptz",
    "silenced_until": "timestamptz",
    "version": "int",
}
_SET = ", ".join(f"{name} = f.{name}" for name in _WRITTEN if name != "id")

_FIGURES = """
WITH member AS MATERIALIZED (
    SELECT group_id, interruption_id FROM alerts_groupmember WHERE group_id = ANY(%(groups)s)
), moved AS (
    SELECT interruption_id, count(*) AS moves, count(*) FILTER (WHERE running_at IS NULL) AS pending,
           max(running_at) AS last_running_at
    FROM interruptions_move WHERE interruption_id IN (SELECT interruption_id FROM member) GROUP BY interruption_id
)
SELECT g.group_id, count(*), count(*) FILTER (WHERE g.is_open),
       min(g.deadline_at) FILTER (WHERE g.is_open), bool_and(g.healed_at IS NOT NULL), max(g.healed_at),
       coalesce(sum(g.pending), 0)
FROM (
    SELECT m.group_id, i.deadline_at, o.is_open, v.pending,
           CASE WHEN o.is_open OR v.pending > 0 THEN NULL
                WHEN i.state = 'cancelled' THEN i.updated_at
                WHEN v.moves > 0 THEN greatest(i.ended_at, v.last_running_at)
                ELSE i.ended_at + %(wait)s::interval END AS healed_at
    FROM member m
    JOIN interruptions_interruption i ON i.id = m.interruption_id
    CROSS JOIN LATERAL (
        SELECT i.state IN ('noticed', 'cordoned', 'draining', 'shutting_down', 'shut_down') AS is_open
    ) o
    LEFT JOIN moved v ON v.interruption_id = i.id
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
    impacts = assess(groups)
    events = []
    for group in groups:
        events += advance(
            group, impacts[group.pk], figures.get(group.pk, Figures()), now=now, is_news=is_news
        )
    _write(groups)
    AlertEvent.objects.bulk_create(events)
    return list(groups)


def advance(
    group: AlertGroup, impact: Impact, figures: Figures, *, now: datetime, is_news: bool
) -> list[AlertEvent]:
    """Bring one group up to these figures, close it if it is over, say when to look again. Pure."""
    events: list[AlertEvent] = []
    group.member_count, group.running_out_count = figures.members, figures.running_out
    group.earliest_deadline_at = figures.earliest_deadline_at
    if not group.is_finding:
        events += _weigh(group, impact, figures, now=now)
    group.version += 1
    if is_news:
        group.last_news_at = now
    if group.is_open:
        events += _close_if_over(group, figures, now=now)
        events += _end_silence(group, now=now)
    group.due_at = _next_look(group, figures, now=now) if group.is_open else None
    return events


def _weigh(group: AlertGroup, impact: Impact, figures: Figures, *, now: datetime) -> list[AlertEvent]:
    """What it means for its services now, in words and in its severity. A closed group keeps how bad it was."""
    group.impact = sentence_of(group, impact, figures)
    if not group.is_open:
        return []
    group.below_need_since = (group.below_need_since or now) if impact.is_short else None
    severity = severity_of(impact, is_wave=group.is_wave, is_cascade=group.cascaded_at is not None)
    if severity == group.severity:
        return []
    data = {"from": str(group.severity), "to": severity.value}
    group.severity = severity
    return [AlertEvent(group=group, at=now, kind=EventKind.SEVERITY, text=why(impact, severity), data=data)]


def settle(group_ids: Sequence[int], *, now: datetime) -> Touched:
    """Look at groups whose time has come, locked by the caller: heal, close as no news, or end a silence."""
    groups = list(AlertGroup.objects.filter(pk__in=group_ids).select_related("service").order_by("pk"))
    refreshed = refresh(groups, now=now, is_news=False)
    triggers = {group.pk: f"due:{now:%Y-%m-%dT%H:%M:%S}" for group in refreshed}
    return Touched(groups=refreshed, triggers=triggers)


def _figures(ids: Sequence[int]) -> dict[int, Figures]:
    rows = fetch(_FIGURES, {"groups": list(ids), "wait": str(HEALED_AFTER_END)})
    return {row[0]: Figures(*row[1:]) for row in rows}


def _write(groups: Sequence[AlertGroup]) -> None:
    """Not `bulk_update`: every batch of a storm comes by here, and its expression costs more than its rows."""
    rows = [attrgetter(*_WRITTEN)(group) for group in groups]
    table, values = as_table(rows, _WRITTEN, name="f")
    run(f"UPDATE alerts_alertgroup g SET {_SET} FROM {table} WHERE g.id = f.id", values)  # noqa: S608


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
    """A silence that lasts stays: should it open again before that ends, it is silent still (`silences.py`)."""
    group.status, group.resolution, group.resolved_at = GroupStatus.RESOLVED, resolution, now
    if not group.is_silenced(now=now):
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
    looks = [
        at for at in (group.silenced_until, group.cooldown_until, group.flapping_until) if at and at > now
    ]
    if group.is_finding:
        return min(looks, default=None)
    if figures.has_ended and figures.healed_at is not None:
        looks.append(figures.healed_at)
    elif not figures.pending_moves:
        looks.append(group.last_news_at + NO_NEWS_AFTER)
    return min(looks) if looks else None
