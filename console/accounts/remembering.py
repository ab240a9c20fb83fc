"""Filters are remembered a person, a board and a browser: in a cookie, so that a look writes nothing.

A board opened at its bare address goes on to the person's default view, else to the filters used last. An address
that names filters, or says `view=all`, is taken at its word.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict

from console.accounts.models import Board, User
from console.accounts.saved_views import FILTERS, clean_query, default_of, views_of
from console.lib.pages import once

KEPT_FOR = timedelta(days=180)
ALL = "view"
"""`?view=all` asks for everything, and forgets what was remembered."""


def cookie_name(board: Board, person: User) -> str:
    """The page's script writes the same one when a filter changes without a request of its own."""
    return f"spot-filters-{board.value}-{person.pk}"


def recall(request: HttpRequest, board: Board, person: User) -> HttpResponse | None:
    """Where a bare address goes on to; None: it is looked at as it stands."""
    is_page = request.headers.get("HX-Request") != "true"
    if not is_page or ALL in request.GET or any(name in request.GET for name in FILTERS[board]):
        return None
    default = default_of(person, board)
    query = (
        default.query if default else clean_query(board, request.COOKIES.get(cookie_name(board, person), ""))
    )
    if not query:
        return None
    asked: QueryDict = request.GET.copy()
    beside = f"&{asked.urlencode()}" if asked else ""
    return HttpResponseRedirect(f"{request.path}?{query}{beside}")


def remember(response: HttpResponse, request: HttpRequest, board: Board, person: User) -> HttpResponse:
    """Keep what this page was narrowed by, or forget it where it shows everything. Regions change nothing."""
    name = cookie_name(board, person)
    if request.headers.get("HX-Request") == "true":
        return response
    query = clean_query(board, request.GET)
    if query:
        response.set_cookie(
            name,
            query,
            max_age=KEPT_FOR,
            path=request.path,
            secure=settings.SESSION_COOKIE_SECURE,
            samesite="Lax",
        )
    elif name in request.COOKIES:
        response.delete_cookie(name, path=request.path, samesite="Lax")
    return response


def kept_views(request: HttpRequest, board: Board, person: User) -> dict[str, Any]:
    """Context of `accounts/_views_menu.html`: the person's views of a board, and what is looked at now."""
    return {
        "views_board": board,
        "views_query": clean_query(board, request.GET),
        "views": once(lambda: views_of(person, board)),
        "filters_cookie": cookie_name(board, person),
    }
