"""How far rebalance recommendations can be trusted: precision, recall and lead time, a pool at a time.

A hint is right where a spot reclaim of its machine follows within seven days without a stop, so only hints that
are seven days old are judged. A reclaim was foretold where a hint came before its notice. Rebalance is AWS's
alone, and so are the reclaims held against it. Hints never page by themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from console.interruptions.measure_reading import JOINS, conditions
from console.interruptions.measures import Dimension, Scope, Window, rows_url
from console.interruptions.measures_m1 import GROUP_COLUMNS
from console.lib.rows import fetch
from console.lib.statistics import Interval, proportion

LEAST = 10
MATURE = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """`hints` are judged; `young` are not yet; `beside` came with their notice or after it and foretold nothing."""

    hints: int = 0
    followed: int = 0
    beside: int = 0
    young: int = 0
    reclaims: int = 0
    hinted: int = 0
    lead_p05: float | None = None
    lead_p50: float | None = None
    lead_p95: float | None = None
    """Seconds from the hint to the notice."""
    key: str = ""
    label: str = ""
    hints_url: str = ""
    reclaims_url: str = ""

    @property
    def precision(self) -> float | None:
        return self.followed / self.hints if self.hints else None

    @property
    def precision_range(self) -> Interval | None:
        return proportion(self.followed, of=self.hints) if self.hints else None

    @property
    def recall(self) -> float | None:
        return self.hinted / self.reclaims if self.reclaims else None

    @property
    def recall_range(self) -> Interval | None:
        return proportion(self.hinted, of=self.reclaims) if self.reclaims else None

    @property
    def is_low_confidence(self) -> bool:
        """Too few hints, or too few reclaims, to say much."""
        return 0 < self.hints < LEAST or 0 < self.reclaims < LEAST


def rebalance_trust(scope: Scope, *, window: Window, by: Dimension | None = None) -> list[Trust]:
    """Of everything in scope, or of each group: the most hints first."""
    found: dict[str, Trust] = {} if by else {"": Trust()}
    for key, label, values in (*_hints(scope, window, by), *_reclaims(scope, window, by)):
        found[key] = replace(found.get(key, Trust()), key=key, label=label or "not reported", **values)
    trusts = [_linked(one, scope.narrowed(by, key) if by else scope, window) for key, one in found.items()]
    return sorted(trusts, key=lambda one: (-(one.hints + one.young), -one.reclaims, one.label))


def _linked(trust: Trust, scope: Scope, window: Window) -> Trust:
    url = rows_url(scope, window)
    return replace(
        trust,
        hints_url=url.replace("outcome=counted", "outcome=hint"),
        reclaims_url=url.replace("outcome=counted", "outcome=hinted"),
    )


def _hints(
    scope: Scope, window: Window, by: Dimension | None
) -> list[tuple[str, str, Mapping[str, int | None]]]:
    mature = window.as_of.replace(minute=0, second=0, microsecond=0) - MATURE
    rows = _read(
        """coalesce(sum(f.hint_count) FILTER (WHERE f.hour < %s), 0),
           coalesce(sum(f.followed_count) FILTER (WHERE f.hour < %s), 0),
           coalesce(sum(f.beside_count), 0), coalesce(sum(f.hint_count) FILTER (WHERE f.hour >= %s), 0)""",
        "interruptions_hinthour f",
        scope,
        window,
        by,
        values=[mature] * 3,
    )
    names = ("hints", "followed", "beside", "young")
    return [(row[0], row[1], dict(zip(names, row[2:], strict=True))) for row in rows]


def _reclaims(scope: Scope, window: Window, by: Dimension | None) -> list[tuple[str, str, Mapping[str, Any]]]:
    rows = _read(
        """sum(r), sum(h), percentile_disc(ARRAY[0.05, 0.5, 0.95]) WITHIN GROUP (ORDER BY lead)""",
        """interruptions_noticehour f CROSS JOIN LATERAL (
            SELECT unnest(f.leads), 0, 0 UNION ALL SELECT NULL, f.hintable_count, f.hinted_count
        ) AS item (lead, r, h)""",
        scope,
        window,
        by,
    )
    return [
        (
            row[0],
            row[1],
            {"reclaims": row[2], "hinted": row[3]}
            | {
                f"lead_{name}": ms / 1000
                for name, ms in zip(("p05", "p50", "p95"), row[4] or (), strict=False)
            },
        )
        for row in rows
        if row[2]
    ]


def _read(
    what: str,
    table: str,
    scope: Scope,
    window: Window,
    by: Dimension | None,
    *,
    values: Sequence[datetime] = (),
) -> list[tuple[Any, ...]]:
    key, label = GROUP_COLUMNS[by] if by else ("''", "''")
    where, wanted = conditions(scope)
    return fetch(
        f"SELECT {key}, max({label}), {what} FROM {table} {JOINS}"  # noqa: S608
        f" WHERE f.origin = %s AND f.hour >= %s AND f.hour < %s AND {where} GROUP BY 1",
        [*values, scope.origin, window.since, window.until, *wanted],
    )
