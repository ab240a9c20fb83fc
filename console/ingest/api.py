"""The quarantine for programs: what is held, one item with its bytes, and replay."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Literal

from django.http import HttpRequest, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Field, Query, Router, Schema

from console.accounts.api_auth import TokenAuth
from console.accounts.audit import Actor
from console.accounts.models import Scope
from console.feeds.models import QuarantinedItem
from console.ingest.quarantine import ORDER, QuarantineFilter
from console.ingest.replaying import replay
from console.ingest.tasks import RECORD
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

    @staticmethod
    def resolve_feed(item: QuarantinedItem) -> str:
        return item.feed.slug

    @staticmethod
    def resolve_body_sha256(item: QuarantinedItem) -> str:
        return item.body_hash


class QuarantinedWhole(QuarantinedOut):
    """A refused message with everything that was kept."""

    headers: dict[str, str]
    body_base64: str

    @staticmethod
    def resolve_body_base64(item: QuarantinedItem) -> str:
        return base64.b64encode(bytes(item.body)).decode()


class QuarantineQuery(Schema):
    """Filters; all that are given must hold."""

    state: Literal["held", "replayed", "discarded"] = "held"
    feed: str = Field("", description="A feed's slug.")
    code: str = Field("", description="One of the codes of docs/errors.md.")
    q: str = Field("", description="Text of the detail or of the first 4 KiB of the body.")


class ReplayOut(Schema):
    """What became of a replay. Where it was refused again, `item` says why."""

    replayed: bool
    was_known: bool = Field(description="The message had been stored already; it was not processed twice.")
    item: QuarantinedOut


@router.get("/quarantine", response=Listing[QuarantinedOut], auth=TokenAuth(Scope.READ))
def quarantine_list(
    request: HttpRequest, wanted: Query[QuarantineQuery], paging: Query[Paging]
) -> dict[str, object] | StreamingHttpResponse:
    """Refused messages of the token's data origin, newest first."""
    filtered = QuarantineFilter.of(wanted.model_dump(), origin=request.auth.origin)  # type: ignore[attr-defined]
    return list_rows(request, queryset=filtered.rows(), order=ORDER, paging=paging, row=QuarantinedOut)


@router.get("/quarantine/{int:pk}", response=QuarantinedWhole, auth=TokenAuth(Scope.READ))
def quarantine_get(request: HttpRequest, pk: int) -> QuarantinedItem:
    """One refused message with its bytes."""
    return _item(request, pk)


@router.post("/quarantine/{int:pk}/replay", response=ReplayOut, auth=TokenAuth(Scope.ACT))
def quarantine_replay(request: HttpRequest, pk: int) -> dict[str, object]:
    """Read one held message again, as if it came now with its first receive time."""
    item = _item(request, pk)
    if item.state != "held":
        raise Problem(
            409, code="conflict", detail=f"The message is {item.state}; only held ones can be replayed."
        )
    outcome = replay([pk], by=Actor.of(request), now=timezone.now())
    if outcome.replayed:
        RECORD.ring()
    return {
        "replayed": bool(outcome.replayed),
        "was_known": bool(outcome.duplicates),
        "item": QuarantinedOut.from_orm(_item(request, pk)),
    }


def _item(request: HttpRequest, pk: int) -> QuarantinedItem:
    items = QuarantinedItem.objects.select_related("feed").filter(origin=request.auth.origin)  # type: ignore[attr-defined]
    item: QuarantinedItem = get_object_or_404(items, pk=pk)
    item.size = len(item.body)  # type: ignore[attr-defined]
    return item
