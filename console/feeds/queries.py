"""What the pages about feeds show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import F
from django.db.models.functions import Length

from console.feeds.feed_settings import sender_settings
from console.feeds.health import COUNTS, FeedFigures, FeedState, feed_figures, feed_states
from console.feeds.models import Delivery, Feed, FeedHour, FeedKind, HeartbeatDelivery, PolledSource
from console.feeds.pollers.source import ADDRESSES
from console.lib.cursor import Page, cut_page

BAR_HEIGHT = 24
ORDER = ["-received_at", "-pk"]
UNREAD_FOR = timedelta(days=7)
MOST_UNREAD = 5000
CHART_HOURS = 48
LOOKS_OLDEST = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Bar:
    """One hour of the small chart in a row."""

    x: int
    y: int
    height: int
    refused_y: int
    refused_height: int
    title: str


@dataclass(frozen=True, slots=True)
class FeedRow:
    feed: Feed
    state: FeedState
    figures: FeedFigures
    bars: list[Bar]


def feed_rows(feeds: Sequence[Feed], *, now: datetime) -> list[FeedRow]:
    states = feed_states(feeds, now=now)
    figures = feed_figures(feeds, now=now)
    return [
        FeedRow(feed, states[feed.pk], figures[feed.pk], bars(figures[feed.pk], now=now)) for feed in feeds
    ]


def bars(figures: FeedFigures, *, now: datetime) -> list[Bar]:
    """A bar an hour, the highest as high as the row; what was refused stands on top."""
    totals = [sum(hour.values()) for hour in figures.hours]
    highest = max(totals, default=0)
    first = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=len(totals) - 1)
    made = []
    for place, (hour, total) in enumerate(zip(figures.hours, totals, strict=True)):
        height = max(round(total / highest * BAR_HEIGHT), 2) if total else 0
        not_taken = hour["rejected"] + hour["turned_away"]
        refused = max(round(not_taken / highest * BAR_HEIGHT), 2) if not_taken else 0
        title = f"{first + timedelta(hours=place):%H:%M} UTC: {total:,} messages, {not_taken:,} refused"
        made.append(
            Bar(place * 4, BAR_HEIGHT - height, height, BAR_HEIGHT - height, min(refused, height), title)
        )
    return made


def deliveries(feed: Feed, *, show: str, cursor: str, size: int, now: datetime) -> Page[Any]:
    """The newest deliveries; `show` is "", "unrecognised" or "heartbeats". Bodies are not fetched, only measured."""
    model: Any = HeartbeatDelivery if show == "heartbeats" else Delivery
    rows = model.objects.filter(feed=feed, received_at__gte=now - LOOKS_OLDEST)
    if show == "unrecognised":
        rows = rows.filter(result="unrecognised")
    rows = rows.defer("body", "headers").annotate(size=Length(F("body")))
    return cut_page(rows, order=ORDER, cursor=cursor, size=size)


_UNREAD = """
SELECT note, count(*), max(received_at) FROM (
    SELECT note, received_at FROM feeds_delivery
    WHERE feed_id = %s AND result = 'unrecognised' AND received_at >= %s ORDER BY id DESC LIMIT %s
) AS newest GROUP BY note ORDER BY 2 DESC, 1 LIMIT 20
"""


@dataclass(frozen=True, slots=True)
class Unread:
    """A kind of message that is not understood, and how often it came."""

    note: str
    count: int
    last_at: datetime


def unread_kinds(feed: Feed, *, now: datetime) -> list[Unread]:
    """By what was not understood, over a week or the newest `MOST_UNREAD`."""
    with connection.cursor() as cursor:
        cursor.execute(_UNREAD, [feed.pk, now - UNREAD_FOR, MOST_UNREAD])
        return [Unread(note or "no note", count, at) for note, count, at in cursor.fetchall()]


SERIES = (
    ("accepted", "Accepted", "var(--series-1)"),
    ("heartbeats", "of these heartbeats", "var(--series-2)"),
    ("duplicates", "Duplicates", "var(--series-5)"),
    ("ignored", "Ignored", "var(--series-3)"),
    ("unrecognised", "Unrecognised", "var(--series-4)"),
    ("rejected", "Refused", "var(--danger-mark)"),
    ("turned_away", "Turned away", "var(--warn-mark)"),
)


@dataclass(frozen=True, slots=True)
class HoursChart:
    """Results an hour over two days, as a figure and as a table."""

    figure: dict[str, Any]
    columns: list[str]
    rows: list[list[object]]
    totals: list[tuple[str, str, int]]

    @property
    def is_empty(self) -> bool:
        return not self.rows


def hours_chart(feed: Feed, *, now: datetime) -> HoursChart:
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    hours = [this_hour - timedelta(hours=back) for back in range(CHART_HOURS - 1, -1, -1)]
    counted = {row.hour: row for row in FeedHour.objects.filter(feed=feed, hour__gte=hours[0])}
    counts = {name: [getattr(counted.get(hour), name, 0) for hour in hours] for name in COUNTS}
    counts["accepted"] = [
        accepted - beats for accepted, beats in zip(counts["accepted"], counts["heartbeats"], strict=True)
    ]
    used = [part for part in SERIES if any(counts[part[0]])]
    data = [
        {
            "type": "bar",
            "name": label,
            "x": [hour.isoformat() for hour in hours],
            "y": counts[name],
            "marker": {"color": colour, "pattern": {"shape": [""] * (CHART_HOURS - 1) + ["/"]}},
            "hovertemplate": f"%{{x|%H:%M}} UTC: %{{y:,}} {label.lower()}<extra></extra>",
        }
        for name, label, colour in used
    ]
    layout = {
        "barmode": "stack",
        "bargap": 0.15,
        "xaxis": {"type": "date", "tickformat": "%H:%M\n%-d %b", "nticks": 8},
        "yaxis": {"rangemode": "tozero", "tickformat": ",d"},
    }
    rows: list[list[object]] = [
        [f"{hour:%-d %b %H:%M}", *(counts[name][place] for name, _, _ in used)]
        for place, hour in enumerate(hours)
        if any(counts[name][place] for name, _, _ in used)
    ]
    return HoursChart(
        figure={"data": data, "layout": layout},
        columns=["Hour (UTC)", *(label for _, label, _ in used)],
        rows=rows[::-1],
        totals=[(name, label, sum(counts[name])) for name, label, _ in used],
    )


def sources_of(feed: Feed) -> list[PolledSource]:
    """What it is fetched from as its settings say now, with how that goes; new ones were not asked yet.

    Which API server is watched the watch itself says: the settings need not name that of its own cluster.
    """
    if feed.kind == FeedKind.KUBERNETES_WATCH:
        return list(feed.sources.order_by("pk"))
    if feed.kind not in ADDRESSES:
        return []
    known = {source.address: source for source in feed.sources.all()}
    addresses = ADDRESSES[feed.kind](sender_settings(feed.settings))
    return [known.get(address) or PolledSource(feed=feed, address=address) for address in addresses]
