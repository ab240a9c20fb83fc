"""Where senders post to."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def ingest_address(slug: str, *, request: HttpRequest | None = None) -> str:
    """The whole address of a feed: under the console's public name, else as this request reached it."""
    path = f"/ingest/{slug}"
    if settings.CONSOLE_URL:
        return f"{settings.CONSOLE_URL}{path}"
    return request.build_absolute_uri(path) if request is not None else f"{settings.LOCAL_URL}{path}"
