"""Connecting a feed: its row, its first secret, and an entry in the audit trail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from console.accounts.audit import Actor, record
from console.accounts.models import hash_secret
from console.feeds.feed_settings import WrongSetting, checked_settings, sealed_secrets, told_of
from console.feeds.models import CANARY, Feed, FeedKind, FeedToken
from console.fleet.models import Team
from console.lib.live import announce
from console.lib.origin import Origin

SHORTEST_SECRET = 8
LONGEST_SECRET = 512
RESERVED = ("new", CANARY)
"""Addresses that a page or the console itself uses."""


class CannotConnect(Exception):
    """The feed cannot be made as asked; the message says what to do."""


class Taken(CannotConnect):
    """The address or the secret is another feed's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedOrder:
    """What a feed is to be. Without a secret one is made; without a slug the name gives it."""

    name: str
    kind: FeedKind
    slug: str = ""
    origin: Origin = Origin.LIVE
    team: Team | None = None
    account: str = ""
    region: str = ""
    cluster: str = ""
    expects_within: timedelta | None = None
    most_per_second: int | None = None
    secret: str = ""
    sender: Mapping[str, str] = field(default_factory=dict)
    """Settings of its sender as typed: `feed_settings.SETTINGS` says which its kind takes."""

    @property
    def wanted_slug(self) -> str:
        return self.slug or slugify(self.name)[:64].strip("-")


@dataclass(frozen=True, slots=True)
class Connected:
    """A feed with the secret that opens it. `is_new` is false where the very same was there already."""

    feed: Feed
    secret: str
    is_new: bool


@transaction.atomic
def connect(order: FeedOrder, *, by: Actor, now: datetime) -> Connected:
    """Make a feed and its secret. Doing the same twice is safe where the order names its secret.

    Of two that order one address at once, the database lets one in; the other finds the feed made.
    """
    _check(order)
    try:
        sender = checked_settings(order.kind, order.sender)
        sealed = sealed_secrets(order.kind, order.sender, kept={})
    except WrongSetting as error:
        raise CannotConnect(str(error)) from error
    there = _at(order.wanted_slug)
    if there is not None:
        return _found(there, order, now=now)
    try:
        with transaction.atomic():
            feed, secret = _make(order, sender=sender, sealed=sealed, now=now)
    except IntegrityError:
        there = _at(order.wanted_slug)
        if there is not None:
            return _found(there, order, now=now)
        raise Taken("This token opens another feed already. Every feed needs a token of its own.") from None
    after = {"kind": feed.kind, "origin": feed.origin} | sender | told_of(sealed, before={})
    record(by, action="feed.create", subject=feed, after=after, now=now)
    announce("feeds")
    return Connected(feed, secret, is_new=True)


def _at(slug: str) -> Feed | None:
    return Feed.objects.select_for_update(of=("self",)).filter(slug=slug).first()


def _make(
    order: FeedOrder, *, sender: dict[str, Any], sealed: dict[str, str], now: datetime
) -> tuple[Feed, str]:
    feed = Feed.objects.create(
        slug=order.wanted_slug,
        name=order.name.strip(),
        kind=order.kind,
        origin=order.origin,
        team=order.team,
        account=order.account,
        region=order.region,
        cluster=order.cluster,
        expects_within=order.expects_within,
        most_per_second=order.most_per_second,
        settings=sender,
        sealed=sealed,
        created_at=now,
    )
    _, secret = FeedToken.issue(feed, secret=order.secret or None, created_at=now)
    return feed, secret


def _check(order: FeedOrder) -> None:
    if not order.wanted_slug or order.wanted_slug != slugify(order.wanted_slug):
        raise CannotConnect(
            f"{order.slug or order.name!r} gives no address. Name the feed with letters and digits."
        )
    if order.wanted_slug in RESERVED:
        raise CannotConnect(f"The address {order.wanted_slug} is taken. Choose another name.")
    if order.secret and not SHORTEST_SECRET <= len(order.secret) <= LONGEST_SECRET:
        raise CannotConnect(f"A token has {SHORTEST_SECRET} to {LONGEST_SECRET} characters.")
    if order.secret and not (
        order.secret.isascii() and order.secret.isprintable() and " " not in order.secret
    ):
        raise CannotConnect(
            "A token is made of printable ASCII characters without spaces: it travels in headers."
        )


def _found(feed: Feed, order: FeedOrder, *, now: datetime) -> Connected:
    """The same order again changes nothing; another one under the same address is refused."""
    is_same = (feed.kind, feed.origin) == (order.kind, order.origin)
    tokens = feed.tokens.usable(now=now).filter(secret_hash=hash_secret(order.secret))
    if is_same and order.secret and tokens.exists():
        return Connected(feed, order.secret, is_new=False)
    if not is_same:
        raise Taken(
            f"The feed {feed.slug} exists already, of kind {feed.kind} and origin {feed.origin}."
            " Choose another name."
        )
    raise Taken(
        f"The feed {feed.slug} exists already. Its secret cannot be shown again; rotate it for a new one."
    )
