"""How reclaims were announced, for programs: notice and coverage by channel, and the trust in recommendations."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar

from django.http import HttpRequest, StreamingHttpResponse
from ninja import Field, Query, Router, Schema

from console.accounts.api_auth import TokenAuth, token_of
from console.accounts.models import Scope as TokenScope
from console.interruptions.api_measures import (
    IntervalOut,
    MeasureQuery,
    ScopeQuery,
    WindowOut,
    length_of,
    window_of,
)
from console.interruptions.coverage import Channel, Notices, channels, notices
from console.interruptions.measures import Window, rolled_up_at
from console.interruptions.rebalance_trust import Trust, rebalance_trust
from console.lib.csv_file import csv_response
from console.lib.cursor import Listing
from console.lib.statistics import Interval

router = Router(tags=["warnings"])
READ = TokenAuth(TokenScope.READ)
Row = TypeVar("Row", bound=Schema)


def _interval(interval: Interval | None) -> IntervalOut | None:
    return IntervalOut(low=interval.low, high=interval.high) if interval else None


class NoticesOut(Schema):
    """The notice of the reclaims of one place. `n` are judged; the others are history, or not over."""

    key: str
    label: str
    n: int
    usable: int
    short: int = Field(description="Told with less than half of the promised window left.")
    late: int = Field(description="Told once the machine was gone or past its deadline.")
    untold: int = Field(description="No notice was received at all.")
    history: int = Field(description="First heard of more than a day after the end; in no other figure.")
    unusable_share: float | None
    interval: IntervalOut | None
    is_low_confidence: bool
    promised_p50: float | None = Field(description="Seconds that half the notices promised at least.")
    promised_p05: float | None = Field(description="Seconds that 19 of 20 promised at least.")
    actual_p50: float | None = Field(
        description="From the first statement received to the end; below zero: after."
    )
    actual_p05: float | None
    window: WindowOut
    as_of: datetime
    rows_url: str

    @classmethod
    def of(cls, one: Notices, window: Window) -> NoticesOut:
        same = {name: getattr(one, name) for name in ("key", "label", "usable", "short", "late", "untold")}
        return cls(
            n=one.over,
            history=one.history,
            unusable_share=one.unusable_share,
            interval=_interval(one.interval),
            is_low_confidence=one.is_low_confidence,
            promised_p50=one.promised.p50,
            promised_p05=one.promised.p05,
            actual_p50=one.actual.p50,
            actual_p05=one.actual.p05,
            window=WindowOut(since=window.since, until=window.until),
            as_of=window.as_of,
            rows_url=one.rows_url,
            **same,
        )


class ChannelOut(Schema):
    """What one feed and format told of the `n` reclaims of a provider."""

    provider: str
    feed: str | None
    feed_id: int
    source: str
    n: int
    told: int
    told_interval: IntervalOut
    before_end: int
    before_end_interval: IntervalOut
    warned_in_time: int
    first: int
    is_low_confidence: bool
    missed_url: str

    @classmethod
    def of(cls, one: Channel) -> ChannelOut:
        same = {name: getattr(one, name) for name in ("provider", "feed_id", "source", "told", "first")}
        return cls(
            feed=one.feed.slug if one.feed else None,
            n=one.over,
            told_interval=IntervalOut(low=one.told_range.low, high=one.told_range.high),
            before_end=one.before,
            before_end_interval=IntervalOut(low=one.before_range.low, high=one.before_range.high),
            warned_in_time=one.warned,
            is_low_confidence=one.is_low_confidence,
            missed_url=one.missed_url,
            **same,
        )


class TrustOut(Schema):
    """Rebalance recommendations of one place, held against what came of them. They page nobody by themselves."""

    key: str
    label: str
    hints: int
    followed: int
    beside: int = Field(description="Came with their notice or after it.")
    young: int = Field(description="Not seven days old, so not judged.")
    precision: float | None
    precision_interval: IntervalOut | None
    reclaims: int
    hinted: int
    recall: float | None
    recall_interval: IntervalOut | None
    lead_p05: float | None
    lead_p50: float | None
    lead_p95: float | None
    is_low_confidence: bool
    window: WindowOut
    as_of: datetime
    hints_url: str
    reclaims_url: str

    @classmethod
    def of(cls, one: Trust, window: Window) -> TrustOut:
        return cls(
            precision_interval=_interval(one.precision_range),
            recall_interval=_interval(one.recall_range),
            window=WindowOut(since=window.since, until=window.until),
            as_of=window.as_of,
            **{name: getattr(one, name) for name in _TRUST},
        )


_TRUST = (
    "key", "label", "hints", "followed", "beside", "young", "precision", "reclaims", "hinted", "recall", "lead_p05",
    "lead_p50", "lead_p95", "is_low_confidence", "hints_url", "reclaims_url",
)  # fmt: skip


def _window(query: ScopeQuery, usual: str, origin: str) -> Window | None:
    span, as_of = length_of(query.window or usual), rolled_up_at(origin)
    return window_of(span, query.until, as_of) if as_of else None


def _answer(
    rows: list[Row], kind: type[Row], query: ScopeQuery, name: str
) -> dict[str, Any] | StreamingHttpResponse:
    if query.format == "csv":
        lines = (row.model_dump() for row in rows)
        return csv_response(lines, columns=list(kind.model_fields), name=name)
    return {"items": rows, "next": None}


@router.get(
    "/coverage", auth=READ, response=Listing[NoticesOut], summary="Promised, actual and usable notice"
)
def coverage_get(request: HttpRequest, query: Query[MeasureQuery]) -> dict[str, Any] | StreamingHttpResponse:
    """Of all reclaims that are over, 7 days if no window is given; empty until the first roll-up."""
    origin = token_of(request).origin
    window = _window(query, "7d", origin)
    found = notices(query.scope(origin), window=window, by=query.by) if window else []
    return _answer([NoticesOut.of(one, window) for one in found if window], NoticesOut, query, "coverage")


@router.get(
    "/coverage/channels",
    auth=READ,
    response=Listing[ChannelOut],
    summary="Which channel told of which reclaims",
)
def channels_get(request: HttpRequest, query: Query[ScopeQuery]) -> dict[str, Any] | StreamingHttpResponse:
    """A row a provider, feed and format."""
    origin = token_of(request).origin
    window = _window(query, "7d", origin)
    found = channels(query.scope(origin), window=window).rows if window else []
    return _answer([ChannelOut.of(one) for one in found], ChannelOut, query, "channels")


@router.get("/rebalance", auth=READ, response=Listing[TrustOut], summary="Trust in rebalance recommendations")
def rebalance_get(request: HttpRequest, query: Query[MeasureQuery]) -> dict[str, Any] | StreamingHttpResponse:
    """Precision, recall and lead time; 13 weeks if no window is given."""
    origin = token_of(request).origin
    window = _window(query, "13w", origin)
    found = rebalance_trust(query.scope(origin), window=window, by=query.by) if window else []
    return _answer([TrustOut.of(one, window) for one in found if window], TrustOut, query, "rebalance")
