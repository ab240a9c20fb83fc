"""Lists as pages that a cursor leads through, and the same lists as CSV.

A cursor says after which row to go on, so a page costs the same however deep it lies, and rows that
arrive meanwhile are neither skipped nor shown twice. It is signed, and holds for one order only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any, Generic, Literal, TypeVar

from django.core import signing
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from ninja import Field, Schema

from console.lib.asked import refused
from console.lib.csv_file import csv_response
from console.lib.problems import Problem

MAX_SIZE = 500
CSV_CHUNK = 2000

Row = TypeVar("Row", bound=Model)
Item = TypeVar("Item")
Out = TypeVar("Out", bound=Schema)


class Paging(Schema):
    """What every list of the API takes: `paging: Query[Paging]`."""

    cursor: str = Field("", description="`next` of the page before; leave out for the first page.")
    limit: int = Field(100, ge=1, le=MAX_SIZE, description="Rows a page.")
    format: Literal["json", "csv"] = Field("json", description="`csv` streams every row of the same filter.")


class Listing(Schema, Generic[Item]):
    """One page of a list: `response=Listing[ServiceOut]`."""

    items: list[Item]
    next: str | None = Field(None, description="Cursor of the next page; null on the last one.")


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Rows of one page, and the cursor of the next if there is one."""

    items: list[Row]
    next: str | None


def cut_page(
    queryset: QuerySet[Row], *, order: Sequence[str], cursor: str = "", size: int = 100
) -> Page[Row]:
    """The page after `cursor`. `order` names columns that are never null, and ends in a unique one.

    A column may lie behind foreign keys (`"service__slug"`) that are never null either.
    """
    wanted = queryset.order_by(*order)
    if cursor:
        wanted = wanted.filter(_after(order, _read(cursor, order)))
    rows = list(wanted[: size + 1])
    more = len(rows) > size
    rows = rows[:size]
    return Page(rows, _write(rows[-1], order) if more else None)


def page_of(
    request: HttpRequest, *, queryset: QuerySet[Row], order: Sequence[str], size: int = 100
) -> Page[Row]:
    """The page that a web page's `?cursor=` asks for; the first one where the cursor is worn out."""
    try:
        return cut_page(queryset, order=order, cursor=request.GET.get("cursor", ""), size=size)
    except Problem:  # a link from long ago: the list itself is still there
        return cut_page(queryset, order=order, size=size)


def each_page(queryset: QuerySet[Row], *, order: Sequence[str], size: int = CSV_CHUNK) -> Iterator[list[Row]]:
    """Every row, a page at a time: no long transaction, and memory for one page."""
    page = cut_page(queryset, order=order, size=size)
    while page.items:
        yield page.items
        if page.next is None:
            return
        page = cut_page(queryset, order=order, cursor=page.next, size=size)


def list_rows(
    request: HttpRequest,
    *,
    queryset: QuerySet[Row],
    order: Sequence[str],
    paging: Paging,
    row: type[Out],
    shape: Callable[[list[Row]], Sequence[Out]] | None = None,
) -> dict[str, Any] | StreamingHttpResponse:
    """What a list endpoint returns: a page as JSON, or the whole list as CSV when asked for.

    `shape` turns a page of rows into items, so that what they need is fetched a page at a time.
    """

    def shaped(rows: list[Row]) -> Sequence[Out]:
        return shape(rows) if shape else [row.from_orm(item) for item in rows]

    if paging.format == "csv":
        if paging.cursor:
            raise refused("cursor", "CSV holds every row of the list; leave the cursor out.")
        chunks = each_page(queryset, order=order)
        name = request.path.rstrip("/").rsplit("/", 1)[-1]
        lines = (item.model_dump() for chunk in chunks for item in shaped(chunk))
        return csv_response(lines, columns=list(row.model_fields), name=name)
    page = cut_page(queryset, order=order, cursor=paging.cursor, size=paging.limit)
    return {"items": shaped(page.items), "next": page.next}


def _after(order: Sequence[str], values: Sequence[Any]) -> Q:
    """Rows behind `values`: each column bounds the scan before the next one breaks the tie."""
    name, value = order[0], values[0]
    column, way = (name[1:], "lt") if name.startswith("-") else (name, "gt")
    beyond = Q(**{f"{column}__{way}": value})
    if len(order) == 1:
        return beyond
    return Q(**{f"{column}__{way}e": value}) & (beyond | _after(order[1:], values[1:]))


def _signer(order: Sequence[str]) -> signing.Signer:
    return signing.Signer(salt="cursor:" + ",".join(order))


def _write(row: Model, order: Sequence[str]) -> str:
    values = [attrgetter(name.lstrip("-").replace("__", "."))(row) for name in order]
    plain = [value.isoformat() if isinstance(value, datetime) else value for value in values]
    return _signer(order).sign_object(plain)


def _read(cursor: str, order: Sequence[str]) -> list[Any]:
    try:
        values = _signer(order).unsign_object(cursor)
    except (signing.BadSignature, ValueError) as error:
        detail = "The cursor is not one of this list. Leave it out to start at the first page."
        raise Problem(422, code="bad_cursor", detail=detail) from error
    if not isinstance(values, list) or len(values) != len(order):
        raise Problem(422, code="bad_cursor", detail="The cursor belongs to another list.")
    return values


def query_of(request: HttpRequest, **changes: str | None) -> str:
    """The query string of this page with some values changed or (None) left out; for links in pages."""
    query = request.GET.copy()
    for name, value in changes.items():
        query.pop(name, None)
        if value is not None:
            query[name] = value
    return query.urlencode()
