"""Tokens that an identity provider signed: its keys, and what a feed wants such a token to say."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from console.feeds.normalised import Rejected
from console.feeds.signatures import claims_of, key_id, keys_of
from console.ingest.directory import KnownFeed
from console.ingest.senders import entra, google_oidc
from console.ingest.senders.documents import Documents, Fetch
from console.lib.outgoing import CannotFetch, fetch

KEYS_FOR = 6 * 3600.0
NEW_KEYS_AT_MOST_EVERY = 30.0
"""Seconds. A token of an unknown key makes us look whether the keys have turned, not more often."""
_JWT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")


class Issuer(Protocol):
    HOST: str

    def is_expected(self, feed: KnownFeed) -> bool: ...
    def keys_url(self, feed: KnownFeed) -> str: ...
    def check(self, feed: KnownFeed, claims: Mapping[str, Any]) -> None: ...


_ISSUERS: tuple[Any, ...] = (google_oidc, entra)


def issuer_of(feed: KnownFeed, headers: Mapping[str, str]) -> Issuer | None:
    """Who signed the token of this request, as far as the feed expects one. Its own secret is no JWT."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not _JWT.fullmatch(value.strip()):
        return None
    return next((issuer for issuer in _ISSUERS if issuer.is_expected(feed)), None)


class BearerTokens:
    def __init__(self, fetch: Fetch = fetch) -> None:
        self._documents = Documents(fetch)

    async def check(
        self, issuer: Issuer, feed: KnownFeed, headers: Mapping[str, str], *, now: datetime
    ) -> dict[str, Any]:
        """What the token says, if it is good for this feed."""
        token = headers["authorization"].partition(" ")[2].strip()
        kid = key_id(token)
        url = issuer.keys_url(feed)
        keys = await self._keys(url, host=issuer.HOST, max_age=KEYS_FOR)
        if kid not in keys:
            keys = await self._keys(url, host=issuer.HOST, max_age=NEW_KEYS_AT_MOST_EVERY)
        if kid not in keys:
            raise Rejected("unauthenticated", "The token names a key that its issuer does not have.")
        claims = claims_of(token, key=keys[kid], now=now)
        issuer.check(feed, claims)
        return claims

    async def _keys(self, url: str, *, host: str, max_age: float) -> dict[str, Any]:
        is_allowed: Callable[[str], bool] = host.__eq__
        try:
            return dict(keys_of(await self._documents.get(url, is_allowed=is_allowed, max_age=max_age)))
        except CannotFetch as error:
            raise Rejected("unauthenticated", f"The issuer's keys cannot be had: {error}.") from None
