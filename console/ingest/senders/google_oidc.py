"""Pub/Sub's push token: Google signs it for the address, in the name of a service account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from console.feeds.normalised import Rejected
from console.feeds.signatures import check_audience
from console.ingest.directory import KnownFeed

HOST = "www.googleapis.com"
ISSUERS = ("https://accounts.google.com", "accounts.google.com")


class _Push(msgspec.Struct, kw_only=True):
    subscription: object = None


_PUSH = msgspec.json.Decoder(_Push)


def is_expected(feed: KnownFeed) -> bool:
    return feed.kind == "gcp-pubsub" and bool(feed.settings.audience and feed.settings.service_account)


def keys_url(feed: KnownFeed) -> str:
    return f"https://{HOST}/oauth2/v3/certs"


def check(feed: KnownFeed, claims: Mapping[str, Any]) -> None:
    check_audience(claims, issuers=ISSUERS, audience=feed.settings.audience)
    if claims.get("email_verified") is not True or claims.get("email") != feed.settings.service_account:
        raise Rejected(
            "forbidden_sender", "The token's service account is another than the feed's settings say."
        )


def check_subscription(feed: KnownFeed, body: bytes) -> None:
    """Where the feed names its subscription, no other may push to it."""
    wanted = feed.settings.subscription
    if feed.kind != "gcp-pubsub" or not wanted:
        return
    try:
        said = _PUSH.decode(body).subscription
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return  # judged as any body that is no push
    if said != wanted:
        raise Rejected("forbidden_sender", f"The subscription {str(said)[:200]!r} may not push to this feed.")
