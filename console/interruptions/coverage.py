"""The witness ledger added up: how much notice was promised and got, and which channel told of which reclaims.

Read from the roll-up alone (`rollup_sql_warnings.py` says what is told, usable, short, late and untold).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from console.feeds.models import Feed
from console.interruptions.measure_reading import JOINS, conditions
from console.interruptions.measures import Dimension, Scope, Window, rows_url
from console.interruptions.measures_m1 import GROUP_COLUMNS
from console.lib.durations import in_words
from console.lib.rows import fetch
from console.lib.statistics import Interval, proportion

LEAST = 10
"""Below so many a share is marked as of low confidence."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Nearest-rank percentiles in seconds: what half had at least, and what 19 of 20 had at least."""

    count: int = 0
    p05: float | None = None
    p50: float | None = None

    @property
    def half(self) -> str:
        return _words(self.p50)

    @property
    def most(self) -> str:
        return _words(self.p05)

    @classmethod
    def of(cls, count: int, ranks: Sequence[int] | None) -> Spread:
        return cls(count, ranks[0] / 1000, ranks[1] / 1000) if ranks and count else cls()


def _words(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return in_words(seconds) if seconds >= 0 else f"{in_words(-seconds)} after the end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notices:
    """The notice that reclaims of one place had. `over` is how many are judged."""

    over: int = 0
    usable: int = 0
    short: int = 0
    late: int = 0
    untold: int = 0
    history: int = 0
    promised: Spread = Spread()
    actual: Spread = Spread()
    """From the first statement received to the end; below zero where that came after it."""
    key: str = ""
    label: str = ""
    rows_url: str = ""

    @property
    def unusable(self) -> int:
        return self.short + self.late + self.untold

    @property
    def unusable_share(self) -> float | None:
        return self.unusable / self.over if self.over else None

    @property
    def interval(self) -> Interval | None:
        return proportion(self.unusable, of=self.over) if self.over else None

    @property
    def is_low_confidence(self) -> bool:
        return 0 < self.over < LEAST

    @property
    def urls(self) -> dict[str, str]:
        """The reclaims of each verdict."""
        words = ("usable", "short", "late", "untold", "history")
        return {word: self.rows_url.replace("outcome=counted", f"outcome=notice_{word}") for word in words}


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """What one feed and format told, of the reclaims of one provider."""

    provider: str
    feed: Feed | None
    feed_id: int
    source: str
    over: int
    told: int = 0
    before: int = 0
    warned: int = 0
    first: int = 0
    missed_url: str = ""

    @property
    def name(self) -> str:
        return self.feed.name if self.feed else "a feed since removed"

    @property
    def missed(self) -> int:
        return self.over - self.told

    @property
    def told_range(self) -> Interval:
        return proportion(self.told, of=self.over)

    @property
    def before_range(self) -> Interval:
        return proportion(self.before, of=self.over)

    @property
    def is_low_confidence(self) -> bool:
        return self.over < LEAST


@dataclass(frozen=True, slots=True)
class Channels:
    """Every channel that told of something, the widest first; and the feeds that told of nothing."""

    rows: Sequence[Channel]
    silent: Sequence[Feed]


def notices(scope: Scope, *, window: Window, by: Dimension | None = None) -> list[Notices]:
    """Of everything in scope, or of each group: the most reclaims first."""
    key, label = GROUP_COLUMNS[by] if by else ("''", "''")
    where, wanted = conditions(scope)
    rows: list[tuple[Any, ...]] = fetch(
        f"""SELECT {key}, max({label}), sum(o), sum(u), sum(s), sum(l), sum(n), sum(h),
                   count(item.promised), percentile_disc(ARRAY[0.05, 0.5]) WITHIN GROUP (ORDER BY item.promised),
                   count(item.actual), percentile_disc(ARRAY[0.05, 0.5]) WITHIN GROUP (ORDER BY item.actual)
        FROM interruptions_noticehour f {JOINS}
        CROSS JOIN LATERAL (
            SELECT unnest(f.promised), NULL::bigint, 0, 0, 0, 0, 0, 0
            UNION ALL SELECT NULL, unnest(f.actual), 0, 0, 0, 0, 0, 0
            UNION ALL SELECT NULL, NULL, f.over_count, f.usable_count, f.short_count, f.late_count, f.untold_count,
                             f.history_count
        ) AS item (promised, actual, o, u, s, l, n, h)
        WHERE f.origin = %s AND f.hour >= %s AND f.hour < %s AND {where}
        GROUP BY 1""",  # noqa: S608
        [scope.origin, window.since, window.until, *wanted],
    )
    if by is None and not rows:
        return [Notices(rows_url=rows_url(scope, window))]
    found = [_notices(row, scope.narrowed(by, row[0]) if by else scope, window) for row in rows]
    return sorted((one for one in found if one.over or by is None), key=lambda one: (-one.over, one.label))


def _notices(row: tuple[Any, ...], scope: Scope, window: Window) -> Notices:
    key, label, over, usable, short, late, untold, history, promised_n, promised, actual_n, actual = row
    return Notices(
        over=over,
        usable=usable,
        short=short,
        late=late,
        untold=untold,
        history=history,
        promised=Spread.of(promised_n, promised),
        actual=Spread.of(actual_n, actual),
        key=key,
        label=label or "not reported",
        rows_url=rows_url(scope, window),
    )


def channels(scope: Scope, *, window: Window) -> Channels:
    """Coverage by channel, each held against the reclaims of its provider."""
    over = {one.key: one.over for one in notices(scope, window=window, by=Dimension.PROVIDER)}
    where, wanted = conditions(scope)
    rows: list[tuple[Any, ...]] = fetch(
        f"""SELECT f.provider, f.feed_id, f.source, sum(f.told_count), sum(f.before_count), sum(f.warned_count),
                   sum(f.first_count)
        FROM interruptions_witnesshour f {JOINS}
        WHERE f.origin = %s AND f.hour >= %s AND f.hour < %s AND {where}
        GROUP BY 1, 2, 3""",  # noqa: S608
        [scope.origin, window.since, window.until, *wanted],
    )
    feeds = {feed.pk: feed for feed in Feed.objects.of_origin(scope.origin).filter(test_of=None)}
    found = [
        _channel(row, feeds.get(row[1]), over[row[0]], scope, window) for row in rows if over.get(row[0])
    ]
    told = {one.feed_id for one in found}
    silent = [feed for pk, feed in feeds.items() if pk not in told and feed.paused_at is None]
    return Channels(
        sorted(found, key=lambda one: (one.provider, -one.told, one.name, one.source)),
        sorted(silent, key=lambda feed: (feed.name, feed.pk)),
    )


def _channel(row: tuple[Any, ...], feed: Feed | None, over: int, scope: Scope, window: Window) -> Channel:
    provider, feed_id, source, told, before, warned, first = row
    missed = rows_url(scope.narrowed(Dimension.PROVIDER, provider), window)
    return Channel(
        provider=provider,
        feed=feed,
        feed_id=feed_id,
        source=source,
        over=over,
        told=told,
        before=before,
        warned=warned,
        first=first,
        missed_url=f"{missed}&{urlencode({'missed_by': f'{feed_id}:{source}'})}",
    )
