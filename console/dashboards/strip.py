"""The strip above every page: who is heard, what waits, and whose data is shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Aggregate, Count, Max, QuerySet, Value
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from console.accounts.models import Role, User
from console.accounts.origin import chosen_origin
from console.alerts.canary import DEAD_AFTER, LATE_AFTER, last_canary
from console.alerts.escalation.unanswered import unanswered
from console.alerts.models import AlertGroup, SuppressionOccurrence
from console.dashboards.on_call_items import on_call_items
from console.dashboards.quiet import feeds_of
from console.dashboards.strip_item import Item
from console.feeds.health import FeedState, feed_states
from console.feeds.models import Feed, PipelineStop, QuarantinedItem
from console.interruptions.lag import MOST_LAG, lags
from console.lib.origin import Origin
from console.lib.pages import once
from console.oncall.models import Rotation


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many there are, and the newest of them."""

    count: int
    newest: int | None = None


@dataclass(frozen=True, slots=True)
class Strip:
    items: list[Item] = field(default_factory=list)


def status_strip(request: HttpRequest) -> dict[str, Any]:
    """Context of every signed-in page: `strip`, `strip_url`, `palette_search_url`, `banner`, `rail_counts`, `origin`.

    Read when the template comes to them: a region of a page has no strip and asks for none.
    """
    user = getattr(request, "user", None)
    if not isinstance(user, User) or request.headers.get("HX-Target") == "main":
        return {}
    now, origin = timezone.now(), chosen_origin(request)
    waiting = once(lambda: _waiting(origin, now))
    return {
        "strip": once(lambda: _strip(request, origin, user, waiting, now)),
        "strip_url": reverse("dashboards:strip"),
        "palette_search_url": reverse("dashboards:palette"),
        "banner": once(lambda: _banner(origin, user, waiting)),
        "rail_counts": once(lambda: {name: one.count for name, one in waiting.items()}),
        "origin": origin,
    }


def _strip(
    request: HttpRequest, origin: Origin, user: User, waiting: Mapping[str, Waiting], now: datetime
) -> Strip:
    items = [
        *_unanswered(waiting["unanswered"]),
        *(_stops() if waiting["stops"].count else []),
        *on_call_items(origin=origin, user=user, has_rotations=waiting["rotations"].count > 0, now=now),
        _feeds(feeds_of(request, origin), now),
        _suppressions(waiting["suppressions"].count),
        *_lags(now),
        canary_item(now=now),
        _origin(origin),
    ]
    return Strip([item for item in items if item is not None])


def _waiting(origin: Origin, now: datetime) -> dict[str, Waiting]:
    """What waits for somebody, and what keeps quiet, in one query."""
    groups = AlertGroup.objects.of_origin(origin).open().filter(status="triggered")
    alerts = _count(groups.speaking(now=now), "alerts")
    held = _count(QuarantinedItem.objects.held().filter(origin=origin), "quarantine")
    alone = _count(unanswered(origin), "unanswered")
    in_force = SuppressionOccurrence.objects.of_origin(origin).in_force(now=now)
    quiet = _count(in_force, "suppressions", of="suppression")
    stops = _count(PipelineStop.objects.all(), "stops", newest=Count("pk"))
    turns = _count(Rotation.objects.of_origin(origin).in_use(), "rotations")
    names = ("alerts", "quarantine", "unanswered", "suppressions", "stops", "rotations")
    nothing = {name: Waiting(0) for name in names}
    counted = alerts.union(held, alone, quiet, stops, turns, all=True)
    return nothing | {name: Waiting(count, newest) for name, count, newest in counted}


def _count(
    rows: QuerySet[Any], name: str, *, of: str = "pk", newest: Aggregate | None = None
) -> QuerySet[Any, tuple[str, int, int]]:
    named = rows.order_by().annotate(what=Value(name)).values("what")
    counted: QuerySet[Any, tuple[str, int, int]] = named.annotate(
        count=Count(of, distinct=of != "pk"), newest=newest or Max("pk")
    ).values_list("what", "count", "newest")
    return counted


def _feeds(feeds: Sequence[Feed], now: datetime) -> Item:
    url = reverse("feeds:feed_list")
    if not feeds:
        return Item("plug", "No feed connected", tone="warn", url=url)
    states = Counter(feed_states(feeds, now=now).values())
    last = max((feed.last_seen_at for feed in feeds if feed.last_seen_at), default=None)
    for state, icon, tone, words in TROUBLES:
        if count := states[state]:
            verb = "is" if count == 1 else "are"
            text = f"{count} of {_feeds_counted(len(feeds))} {verb} {words}"
            return Item(icon, text, tone=tone, url=url, at=last)
    if last is None:
        verb = "waits for its" if len(feeds) == 1 else "wait for their"
        return Item("radio", f"{_feeds_counted(len(feeds))} {verb} first message", tone="warn", url=url)
    if states[FeedState.HEALTHY]:
        return Item("radio", f"{_feeds_counted(len(feeds))} heard, last event", url=url, at=last)
    return Item("moon", f"{_feeds_counted(len(feeds))} quiet, last event", tone="muted", url=url, at=last)


TROUBLES = (
    (FeedState.SILENT, "wifi-off", "danger", "silent"),
    (FeedState.DELAYED, "clock", "warn", "late"),
    (FeedState.PAUSED, "pause", "warn", "paused"),
)
"""Deaf before late before paused; what is merely quiet is none of them."""


def _suppressions(count: int) -> Item | None:
    """Planned quiet that hides something now, if there is any."""
    if not count:
        return None
    text = f"{count} suppression{'' if count == 1 else 's'} active"
    return Item("bell-off", text, tone="muted", url=reverse("alerts:suppression_list"))


def _feeds_counted(count: int) -> str:
    return "1 feed" if count == 1 else f"{count} feeds"


def canary_item(*, now: datetime) -> Item:
    """Whether a message still comes through, whatever the feeds say."""
    canary = last_canary()
    since = canary.sent_at or canary.began_at
    if canary.sent_at is None:
        text = "no canary came through yet" if since else "no canary was sent yet"
        tone = "danger" if canary.is_dead(now=now) else "warn" if canary.is_late(now=now) else "muted"
        return Item("activity", text, tone=tone, at=since if tone != "muted" else None)
    tone = "danger" if canary.is_dead(now=now) else "warn" if canary.is_late(now=now) else "neutral"
    return Item(
        "activity",
        "canary paused, last" if canary.is_paused else "canary",
        tone=tone,
        at=since,
        warn_after=int(LATE_AFTER.total_seconds()),
        danger_after=int(DEAD_AFTER.total_seconds()),
    )


def _stops() -> list[Item]:
    return [
        Item("octagon-alert", f"The {stop.name} pipeline stopped", tone="danger", at=stop.stopped_at)
        for stop in PipelineStop.objects.all()
    ]


def _unanswered(alone: Waiting) -> list[Item]:
    """What nobody answered stands before everything else, on every page."""
    if not alone.count:
        return []
    is_one = alone.count == 1
    text = "Nobody answered an alert" if is_one else f"Nobody answered {alone.count} alerts"
    url = reverse("alerts:group_detail", args=[alone.newest]) if is_one else reverse("alerts:group_list")
    return [Item("siren", text, tone="danger", url=url)]


def _lags(now: datetime) -> list[Item]:
    behind = [lag for lag in lags(now=now) if lag.seconds > MOST_LAG.total_seconds()]
    return [
        Item("hourglass", f"{lag.name} queue is behind by", tone="danger", value=f"{lag.seconds:.0f} s")
        for lag in behind
    ]


def _origin(origin: Origin) -> Item | None:
    if origin == Origin.LIVE:
        return None
    return Item("flask-conical", f"{origin.label} data", tone="info", is_extra=origin == Origin.SAMPLE)


def _banner(origin: Origin, user: User, waiting: Mapping[str, Waiting]) -> dict[str, Any] | None:
    """What nobody answered comes first. Who is shown sample data is told so; an administrator can end it.

    Without a key it is being cleared.
    """
    if alone := _unanswered(waiting["unanswered"]):
        text = f"{alone[0].text}. The history says who was told."
        return {"tone": "danger", "icon": "siren", "text": text, "url": alone[0].url, "label": "Look at it"}
    if origin != Origin.SAMPLE:
        return None
    feeds = Feed.objects.of_origin(origin).aggregate(feeds=Count("pk"), keys=Count("tokens"))
    if not feeds["feeds"]:
        return None
    banner = {"tone": "info", "icon": "flask-conical"}
    if not feeds["keys"]:
        return banner | {"text": "The sample fleet has stopped, and its data is being cleared."}
    banner["text"] = "A sample fleet is playing. Nothing here is real and nobody outside is told."
    if user.may(Role.ADMIN):
        banner |= {
            "action": "/sample/clear/",  # the room above holds it
            "action_label": "Stop and clear",
            "confirm": "The play stops and everything of the sample fleet is deleted: its services, "
            "machines, groups and history. Live data stays as it is.",
        }
    return banner
