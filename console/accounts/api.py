"""The audit trail through the API."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse
from ninja import Field, Query, Router, Schema

from console.accounts.api_auth import TokenAuth
from console.accounts.models import Scope
from console.accounts.queries import AUDIT_ORDER, AuditFilter
from console.lib.asked import Span
from console.lib.cursor import Listing, Paging, list_rows

router = Router(tags=["audit"])


class AuditEntryOut(Schema):
    """One change: who, what, to what, from what to what, from where."""

    id: int
    at: datetime
    actor_kind: str
    actor_id: int | None
    actor_label: str
    action: str
    subject_kind: str
    subject_id: str
    subject_label: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    address: str | None


class AuditQuery(Span):
    """Filters of the audit trail; all that are given must hold."""

    actor: str = Field("", description="Beginning of the actor's name or address.")
    action: str = Field("", description="An action (`user.role`) or all of a family (`user`).")
    subject: str = Field("", description="`kind:id`, a kind, or part of the subject's name.")


@router.get("/audit", auth=TokenAuth(Scope.AUDIT), response=Listing[AuditEntryOut])
def audit_list(
    request: HttpRequest, wanted: Query[AuditQuery], paging: Query[Paging]
) -> dict[str, Any] | StreamingHttpResponse:
    """The audit trail, newest first."""
    entries = AuditFilter(**wanted.model_dump()).entries()
    return list_rows(request, queryset=entries, order=AUDIT_ORDER, paging=paging, row=AuditEntryOut)
