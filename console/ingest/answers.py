"""What the front door answers: one shape on success, problem JSON (RFC 9457) on refusal."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import msgspec

from console.feeds.models import FeedKind
from console.feeds.normalised import REFUSALS, Reading, Rejected, Result

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

TOO_LARGE_RETRY_AFTER = "3600"
SAID_OF_A_LIMIT: Mapping[str, HTTPStatus] = {FeedKind.ALERTMANAGER: HTTPStatus.SERVICE_UNAVAILABLE}
"""Senders that take 429 as final and come back after a 5xx alone; all others send again after 429."""


@dataclass(slots=True)
class Counts:
    """What became of the items of one request."""

    accepted: int = 0
    duplicates: int = 0
    ignored: int = 0
    unrecognised: int = 0
    rejected: int = 0
    heartbeats: int = 0
    turned_away: int = 0
    """Not taken, because of the feed's limit or of a full line; the sender is told when to come back."""
    errors: list[dict[str, object]] = field(default_factory=list)

    refusal: Rejected | None = None
    """The last one; where a request holds a single item, its own."""

    def take(self, reading: Reading) -> None:
        """Count an item that was stored for the first time."""
        if reading.result is Result.ACCEPTED:
            self.accepted += 1
            self.heartbeats += reading.is_heartbeat
        elif reading.result is Result.IGNORED:
            self.ignored += 1
        else:
            self.unrecognised += 1

    def reject(self, index: int, rejected: Rejected) -> None:
        self.rejected += 1
        self.refusal = rejected
        self.errors.append({"index": index, "code": rejected.code, "detail": rejected.detail})


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole response."""

    status: int
    body: dict[str, object]
    headers: tuple[tuple[bytes, bytes], ...] = ()

    async def send(self, send: Send) -> None:
        media = b"application/json" if self.status < HTTPStatus.BAD_REQUEST else b"application/problem+json"
        body = msgspec.json.encode(self.body)
        headers = [
            (b"content-type", media),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
            *self.headers,
        ]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _counted(counts: Counts) -> dict[str, object]:
    return {
        "accepted": counts.accepted,
        "duplicates": counts.duplicates,
        "ignored": counts.ignored,
        "unrecognised": counts.unrecognised,
        "rejected": counts.rejected,
        "errors": counts.errors,
    }


def answer_batch(counts: Counts) -> Answer:
    """Several items: always 202, each judged by itself."""
    return Answer(HTTPStatus.ACCEPTED, _counted(counts))


def answer_single(counts: Counts) -> Answer:
    """One item: 202, 200 for a repeat, or the refusal's own status."""
    if counts.refusal is not None:
        return problem(counts.refusal)
    status = HTTPStatus.OK if counts.duplicates else HTTPStatus.ACCEPTED
    return Answer(status, _counted(counts))


def problem(rejected: Rejected) -> Answer:
    """Problem JSON with the code of `feeds.md` section 10 and what to do about it."""
    status = REFUSALS[rejected.code]
    body: dict[str, object] = {
        "type": f"urn:spot-console:problem:{rejected.code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": rejected.code,
        "detail": rejected.detail,
    }
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        body["limit"] = rejected.limit
        return Answer(status, body, ((b"retry-after", TOO_LARGE_RETRY_AFTER.encode()),))
    if status == HTTPStatus.UNAUTHORIZED:
        return Answer(status, body, ((b"www-authenticate", b'Bearer realm="spot-console"'),))
    return Answer(status, body)


def not_allowed() -> Answer:
    """405: this address takes messages, nothing else."""
    body: dict[str, object] = {
        "type": "urn:spot-console:problem:method_not_allowed",
        "title": HTTPStatus.METHOD_NOT_ALLOWED.phrase,
        "status": 405,
        "code": "method_not_allowed",
        "detail": "Post the message to this address.",
    }
    return Answer(HTTPStatus.METHOD_NOT_ALLOWED, body, ((b"allow", b"POST"),))


def too_busy(limit: str, *, retry_after: int) -> Answer:
    """503 with the limit's name: nothing was stored, send it again."""
    body: dict[str, object] = {
        "type": "urn:spot-console:problem:unavailable",
        "title": HTTPStatus.SERVICE_UNAVAILABLE.phrase,
        "status": 503,
        "code": "unavailable",
        "limit": limit,
        "detail": f"Not stored. Send it again in {retry_after} s.",
    }
    return Answer(HTTPStatus.SERVICE_UNAVAILABLE, body, ((b"retry-after", str(retry_after).encode()),))


def over_limit(kind: str, *, per_second: int, retry_after: int) -> Answer:
    """429 with the limit's name: nothing was stored, send it again. Where 429 would be final it is 503."""
    status = SAID_OF_A_LIMIT.get(kind, HTTPStatus.TOO_MANY_REQUESTS)
    body: dict[str, object] = {
        "type": "urn:spot-console:problem:too_many_requests",
        "title": status.phrase,
        "status": status,
        "code": "too_many_requests",
        "limit": "feed rate",
        "detail": f"Not stored: the feed may send {per_second:,} messages a second. Send it again in {retry_after} s,"
        " or raise the limit in the feed's settings.",
    }
    return Answer(status, body, ((b"retry-after", str(retry_after).encode()),))
