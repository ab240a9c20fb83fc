"""Feeds for programs: which there are, and how they are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.http import HttpRequest, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Field, Query, Router, Schema

from console.accounts.api_auth import TokenAuth
from console.accounts.models import Scope
from console.feeds.health import COUNTS, feed_figures, feed_states
from console.feeds.kinds import is_available
from console.feeds.models import Feed, FeedKind
from console.lib.cursor import Listing, Paging, list_rows

router = Router(tags=["feeds"])


class FeedOut(Schema):
    """A feed, its health, and what it did in the last 24 hours."""

    slug: str
    name: str
    kind: str
    is_available: bool
    origin: str
    account: str | None
    region: str | None
    cluster: str | None
    sender: dict[str, str | list[str]] = Field(description="what it knows of its sender; never a secret")
    state: str = Field(description="healthy, quiet, silent, delayed, paused or waiting")
    expects_within_seconds: int | None
    most_per_second: int = Field(
        description="messages a second that it may send for long; reclaims go beyond"
    )
    silent_since: datetime | None
    delayed_since: datetime | None
    last_seen_at: datetime | None
    last_accepted_at: datetime | None
    created_at: datetime
    paused_at: datetime | None
    held_count: int
    accepted_24h: int
    duplicates_24h: int
    ignored_24h: int
    unrecognised_24h: int
    rejected_24h: int
    heartbeats_24h: int
    turned_away_24h: int = Field(description="not taken: over the limit, or the line was full")


class FeedQuery(Schema):
    kind: FeedKind | None = Field(None, description="Only feeds of this kind.")


def shape(feeds: Sequence[Feed]) -> list[FeedOut]:
    now = timezone.now()
    states, figures = feed_states(feeds, now=now), feed_figures(feeds, now=now)
    return [
        FeedOut(
            slug=feed.slug,
            name=feed.name,
            kind=feed.kind,
            is_available=is_available(feed.kind),
            origin=feed.origin,
            account=feed.account or None,
            region=feed.region or None,
            cluster=feed.cluster or None,
            sender=feed.settings,
            state=states[feed.pk].value,
            expects_within_seconds=int(feed.expects_within.total_seconds()) if feed.expects_within else None,
            most_per_second=feed.limit,
            silent_since=feed.silent_since,
            delayed_since=feed.delayed_since,
            last_seen_at=feed.last_seen_at,
            last_accepted_at=feed.last_accepted_at,
            created_at=feed.created_at,
            paused_at=feed.paused_at,
            held_count=figures[feed.pk].held,
            **{f"{name}_24h": figures[feed.pk].day[name] for name in COUNTS},
        )
        for feed in feeds
    ]


@router.get("/feeds", response=Listing[FeedOut], auth=TokenAuth(Scope.READ))
def feed_list(
    request: HttpRequest, wanted: Query[FeedQuery], paging: Query[Paging]
) -> dict[str, object] | StreamingHttpResponse:
    """Every feed of the token's data origin, with its health."""
    feeds = Feed.objects.of_origin(request.auth.origin)  # type: ignore[attr-defined]
    if wanted.kind:
        feeds = feeds.filter(kind=wanted.kind)
    return list_rows(request, queryset=feeds, order=["slug"], paging=paging, row=FeedOut, shape=shape)


@router.get("/feeds/{slug}", response=FeedOut, auth=TokenAuth(Scope.READ))
def feed_get(request: HttpRequest, slug: str) -> FeedOut:
    """One feed."""
    feeds = Feed.objects.of_origin(request.auth.origin)  # type: ignore[attr-defined]
    return shape([get_object_or_404(feeds, slug=slug)])[0]
