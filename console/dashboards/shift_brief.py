"""Since your last shift: what happened to the services of your rotations while somebody else had them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, F, Q, QuerySet

from console.accounts.models import User
from console.alerts.models import AlertEvent, AlertGroup, AlertGroupQuerySet, EventKind, GroupStatus
from console.feeds.models import Feed, FeedEvent, FeedEventKind
from console.fleet.models import Team
from console.interruptions.models import Interruption
from console.oncall.models import HandOffNote, Rotation
from console.oncall.queries import OwnShift, notes_of, own_shifts_in, rotations_of
from console.oncall.schedule import HORIZON

WEEK = timedelta(days=7)
OLDEST_OPENED = timedelta(days=90)
"""Groups that were opened longer before are not looked through for what was done to them since."""
MOST_GROUPS = 25
MOST_NOTES = 20
MOST_SILENCES = 20
CHOICES = {"": "your last shift", "24": "24 hours ago", "168": "7 days ago"}
"""Hours back, as the page offers them."""


@dataclass(frozen=True, slots=True)
class Absence:
    """From when on the brief tells, and why from then."""

    since: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose services it is about. Without teams: everything."""

    origin: str
    rotations: Sequence[Rotation]
    teams: Sequence[Team]

    def groups(self) -> AlertGroupQuerySet:
        """Groups of the teams' services, waves over them, and what the console found out about itself."""
        groups = AlertGroup.objects.of_origin(self.origin)
        if not self.teams:
            return groups
        own = Q(service__team__in=self.teams)
        children = AlertGroup.objects.filter(own).exclude(parent=None)
        itself = Q(service=None) & ~Q(key__startswith="wave:")
        return groups.filter(own | itself | Q(pk__in=children.values("parent")))

    def interruptions(self) -> QuerySet[Interruption]:
        counted = Interruption.objects.of_origin(self.origin).counted()
        return counted.filter(service__team__in=self.teams) if self.teams else counted


@dataclass(frozen=True, slots=True)
class Brief:
    """Everything the page shows."""

    absence: Absence
    scope: Scope
    opened_count: int
    closed_count: int
    open_count: int
    reclaim_count: int
    open_groups: Sequence[AlertGroup]
    closed_groups: Sequence[AlertGroup]
    holders: Sequence[tuple[str, int]]
    """Who acknowledged how many groups."""
    notes: Sequence[AlertEvent]
    hand_off_notes: Sequence[HandOffNote]
    silences: Sequence[FeedEvent]
    silent_feeds: Sequence[Feed]

    @property
    def is_quiet(self) -> bool:
        return not (self.opened_count or self.closed_count or self.open_count or self.reclaim_count)


def absence_of(shifts: Sequence[OwnShift], *, asked: str, now: datetime) -> Absence:
    """Since the end of the newest shift that is over. One that runs to this moment is not over."""
    if asked in CHOICES and asked:
        return Absence(now - timedelta(hours=int(asked)), f"since {CHOICES[asked]}")
    over = [own for own in shifts if own.shift.ended_at < now]
    if not over:
        return Absence(now - WEEK, "for the last 7 days: no shift of yours ended in the last 90")
    last = max(over, key=lambda own: own.shift.ended_at)
    return Absence(last.shift.ended_at, f"since your last shift, {last.rotation.name}")


def brief_of(person: User, *, origin: str, asked: str = "", is_all: bool = False, now: datetime) -> Brief:
    """`asked` is one of CHOICES; `is_all` looks beyond the person's own rotations."""
    rotations = list(rotations_of(origin))
    around = own_shifts_in(rotations, person, since=now - HORIZON, until=now + HORIZON)
    scope, absence = (
        _scope(around, rotations, origin=origin, is_all=is_all),
        absence_of(around, asked=asked, now=now),
    )
    since = absence.since
    recent = scope.groups().filter(
        Q(triggered_at__gte=since - OLDEST_OPENED) | ~Q(status=GroupStatus.RESOLVED)
    )
    counts = recent.aggregate(
        opened=Count("pk", filter=Q(triggered_at__gte=since)),
        closed=Count("pk", filter=Q(resolved_at__gte=since)),
        open=Count("pk", filter=~Q(status=GroupStatus.RESOLVED)),
    )
    silences = _silences(origin, since=since)
    return Brief(
        absence=absence,
        scope=scope,
        opened_count=counts["opened"],
        closed_count=counts["closed"],
        open_count=counts["open"],
        reclaim_count=scope.interruptions().filter(started_at__gte=since, started_at__lt=now).count(),
        open_groups=_listed(scope.groups().open(), "triggered_at"),
        closed_groups=_listed(recent.filter(resolved_at__gte=since), "-resolved_at"),
        holders=_holders(recent.filter(acknowledged_at__gte=since)),
        notes=_notes(recent, since=since),
        hand_off_notes=notes_of([one.pk for one in scope.rotations], since=since),
        silences=silences,
        silent_feeds=list({one.feed_id: one.feed for one in silences if one.feed.silent_since}.values()),
    )


def _scope(around: Sequence[OwnShift], rotations: Sequence[Rotation], *, origin: str, is_all: bool) -> Scope:
    """A rotation of no team, and nobody's rotation at all, is everybody's concern."""
    own = list({shift.rotation.pk: shift.rotation for shift in around}.values())
    if is_all or not own:
        return Scope(origin, [one for one in rotations if one.archived_at is None], [])
    teams = {one.team.pk: one.team for one in own if one.team}
    return Scope(origin, own, [] if any(one.team is None for one in own) else list(teams.values()))


def _listed(groups: AlertGroupQuerySet, order: str) -> list[AlertGroup]:
    return list(
        groups.select_related("service", "acknowledged_by", "resolved_by").order_by(order, "pk")[:MOST_GROUPS]
    )


def _holders(groups: AlertGroupQuerySet) -> list[tuple[str, int]]:
    named = groups.values_list("acknowledged_by__name", "acknowledged_by__email", "acknowledged_by_label")
    found: Counter[str] = Counter()
    for name, email, label, count in named.annotate(count=Count("pk")).order_by():
        found[name or email or label or "a program"] += count
    return sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))


def _notes(groups: AlertGroupQuerySet, *, since: datetime) -> list[AlertEvent]:
    written = AlertEvent.objects.filter(kind=EventKind.NOTE, at__gte=since, group__in=groups.values("pk"))
    return list(written.select_related("group", "by").order_by("-at", "-pk")[:MOST_NOTES])


def _silences(origin: str, *, since: datetime) -> list[FeedEvent]:
    """Feeds that fell silent meanwhile, whether or not they were heard again, and those that still are."""
    told = FeedEvent.objects.filter(feed__origin=origin, kind=FeedEventKind.SILENT)
    still = Q(feed__silent_since__isnull=False, at__gte=F("feed__silent_since"))
    rows = told.filter(Q(at__gte=since) | still).select_related("feed")
    return list(rows.order_by("-at", "-pk")[:MOST_SILENCES])
