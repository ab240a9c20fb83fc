"""What a suppression would have hidden in the last 30 days, had it been there: stored groups and receipts, set-based.

One that repeats is laid over its own windows, as if it had come all along. One that comes once covers all 30 days,
so that the figure is the most it could have hidden in any of them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from dateutil.relativedelta import relativedelta
from django.db.models import Q, QuerySet

from console.alerts.models import AlertGroup, Decision, Receipt, Resolution, ScopeKind, Suppression
from console.alerts.suppression.draft import Draft
from console.alerts.suppression.guard_rails import why_not
from console.alerts.suppression.parts import Made, read_parts, running_spot
from console.alerts.suppression.recurrence import Rule, Window, moment, wall_clock, windows
from console.alerts.suppression.scoping import covers, labels_of
from console.fleet.models import Service
from console.notifications.models import Notification, NotificationKind
from console.notifications.outbox import HEARD

BACK = timedelta(days=30)
MOST_GROUPS = 3_000
"""Looked at, the newest first; the preview says so where there were more."""
MOST_PEOPLE = 12


@dataclass(slots=True)
class Day:
    """What it would have hidden on one day of the draft's zone."""

    day: date
    groups: int = 0
    pages: int = 0
    tickets: int = 0


@dataclass(frozen=True, slots=True)
class Spared:
    """Somebody who would have had so many pages less."""

    name: str
    pages: int


@dataclass(frozen=True, slots=True)
class Preview:
    """The 30 days, and whom they would have spared."""

    is_repeating: bool
    windows: int
    days: Sequence[Day] = ()
    people: Sequence[Spared] = ()
    let_through: int = 0
    """Groups that it covers and must not hide: the guard-rails."""
    since: datetime | None = None
    """Where there were more than `MOST_GROUPS`: the oldest looked at."""

    @property
    def groups(self) -> int:
        return sum(day.groups for day in self.days)

    @property
    def pages(self) -> int:
        return sum(day.pages for day in self.days)

    @property
    def tickets(self) -> int:
        return sum(day.tickets for day in self.days)

    @property
    def most(self) -> int:
        """The scale of the bars."""
        return max((day.groups for day in self.days), default=0)


@dataclass(slots=True)
class _Counted:
    days: dict[date, Day] = field(default_factory=dict)
    paged: set[int] = field(default_factory=set)


def preview(draft: Draft, *, now: datetime) -> Preview:
    """At most seven queries, whatever it covers."""
    spans = past_windows(draft, now=now)
    rows = list(_candidates(draft, now=now)[: MOST_GROUPS + 1])
    groups = {group.pk: group for group in rows[:MOST_GROUPS]}
    made = read_parts(list(groups), labels_of(draft.scopes))
    covered = [groups[pk] for pk, one in made.items() if _is_covered(draft, one)]
    held_back = _held_back(draft, covered, made)
    hidden = [group for group in covered if group.pk not in held_back]
    counted = _count(draft, hidden, spans, now=now)
    return Preview(
        is_repeating=draft.rule is not None,
        windows=len(spans),
        days=[counted.days[day] for day in sorted(counted.days, reverse=True)],
        people=_people(counted.paged, spans),
        let_through=sum(_lies_in(groups[pk].triggered_at, spans) for pk in held_back),
        since=rows[MOST_GROUPS - 1].triggered_at if len(rows) > MOST_GROUPS else None,
    )


def past_windows(draft: Draft, *, now: datetime, back: timedelta = BACK) -> list[Window]:
    """Those that it would have had; a rule without its COUNT and UNTIL, moved back by whole turns of it."""
    since = now - back
    if draft.rule is None:
        return [Window(since, now)]
    rule = Rule(tuple((n, value) for n, value in draft.rule.parts if n not in ("COUNT", "UNTIL")))
    first = wall_clock(draft.starts_at, draft.zone)
    earliest = wall_clock(since - draft.duration, draft.zone)
    turn, count = _turn(rule), 1
    while (moved := first - turn * count) > earliest or (turn.months and moved.day != first.day):
        count += 1  # a month without that day would make the rule another one
    found = windows(
        rule,
        first=moment(moved, draft.zone),
        duration=draft.duration,
        zone=draft.zone,
        since=since - draft.duration,
        until=now,
    )
    return [Window(max(w.starts_at, since), min(w.ends_at, now)) for w in found if w.ends_at > since]


def _turn(rule: Rule) -> relativedelta:
    """After so long the rule falls on the same days again."""
    each = {"HOURLY": {"days": 1}, "DAILY": {"days": 1}, "WEEKLY": {"weeks": 1}, "MONTHLY": {"months": 1}}
    return relativedelta(
        **{unit: n * rule.interval for unit, n in each.get(rule.frequency, {"months": 12}).items()}
    )


def _candidates(draft: Draft, *, now: datetime) -> QuerySet[AlertGroup]:
    rows = AlertGroup.objects.of_origin(draft.origin).filter(triggered_at__gte=now - BACK)
    rows = rows.exclude(resolution=Resolution.LATE)
    if all(scope.kind in (ScopeKind.SERVICE, ScopeKind.TEAM) for scope in draft.scopes):
        teams = [scope.team_id for scope in draft.scopes if scope.team_id is not None]
        services = [scope.service_id for scope in draft.scopes if scope.service_id is not None]
        owned = Service.objects.filter(Q(team__in=teams) | Q(pk__in=services)).values("pk")
        rows = rows.filter(Q(service__in=owned) | Q(key__startswith="wave:"))
    return rows.only("key", "severity", "triggered_at", "service").order_by("-triggered_at", "-pk")


def _is_covered(draft: Draft, made: Made) -> bool:
    return all(any(covers(scope, part) for scope in draft.scopes) for part in made.parts)


def _held_back(draft: Draft, groups: Sequence[AlertGroup], made: Mapping[int, Made]) -> set[int]:
    """Of the groups that it covers: those that it must not hide."""
    asked = [
        (group.pk, service, at)
        for group in groups
        if (at := made[group.pk].first_at)
        for service in made[group.pk].lost
    ]
    running: dict[int, dict[int, int]] = defaultdict(dict)
    counts = running_spot([(service, at) for _, service, at in asked])
    for (pk, service, _), count in zip(asked, counts, strict=True):
        running[pk][service] = count
    unsigned = Suppression(kind=draft.kind, share=draft.share)
    return {
        group.pk
        for group in groups
        if why_not(unsigned, group, lost=made[group.pk].lost, running=running[group.pk])
    }


def _count(draft: Draft, hidden: Sequence[AlertGroup], spans: Sequence[Window], *, now: datetime) -> _Counted:
    counted = _Counted()

    def day_of(at: datetime) -> Day:
        day = at.astimezone(draft.zone).date()
        return counted.days.setdefault(day, Day(day))

    for group in hidden:
        if _lies_in(group.triggered_at, spans):
            day_of(group.triggered_at).groups += 1
    told = Receipt.objects.filter(
        group__in=[group.pk for group in hidden],
        decision__in=(Decision.PAGE, Decision.TICKET),
        at__gte=now - BACK,
    )
    for pk, decision, at in told.values_list("group", "decision", "at"):
        if not _lies_in(at, spans):
            continue
        if decision == Decision.PAGE:
            day_of(at).pages += 1
            counted.paged.add(pk)
        else:
            day_of(at).tickets += 1
    return counted


def _people(group_ids: Collection[int], spans: Sequence[Window]) -> list[Spared]:
    """Who was paged for these within the windows, the most often paged first."""
    if not group_ids:
        return []
    pages = Notification.objects.filter(
        subject__in=[f"group:{pk}" for pk in group_ids],
        kind=NotificationKind.PAGE,
        state__in=HEARD,
        person__isnull=False,
    ).select_related("person")
    counts = Counter(str(page.person) for page in pages if _lies_in(page.created_at, spans))
    return [Spared(name, count) for name, count in counts.most_common(MOST_PEOPLE)]


def _lies_in(at: datetime, spans: Sequence[Window]) -> bool:
    place = bisect_right(spans, at, key=lambda window: window.starts_at) - 1
    return place >= 0 and at < spans[place].ends_at
