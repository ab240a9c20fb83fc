"""What a program asks for in a query string: read strictly, so that no filter is ever silently left out.

`only_known` is laid round every operation of the API: a parameter that nobody reads, or one given twice,
is refused by name. `Moment` and `Span` are the times that lists are narrowed by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import wraps
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from django.http import HttpRequest
from django.utils.dateparse import parse_date, parse_datetime
from ninja import Field, Schema
from ninja.params.models import Query
from pydantic import BeforeValidator, model_validator

from console.lib.problems import Problem

BIGGEST_ID = 2**63 - 1
WRITE_A_MOMENT = "Write a moment with its zone (2026-03-11T14:00:00Z) or a day (2026-03-11)."


def refused(name: str, detail: str, **more: Any) -> Problem:
    """A parameter that cannot be taken, and what to do."""
    errors = [{"field": name, "detail": detail}]
    return Problem(422, code="invalid", detail=f"{name}: {detail}", errors=errors, **more)


def names_read(view: Callable[..., Any]) -> list[str]:
    """The query parameters that a view takes, in alphabetical order."""
    return sorted(set(_names(view)))


def _names(view: Callable[..., Any]) -> Iterator[str]:
    for name, hint in get_type_hints(view, include_extras=True).items():
        if get_origin(hint) is Annotated and any(isinstance(mark, Query) for mark in hint.__metadata__):
            fields = getattr(get_args(hint)[0], "model_fields", None)
            yield from fields or [name]


def only_known(view: Callable[..., Any]) -> Callable[..., Any]:
    """The view, for requests that ask for nothing it does not know."""
    known = names_read(view)

    @wraps(view)
    def strict(request: HttpRequest, *args: Any, **values: Any) -> Any:
        for name, given in request.GET.lists():
            if name not in known:
                raise refused(name, _unknown(name, known), known=known)
            if len(given) > 1:
                raise refused(name, "Give it once; a list is narrowed by one value of each.", known=known)
        return view(request, *args, **values)

    return strict


def _unknown(name: str, known: list[str]) -> str:
    if not known:
        return "Unknown parameter; this address takes none."
    close = get_close_matches(name, known, n=1)
    hint = f" Did you mean {close[0]}?" if close else ""
    return f"Unknown parameter.{hint} Known here: {', '.join(known)}."


def _moment(value: object) -> datetime:
    """A day is its first moment in UTC."""
    if isinstance(value, datetime):
        return value
    text = str(value).strip()
    try:
        at, day = parse_datetime(text), parse_date(text)
        if day is not None:
            return datetime(day.year, day.month, day.day, tzinfo=UTC)
        if at is not None and at.tzinfo is not None:
            return at.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ValueError(WRITE_A_MOMENT)


Moment = Annotated[datetime, BeforeValidator(_moment)]


class Span(Schema):
    """A stretch of time, half-open; either end may be left out."""

    since: Moment | None = Field(None, description="At or after: a moment with its zone, or a day (UTC).")
    until: Moment | None = Field(None, description="Before: a moment with its zone, or a day (UTC).")

    @model_validator(mode="after")
    def _is_in_order(self) -> Span:
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise refused("until", "It does not lie after `since`; nothing can lie between them.")
        return self
