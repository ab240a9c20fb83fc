"""Measures for programs: `/api/v1/measures/m1` to `m4`, `m6` and `m8`, by any dimension, as JSON or CSV."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from ninja import Field, Path, Query, Router, Schema

from console.accounts.api_auth import TokenAuth, token_of
from console.accounts.models import Scope as TokenScope
from console.interruptions import measure_answers as answers
from console.interruptions.measures import (
    NOT_COMPUTED,
    Dimension,
    Measure,
    Scope,
    Window,
    rolled_up_at,
    unknown,
)
from console.lib.asked import BIGGEST_ID, Moment, refused
from console.lib.csv_file import csv_response
from console.lib.cursor import Listing
from console.lib.problems import Problem

router = Router(tags=["measures"])
LENGTH = re.compile(r"([1-9][0-9]{0,3})([hdw])")
UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(days=7)}
LONGEST = timedelta(days=400)
USUAL = {"m1": "7d", "m2": "7d", "m3": "24h", "m4": "7d", "m6": "7d", "m8": "7d"}


class ScopeQuery(Schema):
    """Filters; all that are given must hold."""

    window: str = Field(
        "", description="Length such as 24h, 7d or 13w. The measure's own window if left out."
    )
    until: Moment | None = Field(None, description="End of the window, cut to the hour; now if left out.")
    service: str = Field("", description="Slug of a service.")
    team: str = Field("", description="Slug of a team.")
    region: str = ""
    zone: str = ""
    type: str = Field("", description="Instance type.")
    pool: int | None = Field(None, ge=1, le=BIGGEST_ID, description="Id of a pool.")
    provider: str = ""
    format: Literal["json", "csv"] = Field("json", description="`csv` gives the same rows as CSV.")

    def scope(self, origin: str) -> Scope:
        given = {dimension.value: getattr(self, dimension.value) for dimension in Dimension}
        return Scope(origin, **{name: str(value) for name, value in given.items() if value})


class MeasureQuery(ScopeQuery):
    """Filters and grouping."""

    by: Dimension | None = Field(None, description="Group by this dimension; without it one figure for all.")


class WindowOut(Schema):
    since: datetime
    until: datetime


class IntervalOut(Schema):
    low: float
    high: float


class MeasureOut(Schema):
    """One figure. `value` null is "not known"; `is_at_least` says that the true value is greater."""

    name: str
    workload_class: str | None = Field(description="Of M3: stateless or batch.")
    signal: str | None = Field(description="Of M6: telemetry or audit.")
    key: str
    label: str
    value: float | None
    is_at_least: bool
    unit: str
    interval: IntervalOut | None
    n: int
    window: WindowOut | None
    status: str
    reason: str
    is_low_confidence: bool
    target: float | None
    red: float | None
    as_of: datetime | None
    notes: list[str]
    figures: dict[str, float | None]
    rows_url: str

    @classmethod
    def of(cls, one: Measure) -> MeasureOut:
        same = {name: getattr(one, name) for name in _SAME}
        return cls(
            interval=IntervalOut(low=one.interval.low, high=one.interval.high) if one.interval else None,
            window=WindowOut(since=one.window.since, until=one.window.until) if one.window else None,
            status=one.status.value,
            workload_class=one.workload_class or None,
            signal=one.signal or None,
            notes=list(one.notes),
            figures=dict(one.figures),
            **same,
        )


_SAME = (
    "name",
    "key",
    "label",
    "value",
    "is_at_least",
    "unit",
    "n",
    "reason",
    "is_low_confidence",
    "target",
    "red",
    "as_of",
    "rows_url",
)


@router.get(
    "/measures/{name}",
    auth=TokenAuth(TokenScope.READ),
    response=Listing[MeasureOut],
    summary="A measure with its range, verdict and age",
)
def measure_get(
    request: HttpRequest,
    name: Annotated[str, Path(description="m1, m2, m3, m4, m6 or m8")],
    query: Query[MeasureQuery],
) -> dict[str, Any] | StreamingHttpResponse:
    """M1 interruption rate (with M1b), M2 graceful shutdowns, M3 reschedule latency a class, M4 lost work,
    M6 observability gap a signal, M8 replica recovery.
    """
    found = _answer(name, query, origin=token_of(request).origin, now=timezone.now())
    items = [MeasureOut.of(measure) for measure in found]
    if query.format == "csv":
        lines = (item.model_dump() for item in items)
        return csv_response(lines, columns=list(MeasureOut.model_fields), name=name)
    return {"items": items, "next": None}


def _answer(name: str, query: MeasureQuery, *, origin: str, now: datetime) -> list[Measure]:
    if name not in USUAL:
        known = re.fullmatch(r"m([579]|10)", name)
        detail = f"{name} is not computed yet." if known else f"There is no measure {name}."
        raise Problem(501 if known else 404, code="not_available" if known else "not_found", detail=detail)
    span, as_of = length_of(query.window or USUAL[name]), rolled_up_at(origin)
    if as_of is None:
        return [unknown(name, "", NOT_COMPUTED)]
    window, scope = window_of(span, query.until, as_of), query.scope(origin)
    match name:
        case "m1":
            return answers.rates(scope, window=window, by=query.by)
        case "m2":
            return answers.shutdowns(scope, window=window, by=query.by, now=now)
        case "m3":
            return answers.latencies(scope, window=window, by=query.by, now=now)
        case "m4":
            return answers.work(scope, window=window, by=query.by)
        case "m6":
            return answers.gaps(scope, window=window, by=query.by, now=now)
    return answers.recoveries(scope, window=window, by=query.by, now=now)


def length_of(text: str) -> timedelta:
    """`24h`, `7d`, `13w`; anything else is refused."""
    match = LENGTH.fullmatch(text)
    span = int(match[1]) * UNITS[match[2]] if match else None
    if span is None or span > LONGEST:
        raise refused("window", "A window is a number and h, d or w, at most 400 days: 24h, 7d, 13w.")
    return span


def window_of(span: timedelta, until: datetime | None, as_of: datetime) -> Window:
    if until is None or until >= as_of:
        return Window.last(span, as_of=as_of)
    return Window.ending(until, span, as_of=as_of)
