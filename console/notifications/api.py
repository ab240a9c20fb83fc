"""Channels and what was sent, for programs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse
from ninja import Field, Query, Router, Schema

from console.accounts.api_auth import TokenAuth, token_of
from console.accounts.models import Scope
from console.lib.asked import BIGGEST_ID, Span
from console.lib.cursor import Listing, Paging, list_rows
from console.notifications import queries
from console.notifications.models import (
    Channel,
    ChannelKind,
    Importance,
    Notification,
    NotificationKind,
    NotificationState,
)

router = Router(tags=["notifications"])
READ = TokenAuth(Scope.READ)


class ChannelOut(Schema):
    """One channel, without its address and keys."""

    id: int
    name: str
    kind: ChannelKind
    leads_to: str
    team: str | None
    created_at: datetime
    archived_at: datetime | None

    @classmethod
    def of(cls, channel: Channel) -> ChannelOut:
        return cls(
            id=channel.pk,
            name=channel.name,
            kind=ChannelKind(channel.kind),
            leads_to=channel.address_hint,
            team=channel.team.slug if channel.team else None,
            created_at=channel.created_at,
            archived_at=channel.archived_at,
        )


class ChannelQuery(Schema):
    """Filters of the channels."""

    kind: ChannelKind | None = None
    team: str = Field("", description="Slug of a team.")


class NotificationOut(Schema):
    """One message by one way. The words of codes are left out."""

    id: int
    origin: str
    key: str
    kind: NotificationKind
    importance: Importance
    subject: str
    person: str | None
    channel: str | None
    method: str | None
    title: str
    text: str
    reason: str
    state: NotificationState
    note: str
    attempts: int
    bundled_into: int | None
    created_at: datetime
    due_at: datetime | None
    send_at: datetime | None
    sent_at: datetime | None
    settled_at: datetime | None

    @classmethod
    def of(cls, row: Notification) -> NotificationOut:
        """From a row with person, channel and method selected along."""
        return cls(
            id=row.pk,
            origin=row.origin,
            key=row.key,
            kind=NotificationKind(row.kind),
            importance=Importance(row.importance),
            subject=row.subject,
            person=row.person.email if row.person else None,
            channel=row.channel.name if row.channel else None,
            method=row.method.label if row.method else None,
            title=row.shown_title,
            text=row.shown_text,
            reason=row.reason,
            state=NotificationState(row.state),
            note=row.note,
            attempts=row.attempt_count,
            bundled_into=row.lead_id,
            created_at=row.created_at,
            due_at=row.due_at,
            send_at=row.send_at,
            sent_at=row.sent_at,
            settled_at=row.settled_at,
        )


class NotificationQuery(Span):
    """Filters of what was sent; `since` and `until` are about when it was written."""

    state: NotificationState | None = None
    kind: NotificationKind | None = None
    person: int | None = Field(None, ge=1, le=BIGGEST_ID, description="Id of a person.")
    channel: int | None = Field(None, ge=1, le=BIGGEST_ID, description="Id of a channel.")
    subject: str = Field("", max_length=100, description="What it is about, as `group:12`.")


@router.get("/channels", response=Listing[ChannelOut], auth=READ)
def channel_list(
    request: HttpRequest, query: Query[ChannelQuery], paging: Query[Paging]
) -> dict[str, Any] | StreamingHttpResponse:
    """Where teams are told, by name; archived ones too."""
    rows = Channel.objects.select_related("team")
    if query.kind:
        rows = rows.filter(kind=query.kind)
    if query.team:
        rows = rows.filter(team__slug=query.team)
    return list_rows(
        request,
        queryset=rows,
        order=("name",),
        paging=paging,
        row=ChannelOut,
        shape=lambda found: [ChannelOut.of(channel) for channel in found],
    )


@router.get("/notifications", response=Listing[NotificationOut], auth=READ)
def notification_list(
    request: HttpRequest, query: Query[NotificationQuery], paging: Query[Paging]
) -> dict[str, Any] | StreamingHttpResponse:
    """What was sent, is to be sent or stayed in the house; the newest first."""
    filters = queries.Filters(**query.model_dump(exclude_none=True))
    rows = filters.narrow(queries.notifications().filter(origin=token_of(request).origin))
    return list_rows(
        request,
        queryset=rows,
        order=queries.ORDER,
        paging=paging,
        row=NotificationOut,
        shape=lambda found: [NotificationOut.of(row) for row in found],
    )
