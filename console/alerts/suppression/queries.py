"""What the pages of suppressions show."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import F, QuerySet

from console.alerts.models import (
    OccurrenceQuerySet,
    Suppression,
    SuppressionHit,
    SuppressionOccurrence,
    SuppressionQuerySet,
)
from console.alerts.suppression.draft import Draft
from console.alerts.suppression.recurrence import AHEAD, Rule, Window, moment, wall_clock
from console.alerts.suppression.wording import clock_changes, once, repeats, window_words
from console.fleet.models import Pool, Service, Team
from console.lib.cursor import Page, cut_page
from console.lib.origin import Origin
from console.lib.rows import fetch

MOST = 100
MOST_WINDOWS = 12
MOST_CHOICES = 2_000
MACHINES_ASKED_FOR_LABELS = 500
PAST_ORDER = ("-ends_at", "-pk")
_TALLIES = """
SELECT t.key, count(*), count(*) FILTER (WHERE t.worth = 2), count(*) FILTER (WHERE t.worth = 1)
FROM (SELECT {key} AS key, h.group_id,
             max(CASE h.decision WHEN 'page' THEN 2 WHEN 'ticket' THEN 1 ELSE 0 END) AS worth
      FROM alerts_suppressionhit h JOIN alerts_suppressionoccurrence o ON o.id = h.occurrence_id
      WHERE {key} = ANY(%s) GROUP BY 1, 2) t
GROUP BY 1
"""
_LABELS = """
SELECT DISTINCT e.key, e.value FROM (
    SELECT tags FROM fleet_machine WHERE origin = %s ORDER BY last_seen_at DESC, id DESC LIMIT %s
) m CROSS JOIN LATERAL jsonb_each_text(m.tags) e ORDER BY 1, 2 LIMIT 300
"""


@dataclass(frozen=True, slots=True)
class Tally:
    """What was hidden: groups, each counted once, and of how many it would have been a page or a ticket."""

    groups: int = 0
    pages: int = 0
    tickets: int = 0


@dataclass(frozen=True, slots=True)
class Planned:
    """A suppression as a line of the list."""

    suppression: Suppression
    window: SuppressionOccurrence | None
    state: str
    when: str
    scopes: Sequence[str]
    tally: Tally


@dataclass(frozen=True, slots=True)
class Lists:
    """What is in force, what comes once, and what repeats."""

    in_force: Sequence[Planned]
    upcoming: Sequence[Planned]
    repeating: Sequence[Planned]

    @property
    def is_empty(self) -> bool:
        return not (self.in_force or self.upcoming or self.repeating)


def lists_of(*, origin: Origin, now: datetime) -> Lists:
    """Everything that is not over. A constant number of queries."""
    rows = SuppressionOccurrence.objects.of_origin(origin)
    in_force = list(_full(rows.in_force(now=now)).order_by("ends_at", "pk")[:MOST])
    ahead = rows.ahead(now=now).filter(suppression__cancelled_at=None)
    first = ahead.order_by("suppression", "starts_at").distinct("suppression")
    soonest = list(_full(rows.filter(pk__in=first.values("pk"))).order_by("starts_at", "pk")[: 2 * MOST])
    known = {row.suppression_id for row in in_force} | {row.suppression_id for row in soonest}
    rare = _with_scopes(
        Suppression.objects.of_origin(origin).filter(cancelled_at=None, expand_at__isnull=False)
    )
    unseen = list(rare.exclude(pk__in=known).order_by("pk")[:MOST])
    tally = tallies(known)
    next_of = {row.suppression_id: row for row in soonest}
    repeating = [row for row in in_force if row.suppression.rrule and row.suppression_id not in next_of]
    return Lists(
        in_force=[_planned(row.suppression, row, tally, now=now) for row in in_force],
        upcoming=[
            _planned(row.suppression, row, tally, now=now) for row in soonest if not row.suppression.rrule
        ],
        repeating=[
            *(_planned(row.suppression, row, tally, now=now) for row in soonest if row.suppression.rrule),
            *(_planned(row.suppression, None, tally, now=now) for row in repeating),
            *(_planned(row, None, tally, now=now) for row in unseen),
        ],
    )


def past(*, origin: Origin, cursor: str, now: datetime) -> Page[SuppressionOccurrence]:
    """Windows that are over, the newest first; those that were skipped are not among them."""
    rows = SuppressionOccurrence.objects.of_origin(origin).filter(
        ends_at__lte=now, ends_at__gt=F("starts_at")
    )
    return cut_page(_full(rows), order=PAST_ORDER, cursor=cursor, size=50)


def past_rows(windows: Sequence[SuppressionOccurrence], *, now: datetime) -> list[Planned]:
    tally = window_tallies([window.pk for window in windows])
    return [
        Planned(
            suppression=window.suppression,
            window=window,
            state=state_of(window.suppression, window, now=now),
            when="",
            scopes=[scope.text for scope in window.suppression.scopes.all()],
            tally=tally.get(window.pk, Tally()),
        )
        for window in windows
    ]


def tallies(suppression_ids: Collection[int]) -> dict[int, Tally]:
    """By suppression: what it hid in all its windows."""
    rows = fetch(_TALLIES.format(key="o.suppression_id"), [list(suppression_ids)]) if suppression_ids else []
    return {pk: Tally(*counts) for pk, *counts in rows}


def window_tallies(occurrence_ids: Collection[int]) -> dict[int, Tally]:
    """By window."""
    rows = fetch(_TALLIES.format(key="h.occurrence_id"), [list(occurrence_ids)]) if occurrence_ids else []
    return {pk: Tally(*counts) for pk, *counts in rows}


def state_of(suppression: Suppression, window: SuppressionOccurrence | None, *, now: datetime) -> str:
    if window is not None and window.is_in_force(now=now):
        return "in_force"
    if suppression.cancelled_at is not None:
        return "cancelled"
    if window is not None and window.released_at is None and window.starts_at > now:
        return "upcoming"
    return "upcoming" if suppression.expand_at is not None else "over"


def next_windows(
    rows: Collection[Suppression], *, now: datetime
) -> dict[int, tuple[str, SuppressionOccurrence | None]]:
    """By suppression: its state, and its window in force or the next one. One query."""
    live = SuppressionOccurrence.objects.filter(suppression__in=rows, released_at=None, ends_at__gt=now)
    first = {w.suppression_id: w for w in live.order_by("suppression", "starts_at").distinct("suppression")}
    return {row.pk: (state_of(row, first.get(row.pk), now=now), first.get(row.pk)) for row in rows}


def when_of(suppression: Suppression) -> str:
    """`every Tuesday 02:00–04:00 Europe/Berlin`, or the one window."""
    zone = ZoneInfo(suppression.time_zone)
    if suppression.rrule:
        rule = Rule.parse(suppression.rrule)
        return repeats(rule, first=suppression.starts_at, duration=suppression.duration, zone=zone)
    return once(Window(suppression.starts_at, suppression.ends_at or suppression.starts_at), zone)


def next_start(suppression: Suppression, *, now: datetime) -> datetime:
    """When one that repeats would come next, on its own wall clock; its first start where it comes no more."""
    zone, rule = ZoneInfo(suppression.time_zone), Rule.parse(suppression.rrule)
    first = wall_clock(suppression.starts_at, zone)
    walls = rule.starts(first, zone)
    return next((wall for wall in walls if moment(wall, zone) > now), first)


@dataclass(frozen=True, slots=True)
class Line:
    """A window on its suppression's page."""

    window: SuppressionOccurrence
    words: str
    state: str
    tally: Tally


@dataclass(frozen=True, slots=True)
class Windows:
    """The next windows of a suppression, those that are over, and what clocks do to the next."""

    ahead: Sequence[Line]
    over: Sequence[Line]
    clock_changes: Sequence[str]


def windows_of(suppression: Suppression, *, now: datetime) -> Windows:
    zone = ZoneInfo(suppression.time_zone)
    live = suppression.occurrences.filter(released_at=None, ends_at__gt=now).order_by("starts_at", "pk")
    over = suppression.occurrences.filter(starts_at__lte=now).exclude(released_at=None, ends_at__gt=now)
    ahead = list(live[:MOST_WINDOWS])
    gone = list(over.order_by("-starts_at", "-pk")[:MOST_WINDOWS])
    tally = window_tallies([window.pk for window in (*ahead, *gone)])

    def line(window: SuppressionOccurrence) -> Line:
        words = window_words(Window(window.starts_at, window.ends_at), zone)
        state = "skipped" if window.ends_at == window.starts_at else state_of(suppression, window, now=now)
        state = "over" if state == "upcoming" and window.starts_at <= now else state
        return Line(window, words, state, tally.get(window.pk, Tally()))

    spans = [Window(window.starts_at, window.ends_at) for window in ahead]
    told = clock_changes(spans, first=suppression.starts_at, zone=zone) if suppression.rrule else []
    return Windows([line(window) for window in ahead], [line(window) for window in gone], told)


def ledger_of(suppression: Suppression) -> QuerySet[SuppressionHit]:
    """Every decision that it hid, the newest first in a list."""
    rows = SuppressionHit.objects.filter(occurrence__suppression=suppression)
    return rows.select_related("group__service", "occurrence")


@dataclass(frozen=True, slots=True)
class Echo:
    """A draft read back in plain words."""

    words: str
    next: Sequence[str]
    clock_changes: Sequence[str]


def echo_of(draft: Draft, *, now: datetime) -> Echo:
    if draft.rule is None:
        window = Window(draft.starts_at, draft.starts_at + draft.duration)
        return Echo(once(window, draft.zone), (), ())
    found = draft.windows(since=now, until=draft.starts_at + AHEAD)
    far = draft.windows(since=now, until=now + 6 * AHEAD)
    return Echo(
        words=repeats(draft.rule, first=draft.starts_at, duration=draft.duration, zone=draft.zone),
        next=[window_words(window, draft.zone) for window in (found or far)[:3]],
        clock_changes=clock_changes(far, first=draft.starts_at, zone=draft.zone)[:3],
    )


def scope_choices(*, origin: Origin) -> list[tuple[str, str]]:
    """What a scope may be, with words: `("service:checkout", "Checkout")`. Four queries."""
    services = Service.objects.filter(origin=origin, archived_at=None).order_by("slug")
    teams = Team.objects.filter(origin=origin).order_by("slug")
    found = [(f"service:{slug}", name) for slug, name in services.values_list("slug", "name")[:MOST_CHOICES]]
    found += [(f"team:{slug}", name) for slug, name in teams.values_list("slug", "name")[:MOST_CHOICES]]
    pools = Pool.objects.filter(origin=origin).order_by("provider", "region", "zone", "instance_type")
    places: dict[str, str] = {}
    for parts in pools.values_list("provider", "region", "zone", "instance_type")[:MOST_CHOICES]:
        for depth, word in ((2, "Region"), (3, "Zone"), (4, "Pool")):
            if parts[depth - 1]:
                places.setdefault("pool:" + "/".join(part or "*" for part in parts[:depth]), word)
    found += sorted(places.items())
    found += [
        (f"label:{key}={value}", "Label")
        for key, value in fetch(_LABELS, [origin, MACHINES_ASKED_FOR_LABELS])
    ]
    return found[: 2 * MOST_CHOICES]


def _planned(
    suppression: Suppression,
    window: SuppressionOccurrence | None,
    tally: Mapping[int, Tally],
    *,
    now: datetime,
) -> Planned:
    return Planned(
        suppression=suppression,
        window=window,
        state=state_of(suppression, window, now=now),
        when=when_of(suppression),
        scopes=[scope.text for scope in suppression.scopes.all()],
        tally=tally.get(suppression.pk, Tally()),
    )


def _full(rows: OccurrenceQuerySet) -> OccurrenceQuerySet:
    with_people = rows.select_related("suppression__author", "suppression__team", "suppression__signed_by")
    return with_people.prefetch_related("suppression__scopes__service", "suppression__scopes__team")


def _with_scopes(rows: SuppressionQuerySet) -> SuppressionQuerySet:
    with_people = rows.select_related("author", "team", "signed_by")
    return with_people.prefetch_related("scopes__service", "scopes__team")
