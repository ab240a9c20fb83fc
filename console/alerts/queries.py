"""What the pages of alert groups show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from django.db.models import Case, F, Q, When
from django.http import QueryDict
from django.urls import reverse

from console.alerts.models import (
    AlertEvent,
    AlertGroup,
    AlertGroupQuerySet,
    EscalationStep,
    EventKind,
    GroupKind,
    GroupMember,
    GroupStatus,
    Receipt,
    Ticket,
)
from console.fleet.links import Link, links_of, values_of
from console.fleet.models import UNATTRIBUTED, Service
from console.interruptions.models import Interruption
from console.interruptions.rows import InterruptionRow, interruption_rows
from console.lib.cursor import Page, cut_page
from console.lib.origin import Origin
from console.notifications.models import Notification
from console.runbooks.models import Act, StepMark

OF_OBJECTIVES = ("burn_", "objective_")
"""How the names of detectors begin whose scope is `<service>/<objective>`."""
MOST_MEMBERS = 200
MOST_CHILDREN = 100
MOST_EVENTS = 200
MOST_RECEIPTS = 50
SEARCHED = timedelta(days=30)
ORDER = ("-triggered_at", "-pk")


@dataclass(frozen=True, slots=True)
class Filters:
    """What the URL of the list asks for."""

    status: str = "open"
    service: str = ""
    severity: str = ""
    q: str = ""
    kind: str = ""
    team: str = ""
    interruption: int | None = None
    since: datetime | None = None
    until: datetime | None = None

    @classmethod
    def of(cls, query: QueryDict) -> Filters:
        service, severity, q = (query.get(name, "").strip()[:100] for name in ("service", "severity", "q"))
        status = query.get("status", "open")
        is_known = status in ("open", "resolved", "all")
        return cls(status=status if is_known else "open", service=service, severity=severity, q=q)

    @property
    def is_set(self) -> bool:
        return bool(self.service or self.severity or self.q)

    @property
    def query(self) -> str:
        return urlencode({n: getattr(self, n) for n in self.__dataclass_fields__ if getattr(self, n)})

    @property
    def is_searched_in_part(self) -> bool:
        """Open groups are searched whole, the past only as far back as `SEARCHED`."""
        return bool(self.q) and self.status != "open"

    def narrow(self, rows: AlertGroupQuerySet, *, now: datetime) -> AlertGroupQuerySet:
        if self.status == "open":
            rows = rows.exclude(status=GroupStatus.RESOLVED)
        elif self.status == "resolved":
            rows = rows.filter(status=GroupStatus.RESOLVED)
        elif self.status in GroupStatus.values:
            rows = rows.filter(status=self.status)
        rows = self._narrow_further(rows)
        if self.severity:
            rows = rows.filter(severity=self.severity)
        if self.q:
            rows = rows.filter(Q(title__icontains=self.q) | Q(impact__icontains=self.q))
        if self.is_searched_in_part:
            rows = rows.filter(triggered_at__gte=now - SEARCHED)
        return rows

    def _narrow_further(self, rows: AlertGroupQuerySet) -> AlertGroupQuerySet:
        """Services are looked up first: their ids lead to an index; a slug is there once an origin."""
        if self.service or self.team:
            services = Service.objects.filter(slug=self.service) if self.service else Service.objects.all()
            if self.team:
                is_nobodys = self.team == UNATTRIBUTED
                services = services.filter(team=None) if is_nobodys else services.filter(team__slug=self.team)
            rows = rows.about(list(services.values_list("pk", flat=True)))
        if self.kind:
            rows = rows.of_kind(GroupKind(self.kind))
        if self.interruption is not None:
            members = GroupMember.objects.filter(interruption=self.interruption)
            rows = rows.filter(pk__in=list(members.values_list("group", flat=True)))
        if self.since:
            rows = rows.filter(triggered_at__gte=self.since)
        if self.until:
            rows = rows.filter(triggered_at__lt=self.until)
        return rows


def page_of_groups(
    *, origin: Origin, filters: Filters, cursor: str, now: datetime, size: int = 50
) -> Page[AlertGroup]:
    """One page, the newest first. A wave stands for the groups of the services under it."""
    narrowed = filters.narrow(AlertGroup.objects.of_origin(origin), now=now)
    rows = narrowed.nested().with_paged().select_related("acknowledged_by", "service")
    return cut_page(rows, order=ORDER, cursor=cursor, size=size)


@dataclass(frozen=True, slots=True)
class Members:
    """The machines of a group, the least time left first; and how many are not listed."""

    rows: Sequence[MemberRow]
    unlisted: int


@dataclass(frozen=True, slots=True)
class MemberRow:
    """One of them, and why it is in this group."""

    row: InterruptionRow
    why: str


def members_of(group: AlertGroup, *, asked: int = 0) -> Members:
    """The first `MOST_MEMBERS` machines of a group with the reason each is in it, the one asked for among them."""
    mine = Interruption.objects.filter(memberships__group=group)
    order: tuple[Any, ...] = (F("ended_at").desc(nulls_first=True), "deadline_at", "pk")
    if asked:
        order = (Case(When(pk=asked, then=0), default=1), *order)
    rows = list(mine.select_related("service__team", "machine", "pool").order_by(*order)[:MOST_MEMBERS])
    reasons = dict(
        GroupMember.objects.filter(group=group, interruption__in=rows).values_list(
            "interruption_id", "reason"
        )
    )
    told = [MemberRow(row, reasons.get(row.id, "")) for row in interruption_rows(rows)]
    return Members(rows=told, unlisted=max(group.member_count - len(rows), 0))


def children_of(wave: AlertGroup) -> list[AlertGroup]:
    """The groups of the services under a wave: the open ones first, then by what they lose."""
    if not wave.is_wave:
        return []
    rows = AlertGroup.objects.filter(parent=wave).with_paged().select_related("acknowledged_by", "service")
    return list(rows.order_by(F("resolved_at").desc(nulls_first=True), "-member_count", "pk")[:MOST_CHILDREN])


def why_grouped(group: AlertGroup) -> list[AlertEvent]:
    """What made a wave one, and what widened it; the oldest first."""
    if not group.is_wave:
        return []
    return list(
        group.events.filter(
            kind__in=(EventKind.TRIGGERED, EventKind.JOINED, EventKind.REOPENED), data__rule="cascade"
        ).order_by("at", "pk")[:MOST_RECEIPTS]
    )


def events_of(group: AlertGroup) -> list[AlertEvent]:
    """The group's history as one story, the newest first: its own lines and what was done with its checklist.

    The checklist's marks are its history already; they are read into this one and not written twice.
    """
    told = list(group.events.select_related("by").order_by("-at", "-pk")[:MOST_EVENTS])
    if group.execution is None:
        return told
    marks = group.execution.marks.select_related("by").order_by("-at", "-pk")[:MOST_EVENTS]
    steps = group.execution.version.steps
    told += [_told_of(mark, str(steps[mark.step - 1]["title"])) for mark in marks]
    return sorted(told, key=lambda event: event.at, reverse=True)[:MOST_EVENTS]


DONE = {Act.TICK: "ticked", Act.UNTICK: "unticked", Act.SKIP: "skipped", Act.NOTE: "noted"}


def _told_of(mark: StepMark, title: str) -> AlertEvent:
    """A mark on a step as a line of the group's history; never stored."""
    text = f"Step {mark.step} {DONE[Act(mark.act)]}: {title}" + (f"\n{mark.note}" if mark.note else "")
    data = {"step": mark.step, "mark": mark.pk}
    return AlertEvent(
        at=mark.at, kind=EventKind.CHECKLIST, by=mark.by, by_label=mark.by_label, text=text, data=data
    )


@dataclass(frozen=True, slots=True)
class Told:
    """Decisions in a row that came out alike, the newest first."""

    receipts: Sequence[Receipt]

    @property
    def newest(self) -> Receipt:
        return self.receipts[0]


def receipts_of(group: AlertGroup, *, asked: int = 0) -> list[Told]:
    """Why somebody was told, or nobody was; the newest first. `asked`: an older one that is shown too."""
    rows = group.receipts.select_related("rule_version__rule").order_by("-pk")
    newest = list(rows[:MOST_RECEIPTS])
    if asked and asked not in {receipt.pk for receipt in newest}:
        newest += rows.filter(pk=asked)
    runs = groupby(newest, key=lambda receipt: (receipt.decision, receipt.rule_version_id, receipt.reason))
    return [Told(list(alike)) for _, alike in runs]


MOST_CHOICES = 50


def choices_of(group: AlertGroup, *, chosen: str = "") -> list[Interruption]:
    """The machines a checklist can be filled in for: the chosen one if it is a member, then the most urgent."""
    mine = Interruption.objects.filter(memberships__group=group).select_related("machine", "service")
    rows = list(mine.order_by(F("ended_at").desc(nulls_first=True), "deadline_at", "pk")[:MOST_CHOICES])
    wanted = mine.filter(pk=int(chosen)).first() if chosen.isdigit() and len(chosen) < 19 else None
    return [wanted, *(row for row in rows if row != wanted)] if wanted else rows


def checklist_variables(group: AlertGroup, member: Interruption | None) -> dict[str, object]:
    """What a runbook's `{{ … }}` are filled with: one machine of the group."""
    known: dict[str, object] = {"group_url": reverse("alerts:group_detail", args=[group.pk])}
    if member is None:
        return known | {"service": group.service.slug if group.service else ""}
    machine = member.machine
    return known | {
        "instance_id": machine.instance_id,
        "node_name": machine.node_name,
        "service": member.service.slug,
        "interruption_key": member.key,
        "deadline": member.deadline_at,
        "region": machine.region,
        "zone": machine.zone,
        "account": machine.account,
    }


def about_url(group: AlertGroup) -> str:
    """The page of the feed or the objective that a finding is about."""
    kind, _, slug = group.key.partition(":")
    if group.rule is not None and group.rule.detector.startswith(OF_OBJECTIVES) and slug.count("/") == 1:
        return f"{reverse('slo:objective_of', args=slug.split('/'))}?{urlencode({'origin': group.origin})}"
    if kind not in ("feed_silent", "no_notice") or "/" in slug:  # a place where no feed is connected
        return ""
    return reverse("feeds:feed_detail", args=[slug])


def links_out(group: AlertGroup, variables: Mapping[str, object], *, now: datetime) -> list[Link]:
    """Links to the service's logs, traces and metrics, filled for the group's most urgent machine."""
    service = group.service
    if service is None:
        return []
    values = values_of(
        service=service.slug,
        started_at=group.triggered_at,
        ended_at=group.resolved_at or now.replace(second=0, microsecond=0),
        interruption_key=str(variables.get("interruption_key", "")),
        instance_id=str(variables.get("instance_id", "")),
        node_name=str(variables.get("node_name", "")),
    )
    named = {"log_url": service.log_url, "trace_url": service.trace_url, "metric_url": service.metric_url}
    return list(links_of(**named, values=values))


MOST_STEPS = 100


def steps_of(group: AlertGroup) -> list[EscalationStep]:
    """What was done about telling people, the newest first."""
    rows = EscalationStep.objects.filter(group=group).select_related("person", "channel").order_by("-pk")
    return list(rows[:MOST_STEPS])


def messages_of(group: AlertGroup) -> list[Notification]:
    """Everything that was written to anybody about a group, with what became of it; the newest first."""
    rows = Notification.objects.filter(subject=f"group:{group.pk}").select_related("person", "channel")
    return list(rows.order_by("-pk")[:MOST_STEPS])


def tickets_of(group: AlertGroup) -> list[Ticket]:
    return list(Ticket.objects.filter(group=group).select_related("owner").order_by("-pk")[:MOST_STEPS])
