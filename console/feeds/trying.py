"""Trying a feed out: a sample message of its kind, posted over HTTP to the console's own front door.

Every row from a feed carries the feed's origin, so the message goes to a companion feed of the same kind whose
origin is `test`: it takes the whole way, and stays out of boards, measures and pagers. The companion's secret
is made for one message and gone afterwards.
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest

from console.accounts.audit import Actor, record
from console.feeds.models import Feed, FeedToken
from console.feeds.trial_messages import trial_message
from console.lib.origin import Origin

PATIENCE = 5.0
SECRET_FOR = timedelta(minutes=2)
_DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Trial:
    """What the front door answered, and how long it took."""

    address: str
    status: int | None
    milliseconds: int
    answer: dict[str, Any] = field(default_factory=dict)
    failure: str = ""
    companion: str = ""

    @property
    def is_taken(self) -> bool:
        return self.status in (200, 202)


def front_door(request: HttpRequest) -> str:
    """The console's own address: the very socket this request came to, whatever stands in front of it."""
    host, port = request.META.get("SERVER_NAME", ""), request.META.get("SERVER_PORT", "")
    if not host or host.startswith("/") or not str(port).isdigit():  # a unix socket
        return settings.CONSOLE_URL or settings.LOCAL_URL
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def try_out(feed: Feed, *, door: str, by: Actor, now: datetime) -> Trial:
    """Post a sample to the companion of `feed`."""
    with transaction.atomic():
        companion = companion_of(feed, now=now)
        token, secret = FeedToken.issue(companion, created_at=now, expires_at=now + SECRET_FOR)
        record(by, action="feed.test", subject=feed, now=now)
    message = trial_message(feed.kind, now=now)
    try:
        return post(f"{door}/ingest/{companion.slug}", message, secret=secret, companion=companion.slug)
    finally:
        token.delete()


def companion_of(feed: Feed, *, now: datetime) -> Feed:
    """The feed that takes the test messages of `feed`, made when first needed."""
    taken = set(Feed.objects.filter(slug__startswith="test-").values_list("slug", flat=True))
    names = (f"test-{feed.slug[: 59 - len(end)]}{end}" for end in ("", *(f"-{n}" for n in range(2, 100))))
    slug = next(name for name in names if name not in taken)
    companion, _ = Feed.objects.get_or_create(
        test_of=feed,
        defaults={
            "slug": slug,
            "name": f"Test of {feed.name}"[:120],
            "kind": feed.kind,
            "origin": Origin.TEST,
            "account": feed.account,
            "region": feed.region,
            "cluster": feed.cluster,
            "created_at": now,
        },
    )
    return companion


def post(address: str, message: dict[str, Any], *, secret: str, companion: str) -> Trial:
    """Post one message to the console's own front door, and tell what it answered."""
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    request = urllib.request.Request(  # noqa: S310  the console's own address
        address, data=json.dumps(message).encode(), headers=headers, method="POST"
    )
    began = time.monotonic()

    def taken() -> int:
        return round((time.monotonic() - began) * 1000)

    try:
        with _DIRECTLY.open(request, timeout=PATIENCE) as answer:
            return Trial(address, answer.status, taken(), json.load(answer), companion=companion)
    except urllib.error.HTTPError as error:
        return Trial(address, error.code, taken(), _readable(error), companion=companion)
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        return Trial(address, None, taken(), failure=str(reason), companion=companion)


def _readable(error: urllib.error.HTTPError) -> dict[str, Any]:
    try:
        body = json.load(error)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
