"""The quarantine for programs: what is held, one item with its bytes, and replay."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Field, Query, Router, Schema
from pydantic import AfterValidator, WithJsonSchema

from console.accounts.api_auth import TokenAuth, token_of
from console.accounts.audit import Actor
from console.accounts.models import Scope
from console.feeds.models import QuarantinedItem, QuarantineState
from console.ingest.bells import RECORD
from console.ingest.error_codes import ERRORS
from console.ingest.quarantine import ORDER, QuarantineFilter
from console.ingest.replaying import replay
from console.lib.asked import Span
from console.lib.cursor import Listing, Paging, list_rows
from console.lib.problems import Problem

router = Router(tags=["quarantine"])


class QuarantinedOut(Schema):
    """A refused message, without its bytes."""

    id: int
    feed: str
    origin: str
    code: str
    detail: str
    state: str
    received_at: datetime
    last_at: datetime
    seen_count: int
    size: int
    body_sha256: str
    decided_at: datetime | None


class QuarantinedWhole(QuarantinedOut):
    """A refused message with everything that was kept."""

    headers: dict[str, str]
    body_base64: str


def _known_code(code: str) -> str:
    if code and code not in ERRORS:
        raise ValueError(f"There is no such code; use one of {', '.join(ERRORS)}.")
    return code


Code = Annotated[str, AfterValidator(_known_code), WithJsonSchema({"type": "string", "enum": list(ERRORS)})]


class QuarantineQuery(Span):
    """Filters; all that are given must hold. Received first at or after `since` and before `until`."""

    state: QuarantineState = QuarantineState.HELD
    feed: str = Field("", description="A feed's slug.")
    code: Code = Field("", description="Why it was refused: docs/errors.md.")
    q: str = Field("", max_length=200, description="Text of the detail or of the first 4 KiB of the body.")


class ReplayOut(Schema):
    """What became of a replay. Where it was refused again, `item` says why."""

    replayed: bool
    was_known: bool = Field(description="The message had been stored already; it was not processed twice.")
    item: QuarantinedOut


def shape(items: Sequence[QuarantinedItem]) -> list[QuarantinedOut]:
    return [QuarantinedOut(**_facts(item)) for item in items]


def _facts(item: QuarantinedItem) -> dict[str, Any]:
    same = (
        "id",
        "origin",
        "code",
        "detail",
        "state",
        "received_at",
        "last_at",
        "seen_count",
        "size",
        "decided_at",
    )
    return {name: getattr(item, name) for name in same} | {
        "feed": item.feed.slug,
        "body_sha256": item.body_hash,
    }


@router.get("/quarantine", response=Listing[QuarantinedOut], auth=TokenAuth(Scope.READ))
def quarantine_list(
    request: HttpRequest, wanted: Query[QuarantineQuery], paging: Query[Paging]
) -> dict[str, object] | StreamingHttpResponse:
    """Refused messages of the token's data origin, newest first."""
    asked = wanted.model_dump(exclude={"since", "until"})
    filtered = replace(
        QuarantineFilter.of(asked, origin=token_of(request).origin), since=wanted.since, until=wanted.until
    )
    return list_rows(
        request, queryset=filtered.rows(), order=ORDER, paging=paging, row=QuarantinedOut, shape=shape
    )


@router.get("/quarantine/{int:pk}", response=QuarantinedWhole, auth=TokenAuth(Scope.READ))
def quarantine_get(request: HttpRequest, pk: int) -> QuarantinedWhole:
    """One refused message with its bytes."""
    item = _item(request, pk)
    body = base64.b64encode(bytes(item.body)).decode()
    return QuarantinedWhole(**_facts(item), headers=item.headers, body_base64=body)


@router.post("/quarantine/{int:pk}/replay", response=ReplayOut, auth=TokenAuth(Scope.ACT))
def quarantine_replay(request: HttpRequest, pk: int) -> ReplayOut:
    """Read one held message again, as if it came now with its first receive time."""
    item = _item(request, pk)
    if item.state != "held":
        raise Problem(
            409, code="conflict", detail=f"The message is {item.state}; only held ones can be replayed."
        )
    outcome = replay([pk], by=Actor.of(request), now=timezone.now())
    if outcome.replayed:
        RECORD.ring()
    return ReplayOut(
        replayed=bool(outcome.replayed),
        was_known=bool(outcome.duplicates),
        item=shape([_item(request, pk)])[0],
    )


def _item(request: HttpRequest, pk: int) -> QuarantinedItem:
    items = QuarantinedItem.objects.select_related("feed").filter(origin=request.auth.origin)  # type: ignore[attr-defined]
    item: QuarantinedItem = get_object_or_404(items, pk=pk)
    item.size = len(item.body)  # type: ignore[attr-defined]
    return item
