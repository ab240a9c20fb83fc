"""M1, the interruption rate: reclaims per 100 spot-instance-weeks; M1b, the share of machines interrupted in a week."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta

from console.interruptions.kept import kept_rows
from console.interruptions.measure_reading import JOINS, NONE, Counts, Place, Reading, conditions
from console.interruptions.measures import WEEK, Dimension, Measure, Scope, Window, rows_url
from console.interruptions.models import RateTarget
from console.lib.statistics import judge, poisson_rate, proportion

TARGET, RED = 5.0, 10.0
LEAST_WEEKS = 20
UNIT = "per 100 instance-weeks"
_WEEK_MICROSECONDS = WEEK // timedelta(microseconds=1)
POOL_LABEL = """CASE WHEN f.pool_id IS NULL
    THEN concat('pool not reported · ', coalesce(nullif(f.region, ''), nullif(f.provider, ''), 'unknown place'))
    ELSE concat_ws(' · ', coalesce(nullif(p.instance_type, ''), 'unknown type'),
                   coalesce(nullif(p.zone, ''), nullif(f.region, ''), f.provider),
                   nullif(nullif(p.os, ''), 'linux')) END"""
"""As `Place.label` says it."""
GROUP_COLUMNS = {
    Dimension.SERVICE: ("s.slug", "s.name"),
    Dimension.TEAM: (f"coalesce(t.slug, '{NONE}')", "coalesce(t.name, 'Unattributed')"),
    Dimension.REGION: ("f.region", "f.region"),
    Dimension.ZONE: ("coalesce(p.zone, '')", "coalesce(p.zone, '')"),
    Dimension.TYPE: ("coalesce(p.instance_type, '')", "coalesce(p.instance_type, '')"),
    Dimension.POOL: ("coalesce(f.pool_id::text, '')", POOL_LABEL),
    Dimension.PROVIDER: ("f.provider", "f.provider"),
}


class Targets:
    """The usual target, and those of classes that cannot meet it."""

    def __init__(self, rows: Iterable[RateTarget] | None = None) -> None:
        chosen = RateTarget.objects.all() if rows is None else rows
        self.rows = sorted(chosen, key=lambda row: (-len(row.type_prefix), -len(row.provider)))

    def of(self, place: Place) -> tuple[float, float]:
        for row in self.rows:
            if row.provider in ("", place.provider) and place.type.startswith(row.type_prefix):
                return row.target, row.red
        return TARGET, RED

    def weighted(self, cells: Iterable[tuple[Place, Counts]]) -> tuple[float, float, bool]:
        """Where classes mix, each counts by its running time. The flag says that they do."""
        total, target, red, seen = 0, 0.0, 0.0, set()
        for place, counts in cells:
            wanted = self.of(place)
            seen.add(wanted)
            total += counts.spot_microseconds
            target += wanted[0] * counts.spot_microseconds
            red += wanted[1] * counts.spot_microseconds
        if len(seen) == 1:
            return (*next(iter(seen)), False)
        return (target / total, red / total, True) if total else (TARGET, RED, False)


def interruption_rate(reading: Reading, targets: Targets) -> Measure:
    """M1 of everything in scope."""
    found = _rates(reading, targets, lambda place: "")
    return found.get("") or _rate(Counts(), 1.0, (TARGET, RED, False), reading, reading.scope)


def interruption_rate_by(reading: Reading, targets: Targets, *, dimension: Dimension) -> list[Measure]:
    """M1 a group, the largest counts first."""
    labels = {place.key(dimension): place.label(dimension) for place, _ in reading.cells}
    found = _rates(reading, targets, lambda place: place.key(dimension), dimension)
    named = [replace(measure, key=key, label=labels[key]) for key, measure in found.items()]
    return sorted(named, key=lambda measure: (-measure.n, measure.label))


def weekly_rates(reading: Reading, targets: Targets, *, weeks: int) -> list[Measure]:
    """M1 of each week of a reading by week, quiet ones included; `key` is the week's number."""
    sums = reading.fold(lambda place: place.week)
    phi = reading.phi(lambda place: place.week, sums)
    wanted = (*targets.of(Place(provider=reading.scope.provider, type=reading.scope.type)), False)
    rates = []
    for week in range(weeks):
        since = reading.window.since + week * WEEK
        window = Window(since, min(since + WEEK, reading.window.until), reading.window.as_of)
        within = replace(reading, window=window)
        rate = _rate(sums.get(week, Counts()), phi.get(week, 1.0), wanted, within, reading.scope)
        rates.append(replace(rate, key=str(week), label=f"{since:%-d %b}"))
    return rates


def _rates(
    reading: Reading, targets: Targets, key: Callable[[Place], str], dimension: Dimension | None = None
) -> dict[str, Measure]:
    cells: dict[str, list[tuple[Place, Counts]]] = defaultdict(list)
    for place, counts in reading.cells:
        cells[key(place)].append((place, counts))
    sums = {group: Counts.total(counts for _, counts in mine) for group, mine in cells.items()}
    phi = reading.phi(key, sums)
    rates = {}
    for group, counts in sums.items():
        scope = reading.scope.narrowed(dimension, group) if dimension else reading.scope
        rates[group] = _rate(counts, phi[group], targets.weighted(cells[group]), reading, scope)
    return rates


def _rate(
    counts: Counts, phi: float, wanted: tuple[float, float, bool], reading: Reading, scope: Scope
) -> Measure:
    weeks = counts.spot_microseconds / _WEEK_MICROSECONDS
    events = counts.reclaim_count
    target, red, is_mixed = wanted
    value = 100 * events / weeks if weeks else None
    interval = poisson_rate(events, exposure=weeks, phi=phi).scaled(100) if weeks else None
    is_enough = weeks >= LEAST_WEEKS
    verdict = judge(value, target=target, red=red, interval=interval, is_enough=is_enough)
    return Measure(
        name="m1",
        unit=UNIT,
        value=value,
        interval=interval,
        n=events,
        status=verdict.status,
        reason=_reason(weeks, events, is_enough),
        target=target,
        red=red,
        is_low_confidence=verdict.is_low_confidence,
        notes=tuple(_notes(counts, is_mixed)),
        figures={
            "instance_weeks": weeks,
            "per_100_instance_hours": 100 * events / (168 * weeks) if weeks else None,
            "phi": phi,
            "presumed": counts.presumed_count,
            "unexplained": counts.unexplained_count,
            "unknown_instance_hours": counts.unknown_microseconds / 3.6e9,
        },
        window=reading.window,
        rows_url=rows_url(scope, reading.window),
    )


def _reason(weeks: float, events: int, is_enough: bool) -> str:
    if not weeks and events:
        return "No inventory covers these machines, so there is no rate."
    if not weeks:
        return "No spot machine is known to have run."
    return "" if is_enough else f"{weeks:.1f} instance-weeks; a verdict needs {LEAST_WEEKS}."


def _notes(counts: Counts, is_mixed: bool) -> Iterable[str]:
    if counts.presumed_count:
        share = counts.presumed_count / counts.reclaim_count
        yield f"{counts.presumed_count} ({share:.0%}) presumed: nothing told whether the machine went."
    if counts.unexplained_count:
        yield f"+{counts.unexplained_count} unexplained: machines that vanished for a reason nobody gave in 24 h."
    if counts.unknown_microseconds:
        hours = counts.unknown_microseconds / 3.6e9
        yield f"{hours:,.0f} instance-hours left out: how these machines are paid for is not reported."
    if counts.assumed_end_count:
        word = "interval" if counts.assumed_end_count == 1 else "intervals"
        yield f"{counts.assumed_end_count} running {word} without an end closed 90 s after the last heartbeat."
    if is_mixed:
        yield "The target is weighted by running time over classes with targets of their own."


def interrupted_share(scope: Scope, *, window: Window, by: Dimension | None = None) -> list[Measure]:
    """M1b over the window's last seven UTC dates: distinct machines interrupted of those that ran."""
    key, label = GROUP_COLUMNS[by] if by else ("''", "''")
    where, wanted = conditions(scope)
    until = window.until
    since = until.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=6)
    rows = kept_rows(
        f"""SELECT {key}, max({label}), count(DISTINCT f.machine), count(DISTINCT f.machine) FILTER (WHERE f.is_hit)
        FROM (SELECT service_id, pool_id, provider, region, unnest(ran) AS machine, false AS is_hit
              FROM interruptions_machineday WHERE origin = %s AND day >= %s AND day < %s
              UNION ALL
              SELECT service_id, pool_id, provider, region, unnest(reclaimed), true
              FROM interruptions_machineday WHERE origin = %s AND day >= %s AND day < %s) AS f {JOINS}
        WHERE {where} GROUP BY 1""",  # noqa: S608
        [scope.origin, since, until, scope.origin, since, until, *wanted],
        as_of=window.as_of,
    )
    days = Window(since, until, window.as_of)
    return [_share(row, replace(days), scope.narrowed(by, row[0]) if by else scope) for row in rows if row[2]]


def _share(row: tuple[str, str, int, int], window: Window, scope: Scope) -> Measure:
    key, label, ran, hit = row
    return Measure(
        name="m1b",
        unit="share of machines",
        value=hit / ran,
        interval=proportion(hit, of=ran),
        n=ran,
        reason="Shown beside M1; it has no target of its own.",
        figures={"interrupted": hit, "ran": ran},
        key=key,
        label=label,
        window=window,
        rows_url=rows_url(scope, window),
    )
