"""Factories of feeds and of what the quarantine holds."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from itertools import count
from typing import Any

from console.feeds.models import Feed, FeedToken, QuarantinedItem

NOON = datetime(2026, 3, 11, 12, tzinfo=UTC)
_numbers = count(1)


def make_feed(**fields: Any) -> Feed:
    """An EventBridge feed of live data, unless said otherwise."""
    slug = fields.setdefault("slug", f"feed-{next(_numbers)}")
    return Feed.objects.create(
        **({"name": slug.replace("-", " ").capitalize(), "kind": "aws-eventbridge"} | fields)
    )


def make_secret(feed: Feed, **fields: Any) -> str:
    return FeedToken.issue(feed, **fields)[1]


def make_held(feed: Feed, body: bytes = b'{"detail-type": 1}', **fields: Any) -> QuarantinedItem:
    """Refused for a field of the wrong type, unless said otherwise."""
    known = {
        "origin": feed.origin,
        "received_at": NOON,
        "last_at": NOON,
        "code": "invalid_field",
        "detail": "detail-type: must be text",
        "headers": {"content-type": "application/json"},
        "body_hash": hashlib.sha256(body).hexdigest(),
    } | fields
    return QuarantinedItem.objects.create(feed=feed, body=body, **known)
