"""Pages asked for with what cannot be: answered as a bad request, never as a fault of the console."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.db import DataError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.defaults import bad_request

from console.lib.problems import Problem

logger = logging.getLogger(__name__)


class RefusalMiddleware:
    """The API answers in its own words before an error comes here."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, Problem):
            return _refused(request, exception)
        if isinstance(exception, DataError):  # such as a NUL byte, which no text in the database can hold
            logger.warning("page.impossible_value", extra={"path": request.path, "error": str(exception)})
            return bad_request(request, exception)
        return None


def _refused(request: HttpRequest, problem: Problem) -> HttpResponse:
    """A cursor from long ago leads to the first page of its list."""
    if problem.code != "bad_cursor" or request.method not in ("GET", "HEAD"):
        return bad_request(request, problem)
    query = request.GET.copy()
    query.pop("cursor", None)
    return HttpResponseRedirect(f"{request.path}?{query.urlencode()}" if query else request.path)
