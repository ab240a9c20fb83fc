"""Shared views for programs: reading and keeping them. Private ones are their owners' alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Field, Query, Router, Schema

from console.accounts import saved_views
from console.accounts.api_auth import TokenAuth
from console.accounts.audit import Actor
from console.accounts.models import Board, SavedView, Scope
from console.accounts.saved_views import Draft, NotPossible
from console.lib.cursor import Listing, Paging, list_rows
from console.lib.problems import Problem

router = Router(tags=["saved views"])
READ, MANAGE = TokenAuth(Scope.READ), TokenAuth(Scope.MANAGE)


class ViewOut(Schema):
    """Filters of a board under a name."""

    id: int
    board: Board
    name: str
    query: str
    """As in the board's URL; empty: everything."""
    path: str
    owner: str
    created_at: datetime

    @classmethod
    def of(cls, view: SavedView) -> ViewOut:
        return cls(
            id=view.pk,
            board=Board(view.board),
            name=view.name,
            query=view.query,
            path=view.path,
            owner=view.owner.email if view.owner else view.owner_label,
            created_at=view.created_at,
        )


class ViewIn(Schema):
    """A shared view that a program makes."""

    board: Board
    name: str = Field(max_length=80)
    query: str = Field(
        "", max_length=2000, description="The board's filters as in its URL: `service=checkout`."
    )


class ViewChange(Schema):
    """What is to be different."""

    name: str | None = Field(None, max_length=80)
    query: str | None = Field(None, max_length=2000)


class ViewQuery(Schema):
    board: Board | None = None


@router.get("/saved-views", response=Listing[ViewOut], auth=READ)
def view_list(
    request: HttpRequest, wanted: Query[ViewQuery], paging: Query[Paging]
) -> dict[str, Any] | StreamingHttpResponse:
    """Shared views, the newest first."""
    rows = SavedView.objects.filter(is_shared=True).select_related("owner")
    if wanted.board:
        rows = rows.filter(board=wanted.board)
    return list_rows(
        request,
        queryset=rows,
        order=("-pk",),
        paging=paging,
        row=ViewOut,
        shape=lambda views: [ViewOut.of(view) for view in views],
    )


@router.post("/saved-views", response={201: ViewOut}, auth=MANAGE)
def view_create(request: HttpRequest, given: ViewIn) -> tuple[int, ViewOut]:
    """Keep filters under a name for everybody."""
    draft = Draft(given.board, given.name, given.query, is_shared=True)
    with _refusals():
        view = saved_views.create(draft, owner=None, actor=Actor.of(request), now=timezone.now())
    return 201, ViewOut.of(view)


@router.patch("/saved-views/{int:pk}", response=ViewOut, auth=MANAGE)
def view_change(request: HttpRequest, pk: int, given: ViewChange) -> ViewOut:
    """Rename a shared view, or give it other filters."""
    view = _shared(pk)
    with _refusals():
        saved_views.change(
            view, name=given.name, query=given.query, actor=Actor.of(request), now=timezone.now()
        )
    return ViewOut.of(view)


@router.delete("/saved-views/{int:pk}", response={204: None}, auth=MANAGE)
def view_delete(request: HttpRequest, pk: int) -> tuple[int, None]:
    """Delete a shared view for good."""
    saved_views.delete(_shared(pk), actor=Actor.of(request), now=timezone.now())
    return 204, None


def _shared(pk: int) -> SavedView:
    return get_object_or_404(SavedView.objects.select_related("owner"), pk=pk, is_shared=True)


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except NotPossible as refusal:
        raise Problem(409, code="not_possible", detail=str(refusal)) from refusal
