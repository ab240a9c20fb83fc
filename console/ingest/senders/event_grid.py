"""The two handshakes of Event Grid. Neither says who asks: the sender is checked besides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from console.feeds.normalised import Rejected
from console.ingest.directory import KnownFeed

VALIDATION = "Microsoft.EventGrid.SubscriptionValidationEvent"
ORIGIN = "webhook-request-origin"
RATE = "webhook-request-rate"
MOST_CODE = 200


def validation_answer(feed: KnownFeed, headers: Mapping[str, str], body: bytes) -> dict[str, object] | None:
    """What an event subscription in the Event Grid schema wants to hear back; None for anything else."""
    is_asked = headers.get("aeg-event-type", "").lower() == "subscriptionvalidation"
    if feed.kind != "azure-eventgrid" or not (is_asked or VALIDATION.encode() in body[:4096]):
        return None
    code = _code(body)
    if code is None and is_asked:
        raise Rejected(
            "invalid_field", "data.validationCode: missing; Event Grid sends it in the first event"
        )
    return {"validationResponse": code} if code is not None else None


def _code(body: bytes) -> str | None:
    try:
        document: Any = msgspec.json.decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return None
    event = document[0] if isinstance(document, list) and len(document) == 1 else document
    if not isinstance(event, dict) or event.get("eventType") != VALIDATION:
        return None
    data = event.get("data")
    code = data.get("validationCode") if isinstance(data, dict) else None
    return code if isinstance(code, str) and 0 < len(code) <= MOST_CODE else None


def permission(feed: KnownFeed | None, headers: Mapping[str, str]) -> tuple[tuple[bytes, bytes], ...] | None:
    """The answer's headers to CloudEvents' question whether this address wants to be posted to."""
    origin = headers.get(ORIGIN, "").strip()
    is_asked = feed is not None and feed.kind in ("azure-eventgrid", "cloudevents") and origin
    if not is_asked or not origin.isascii() or not origin.isprintable():
        return None
    wanted = headers.get(RATE, "").strip()
    rate = wanted if wanted.isascii() and wanted.isdigit() and len(wanted) < 10 else "*"
    return (
        (b"webhook-allowed-origin", origin.encode()[:255]),
        (b"webhook-allowed-rate", rate.encode()),
        (b"allow", b"POST"),
    )
