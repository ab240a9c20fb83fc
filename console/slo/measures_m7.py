"""M7, the error spike: the worst episode of a window, and the median of them (`metrics.md` section 2)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from urllib.parse import urlencode

from console.interruptions.measures import Dimension, Measure, Scope, Window
from console.lib.statistics import Status, nearest_rank
from console.slo.episode_reading import Felt, SpikeRow, read_felt
from console.slo.error_spike import LEAST, RED, TARGET

UNIT = "times as many errors, worst episode"


def error_spike(
    scope: Scope, *, window: Window, by: Dimension | None = None, felt: Felt | None = None
) -> list[Measure]:
    """M7 of the whole scope, or of each group that had an episode, the worst first. `felt`: read already."""
    found: dict[tuple[str, str], list[SpikeRow]] = defaultdict(list)
    for row in (felt or read_felt(scope, window, by)).spikes:
        found[row.key if by else "", row.label if by else ""].append(row)
    if by is None:
        found = found or {("", ""): []}
    measures = [
        summary(rows, window=window, scope=scope.narrowed(by, key) if by else scope, key=key, label=label)
        for (key, label), rows in found.items()
    ]
    return sorted(measures, key=lambda one: (-(one.value or 0.0), one.label))


def summary(
    rows: Sequence[SpikeRow],
    *,
    window: Window | None = None,
    scope: Scope | None = None,
    key: str = "",
    label: str = "",
) -> Measure:
    """The worst of the episodes with enough requests; without one there is no verdict."""
    enough = [row for row in rows if row.spike.is_enough]
    worst = max(enough, key=lambda row: row.spike.value or 0.0, default=None)
    values = sorted(row.spike.value or 0.0 for row in enough)
    half = nearest_rank(values, 0.50)
    spike = worst.spike if worst else None
    verdict = spike.verdict if spike else None
    return Measure(
        name="m7",
        unit=UNIT,
        value=spike.value if spike else None,
        interval=spike.interval if spike else None,
        n=len(enough),
        status=verdict.status if verdict else Status.GREY,
        is_low_confidence=bool(verdict and verdict.is_low_confidence),
        reason="" if enough else _reason(rows),
        target=TARGET,
        red=RED,
        notes=tuple(_notes(rows)),
        figures={
            "median": half.value if half else None,
            "raw": spike.raw if spike else None,
            "during_bad": spike.during.bad if spike else None,
            "during_total": spike.during.total if spike else None,
            "before_bad": spike.before.bad if spike else None,
            "before_total": spike.before.total if spike else None,
            "episodes": len(rows),
            "too_few": sum(row.spike.is_known and not row.spike.is_enough for row in rows),
            "unknown": sum(not row.spike.is_known for row in rows),
        },
        key=key,
        label=label,
        window=window,
        rows_url=page_url("spikes", scope, window) if scope else "",
    )


def _reason(rows: Sequence[SpikeRow]) -> str:
    if not rows:
        return "No episode of reclaims with counted requests around it."
    if any(row.spike.is_known for row in rows):
        return f"Fewer than {LEAST} requests in each of {len(rows)} episodes; a verdict needs {LEAST}."
    return f"Not reported: {len(rows)} episodes, and no requests counted during and before them."


def _notes(rows: Sequence[SpikeRow]) -> Iterator[str]:
    few = sum(row.spike.is_known and not row.spike.is_enough for row in rows)
    unknown = sum(not row.spike.is_known for row in rows)
    if few:
        yield f"{few} of {len(rows)} episodes left out: fewer than {LEAST} requests during them."
    if unknown:
        yield f"{unknown} of {len(rows)} episodes left out: no requests counted during them, or none before."


def page_url(name: str, scope: Scope, window: Window | None) -> str:
    """The page of M7 or M9, narrowed to what was counted."""
    query = scope.filters | ({"origin": scope.origin} if scope.origin != "live" else {})
    if window is not None:
        query |= {"since": _iso(window.since), "until": _iso(window.until)}
    return f"/slo/{name}/?{urlencode(query)}"


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
