"""Connecting and tending feeds by program: what the pages do, through the same acts.

An address has one router, so these calls hang on that of `console.feeds.api`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Field, Query, Schema
from pydantic import AfterValidator

from console.accounts.api_auth import TokenAuth, token_of
from console.accounts.audit import Actor
from console.accounts.models import Scope
from console.feeds import tending
from console.feeds.addresses import ingest_address
from console.feeds.api import FeedOut, router, shape
from console.feeds.connecting import CannotConnect, FeedOrder, Taken, connect
from console.feeds.forms import MOST_LIMIT
from console.feeds.models import Feed, FeedKind, FeedToken
from console.lib.cursor import Listing, Paging, list_rows
from console.lib.origin import Origin
from console.lib.problems import Problem

__all__ = ["router"]

ADMIN = TokenAuth(Scope.ADMIN)
LONGEST_QUIET = 366 * 86_400
LONGEST_OVERLAP = 7 * 86_400


def _said(text: str | None) -> str | None:
    if text is not None and ("\0" in text or not text.strip()):
        raise ValueError("Write a name that people can read.")
    return text


Name = Annotated[str, Field(max_length=120), AfterValidator(_said)]
Limit = Annotated[int, Field(ge=1, le=MOST_LIMIT, description="Messages a second; null: the console's own.")]
Quiet = Annotated[int, Field(ge=60, le=LONGEST_QUIET)]


class FeedIn(Schema, extra="forbid"):
    """A new feed. Without a secret one is made; without a slug the name gives it."""

    name: Name
    kind: FeedKind
    slug: str = Field("", max_length=64)
    account: str = Field("", max_length=128, description="Of messages that name none.")
    region: str = Field("", max_length=64, description="Where a message names none.")
    cluster: str = Field("", max_length=128, description="The cluster that node names belong to.")
    expects_within_seconds: Quiet | None = Field(
        None, description="Longer without a message and it is silent; null: quiet is normal."
    )
    most_per_second: Limit | None = None
    secret: str = Field(
        "", max_length=512, description="The same order with the same secret again is harmless."
    )


class FeedChanges(Schema, extra="forbid"):
    """What may be changed; what the body leaves out stays. Kind, origin and address never change."""

    name: Name | None = None
    account: str | None = Field(None, max_length=128)
    region: str | None = Field(None, max_length=64)
    cluster: str | None = Field(None, max_length=128)
    expects_within_seconds: Quiet | None = None
    most_per_second: Limit | None = None


class FeedMade(FeedOut):
    """A feed with the secret that opens it, which can never be read again."""

    address: str
    secret: str


class SecretIn(Schema, extra="forbid"):
    overlap_seconds: int = Field(
        86_400, ge=0, le=LONGEST_OVERLAP, description="So long the secrets there are go on opening the feed."
    )


class SecretOut(Schema):
    """One secret of a feed, by its beginning."""

    id: int
    prefix: str
    created_at: datetime
    expires_at: datetime | None


class SecretMade(SecretOut):
    """A new secret, which can never be read again."""

    secret: str


@router.post("/feeds", auth=ADMIN, response={200: FeedMade, 201: FeedMade})
def feed_create(request: HttpRequest, given: FeedIn) -> tuple[int, FeedMade]:
    """Connect a feed in the token's data origin. 409 where its address or its secret is another's."""
    asked = given.model_dump(exclude={"expects_within_seconds"})
    order = FeedOrder(
        **asked, origin=Origin(token_of(request).origin), expects_within=_length(given.expects_within_seconds)
    )
    try:
        made = connect(order, by=Actor.of(request), now=timezone.now())
    except Taken as refusal:
        raise Problem(409, code="conflict", detail=str(refusal)) from refusal
    except CannotConnect as refusal:
        raise Problem(422, code="invalid", detail=str(refusal)) from refusal
    address = ingest_address(made.feed.slug, request=request)
    told = FeedMade(**shape([made.feed])[0].model_dump(), address=address, secret=made.secret)
    return 201 if made.is_new else 200, told


@router.patch("/feeds/{slug}", auth=ADMIN, response=FeedOut)
def feed_change(request: HttpRequest, slug: str, given: FeedChanges) -> FeedOut:
    """Change what people call it, and what its messages leave out."""
    feed, asked = _feed(request, slug), given.model_dump(exclude_unset=True)
    kept = {
        name: getattr(feed, name)
        for name in ("name", "team", "account", "region", "cluster", "expects_within", "most_per_second")
    }
    if "most_per_second" in asked:
        kept["most_per_second"] = asked.pop("most_per_second")
    if "expects_within_seconds" in asked:
        kept["expects_within"] = _length(asked.pop("expects_within_seconds"))
    kept |= {name: value for name, value in asked.items() if value is not None}
    tending.change_settings(feed, tending.FeedSettings(**kept), by=Actor.of(request), now=timezone.now())
    return shape([_feed(request, slug)])[0]


@router.post("/feeds/{slug}/pause", auth=ADMIN, response=FeedOut)
def feed_pause(request: HttpRequest, slug: str) -> FeedOut:
    """From now on senders are told to come back later. Twice is harmless."""
    tending.pause(_feed(request, slug), by=Actor.of(request), now=timezone.now())
    return shape([_feed(request, slug)])[0]


@router.post("/feeds/{slug}/resume", auth=ADMIN, response=FeedOut)
def feed_resume(request: HttpRequest, slug: str) -> FeedOut:
    """Take messages again. Twice is harmless."""
    tending.resume(_feed(request, slug), by=Actor.of(request), now=timezone.now())
    return shape([_feed(request, slug)])[0]


@router.get("/feeds/{slug}/tokens", auth=ADMIN, response=Listing[SecretOut])
def secret_list(request: HttpRequest, slug: str, paging: Query[Paging]) -> object:
    """The secrets of a feed, the newest first; those that ended too."""
    tokens = FeedToken.objects.filter(feed=_feed(request, slug))
    return list_rows(request, queryset=tokens, order=["-created_at", "-pk"], paging=paging, row=SecretOut)


@router.post("/feeds/{slug}/tokens", auth=ADMIN, response={201: SecretMade})
def secret_issue(request: HttpRequest, slug: str, given: SecretIn) -> tuple[int, SecretMade]:
    """A new secret; those there are end after the overlap."""
    feed, overlap = _feed(request, slug), timedelta(seconds=given.overlap_seconds)
    token, secret = tending.rotate(feed, by=Actor.of(request), now=timezone.now(), overlap=overlap)
    return 201, SecretMade(**SecretOut.from_orm(token).model_dump(), secret=secret)


@router.delete("/feeds/{slug}/tokens/{int:pk}", auth=ADMIN, response=SecretOut)
def secret_revoke(request: HttpRequest, slug: str, pk: int) -> SecretOut:
    """End one secret at once. Twice is harmless."""
    tokens = FeedToken.objects.select_related("feed").filter(feed=_feed(request, slug))
    token = get_object_or_404(tokens, pk=pk)
    tending.revoke(token, by=Actor.of(request), now=timezone.now())
    token.refresh_from_db()
    return SecretOut.from_orm(token)


def _feed(request: HttpRequest, slug: str) -> Feed:
    return get_object_or_404(Feed.objects.of_origin(token_of(request).origin), slug=slug)


def _length(seconds: int | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)
