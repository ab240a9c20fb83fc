"""Deliveries for programs: what came in, from where, and what became of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import F
from django.db.models.functions import Length
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from ninja import Field, Query, Router, Schema

from console.accounts.api_auth import TokenAuth, token_of
from console.accounts.models import Scope
from console.feeds.models import Delivery, DeliveryResult, Feed
from console.feeds.queries import ORDER
from console.lib.asked import Moment, Span
from console.lib.cursor import Listing, Paging, list_rows

router = Router(tags=["deliveries"])
LISTED = timedelta(days=7)


class DeliveryOut(Schema):
    """A message as it came in, without its bytes. Heartbeats are kept apart and not listed here."""

    id: int
    feed: str
    origin: str
    delivery_id: str
    result: str
    note: str
    size: int
    received_at: datetime


class DeliveryQuery(Span):
    """Filters; all that are given must hold. Received at or after `since` and before `until`."""

    feed: str = Field("", description="Slug of a feed.")
    result: DeliveryResult | None = None
    since: Moment | None = Field(None, description="The last 7 days unless said otherwise.")


@router.get("/deliveries", response=Listing[DeliveryOut], auth=TokenAuth(Scope.READ))
def delivery_list(
    request: HttpRequest, wanted: Query[DeliveryQuery], paging: Query[Paging]
) -> dict[str, Any] | StreamingHttpResponse:
    """Messages, the newest first. Feeds are looked up first: their ids lead to the index of each partition."""
    feeds = Feed.objects.of_origin(token_of(request).origin)
    if wanted.feed:
        feeds = feeds.filter(slug=wanted.feed)
    slugs = dict(feeds.values_list("pk", "slug"))
    rows = Delivery.objects.filter(feed__in=list(slugs))
    rows = rows.filter(received_at__gte=wanted.since or timezone.now() - LISTED)
    if wanted.until:
        rows = rows.filter(received_at__lt=wanted.until)
    if wanted.result:
        rows = rows.filter(result=wanted.result)
    measured = rows.defer("body", "headers").annotate(size=Length(F("body")))

    def shape(page: list[Any]) -> list[DeliveryOut]:
        return [DeliveryOut(feed=slugs[row.feed_id], **_same(row)) for row in page]

    return list_rows(request, queryset=measured, order=ORDER, paging=paging, row=DeliveryOut, shape=shape)


def _same(row: Delivery) -> dict[str, Any]:
    names = ("id", "origin", "delivery_id", "result", "note", "size", "received_at")
    return {name: getattr(row, name) for name in names}
