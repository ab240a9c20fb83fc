"""M2, graceful shutdown success: hooks that completed in time, of all reclaims; M2n, of those with a notice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import connection

from console.interruptions.measure_reading import JOINS, PLACE, Counts, Place, Reading, conditions
from console.interruptions.measures import Dimension, Measure, Scope, rows_url
from console.lib.statistics import Status, judge, proportion

TARGET, RED = 0.95, 0.90
LEAST = 10
LEAST_COVERAGE = 0.95
PARTS = ("complete", "partial", "failed", "no_report", "no_notice")
UNIT = "share of reclaims"


@dataclass(frozen=True, slots=True)
class Agents:
    """Running spot machines, and those of them heard from in the last 90 s, a place each."""

    cells: tuple[tuple[Place, int, int], ...]

    def coverage(self, key: Callable[[Place], str], group: str) -> float | None:
        chosen = [(running, heard) for place, running, heard in self.cells if key(place) == group]
        running = sum(running for running, _ in chosen)
        return sum(heard for _, heard in chosen) / running if running else None


def read_agents(scope: Scope, *, now: datetime) -> Agents:
    """Agent coverage at this moment, from what runs now."""
    where, wanted = conditions(scope)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT {PLACE}, sum(f.running), sum(f.heard) FROM (
                SELECT r.service_id, r.pool_id, coalesce(o.provider, m.provider) AS provider,
                       coalesce(o.region, m.region) AS region, count(*) AS running,
                       count(*) FILTER (WHERE m.heartbeat_at >= %s - interval '90 seconds') AS heard
                FROM fleet_runninginterval r JOIN fleet_machine m ON m.id = r.machine_id
                LEFT JOIN fleet_pool o ON o.id = r.pool_id
                WHERE r.origin = %s AND r.ended_at IS NULL AND r.lifecycle = 'spot' GROUP BY 1, 2, 3, 4
            ) AS f {JOINS} WHERE {where} GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11""",  # noqa: S608
            [now, scope.origin, *wanted],
        )
        rows = cursor.fetchall()
    return Agents(tuple((Place(*row[:11]), int(row[11]), int(row[12])) for row in rows))


def graceful_shutdown(reading: Reading, agents: Agents) -> Measure:
    """M2 of everything in scope."""
    found = _measures(reading, agents, lambda place: "")
    return found.get("") or _measure(Counts(), Counts(), (None, 0, 0), reading, reading.scope)


def graceful_shutdown_by(reading: Reading, agents: Agents, *, dimension: Dimension) -> list[Measure]:
    labels = {place.key(dimension): place.label(dimension) for place, _ in reading.cells}
    found = _measures(reading, agents, lambda place: place.key(dimension), dimension)
    named = [replace(measure, key=key, label=labels[key]) for key, measure in found.items()]
    return sorted(named, key=lambda measure: (-measure.n, measure.label))


def _measures(
    reading: Reading,
    agents: Agents,
    key: Callable[[Place], str],
    dimension: Dimension | None = None,
) -> dict[str, Measure]:
    telling: dict[str, list[Counts]] = defaultdict(list)
    silent: dict[str, list[Counts]] = defaultdict(list)
    mute: dict[str, set[str]] = defaultdict(set)
    for place, counts in reading.cells:
        group = key(place)
        if place.is_reporting:
            telling[group].append(counts)
        elif counts.reclaim_count:
            silent[group].append(counts)
            mute[group].add(place.service)
    measures = {}
    for group in {*telling, *silent}:
        told, deaf = Counts.total(telling[group]), Counts.total(silent[group])
        scope = reading.scope.narrowed(dimension, group) if dimension else reading.scope
        left_out = (agents.coverage(key, group), deaf.reclaim_count, len(mute[group]))
        measures[group] = _measure(told, deaf, left_out, reading, scope)
    return measures


def _measure(
    counts: Counts, deaf: Counts, context: tuple[float | None, int, int], reading: Reading, scope: Scope
) -> Measure:
    coverage, _, _ = context
    n = counts.reclaim_count - counts.undecided_count
    done, noticed = counts.complete_count, counts.noticed_count
    value = done / n if n else None
    interval = proportion(done, of=n) if n else None
    verdict = judge(value, target=TARGET, red=RED, interval=interval, is_low_good=False, is_enough=n >= LEAST)
    status = verdict.status
    if status == Status.GREEN and (coverage is None or coverage < LEAST_COVERAGE):
        status = Status.AMBER
    figures: dict[str, float | None] = {part: getattr(counts, f"{part}_count") for part in PARTS}
    return Measure(
        name="m2",
        unit=UNIT,
        value=value,
        interval=interval,
        n=n,
        status=status,
        reason=_reason(n, deaf, coverage, status),
        target=TARGET,
        red=RED,
        is_low_confidence=verdict.is_low_confidence and status == Status.GREEN,
        notes=tuple(_notes(counts, context)),
        figures=figures | _beside(counts, coverage, done, noticed),
        window=reading.window,
        rows_url=rows_url(scope, reading.window),
    )


def _beside(counts: Counts, coverage: float | None, done: int, noticed: int) -> dict[str, float | None]:
    """M2n with its range, F2, and what else is printed beside M2."""
    ok = counts.noticed_complete_count
    range_n = proportion(ok, of=noticed) if noticed else None
    return {
        "m2n": ok / noticed if noticed else None,
        "m2n_low": range_n.low if range_n else None,
        "m2n_high": range_n.high if range_n else None,
        "notices": noticed,
        "undecided": counts.undecided_count,
        "inferred": counts.inferred_count,
        "slow_share": counts.slow_count / counts.timed_count if counts.timed_count else None,
        "agent_coverage": coverage,
    }


def notices_verdict(measure: Measure) -> Status:
    """The colour of M2n, by the same target."""
    value, low, high = (measure.figures[name] for name in ("m2n", "m2n_low", "m2n_high"))
    if value is None or low is None or high is None:
        return Status.GREY
    interval = proportion(
        round(value * (measure.figures["notices"] or 0)), of=int(measure.figures["notices"] or 0)
    )
    enough = (measure.figures["notices"] or 0) >= LEAST
    return judge(value, target=TARGET, red=RED, interval=interval, is_low_good=False, is_enough=enough).status


def _reason(n: int, deaf: Counts, coverage: float | None, status: Status) -> str:
    if not n and deaf.reclaim_count:
        return "Not instrumented: no hook report ever came from here."
    if not n:
        return "No reclaim to judge in this window."
    if n < LEAST:
        return f"{n} reclaims; a verdict needs {LEAST}."
    if status == Status.AMBER and coverage is None:
        return "Agent coverage is unknown, so it cannot be on target."
    if status == Status.AMBER and coverage is not None and coverage < LEAST_COVERAGE:
        return f"Agents missing: {coverage:.0%} of the running spot machines are heard from."
    return ""


def _notes(counts: Counts, context: tuple[float | None, int, int]) -> Iterator[str]:
    coverage, deaf_reclaims, deaf_services = context
    if coverage is not None and coverage < LEAST_COVERAGE:
        yield f"Agents missing: {coverage:.0%} of the running spot machines were heard from in the last 90 s."
    if deaf_reclaims:
        word = "service" if deaf_services == 1 else "services"
        yield f"{deaf_reclaims} reclaims of {deaf_services} {word} left out: not instrumented."
    yield from _counted(
        (counts.undecided_count, "not judged yet: ended less than 15 min ago, or still running out."),
        (counts.inferred_count, "inferred from the drain: no hook report, but the node's shutdown was seen."),
        (counts.overdue_count, "counted as partial: the hook finished after the machine had gone."),
    )


def _counted(*notes: tuple[int, str]) -> Iterable[str]:
    return (f"{count} {text}" for count, text in notes if count)
