"""Event Grid's bearer token: Entra signs it for the audience that the event subscription names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from console.feeds.feed_settings import EVENT_GRID_APP
from console.feeds.normalised import Rejected
from console.feeds.signatures import check_audience
from console.ingest.directory import KnownFeed

HOST = "login.microsoftonline.com"


def is_expected(feed: KnownFeed) -> bool:
    return feed.kind == "azure-eventgrid" and bool(feed.settings.tenant and feed.settings.audience)


def keys_url(feed: KnownFeed) -> str:
    return f"https://{HOST}/{feed.settings.tenant.lower()}/discovery/v2.0/keys"


def check(feed: KnownFeed, claims: Mapping[str, Any]) -> None:
    """Tokens of both versions of Entra, of this tenant, sent by the application expected."""
    tenant = feed.settings.tenant.lower()
    issuers = (f"https://{HOST}/{tenant}/v2.0", f"https://sts.windows.net/{tenant}/")
    check_audience(claims, issuers=issuers, audience=feed.settings.audience)
    wanted = (feed.settings.app_id or EVENT_GRID_APP).lower()
    if str(claims.get("azp") or claims.get("appid") or "").lower() != wanted:
        raise Rejected("forbidden_sender", "The token's application is another than the feed's settings say.")
