"""An alert group as a line of a board: plain values, ready for the template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count
from django.urls import reverse

from console.alerts.models import AlertGroup, GroupStatus, Verdict
from console.runbooks.checklist import Progress, progress


@dataclass(frozen=True, slots=True)
class GroupRow:
    """What `components/_group_row.html` shows."""

    id: int
    url: str
    members_url: str
    status: str
    status_label: str
    severity: str
    severity_label: str
    title: str
    impact: str
    member_count: int
    is_wave: bool
    is_finding: bool
    child_count: int
    """Groups of services that stand under this wave."""
    opened_at: datetime
    acknowledged_by: str
    deadline_at: datetime | None
    notice_at: datetime | None
    ended_at: datetime | None
    steps_done: int
    steps_total: int
    running_out: int
    is_open: bool
    left_label: str
    """Where there is no time left to count: why not."""
    checklist_url: str = ""
    """Where the checklist is fetched from when it is opened in the list."""
    is_paged: bool = False
    """Somebody was paged for it, so it can be judged whether that was worth it."""
    verdicts: tuple[tuple[str, str], ...] = tuple(Verdict.choices)


def group_rows(groups: Sequence[AlertGroup], *, now: datetime) -> list[GroupRow]:
    """Needs `acknowledged_by` selected along; one more query for all checklists, one for all waves that do not
    come from `with_child_count`.

    Those that come from `with_paged` can be judged.
    """
    if not groups:
        return []
    steps = progress([group.execution_id for group in groups if group.execution_id is not None])
    none = Progress(0, 0, 0)
    uncounted = [group.pk for group in groups if group.is_wave and not hasattr(group, "child_count")]
    children = {group.pk: getattr(group, "child_count", 0) for group in groups} | _child_counts(uncounted)
    return [
        _row(group, steps.get(group.execution_id or 0, none), children.get(group.pk, 0), now=now)
        for group in groups
    ]


def _child_counts(wave_ids: Sequence[int]) -> dict[int, int]:
    if not wave_ids:
        return {}
    rows = AlertGroup.objects.filter(parent__in=wave_ids).values_list("parent").annotate(count=Count("pk"))
    return {int(parent): count for parent, count in rows.order_by()}


def _row(group: AlertGroup, steps: Progress, children: int, *, now: datetime) -> GroupRow:
    status, label = _state(group, now=now)
    return GroupRow(
        id=group.pk,
        url=reverse("alerts:group_detail", args=[group.pk]),
        members_url=reverse("alerts:group_members", args=[group.pk]),
        status=status,
        status_label=label,
        severity=group.severity,
        severity_label=group.get_severity_display(),
        title=group.title,
        impact=_impact_alone(group),
        member_count=group.member_count,
        is_wave=group.is_wave,
        is_finding=group.is_finding,
        child_count=children,
        opened_at=group.triggered_at,
        acknowledged_by=group.holder,
        deadline_at=group.earliest_deadline_at if group.is_open else None,
        notice_at=group.triggered_at,
        ended_at=group.resolved_at,
        steps_done=steps.settled,
        steps_total=steps.total,
        running_out=group.running_out_count,
        is_open=group.is_open,
        left_label=_left_label(group),
        checklist_url=reverse("alerts:group_checklist", args=[group.pk]) if steps.total else "",
        is_paged=bool(getattr(group, "is_paged", False)),
    )


def _impact_alone(group: AlertGroup) -> str:
    """The impact without the service's name, which the title beside it says."""
    return group.impact.removeprefix(group.title.removeprefix("Reclaims of ") + ": ")


def _left_label(group: AlertGroup) -> str:
    if not group.is_open:
        return "closed"
    if group.is_finding:
        return "no deadline"
    return "no deadline told" if group.running_out_count else "every machine gone"


def _state(group: AlertGroup, *, now: datetime) -> tuple[str, str]:
    """The word of its status, and as people read it. What keeps an open group quiet stands in its place.

    So does that everybody was paged in vain, where the group comes from `with_paged`.
    """
    if group.is_open and group.is_silenced(now=now):
        return "silenced", "Silenced"
    if group.is_open and group.is_suppressed(now=now):
        return "suppressed", "Suppressed"
    if group.is_open and getattr(group, "is_unanswered", False):
        return "unanswered", "Nobody answered"
    if group.status == GroupStatus.TRIGGERED and group.is_flapping(now=now):
        return "flapping", "Flapping"
    return _status(group), _status_label(group)


def _status(group: AlertGroup) -> str:
    """A group that closed without healing does not look healed."""
    return group.resolution if group.resolution == "no_news" else group.status


def _status_label(group: AlertGroup) -> str:
    return str(group.get_resolution_display() if group.resolution else group.get_status_display())
