"""F3: workloads take too long to run again elsewhere (M3's p95, `metrics.md` section 2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from console.alerts.detecting import Detector, Given, Judged, Threshold, one_condition, over
from console.alerts.readings.moves import WINDOW, MoveRow, read_moves
from console.alerts.readings.sorting import by_service
from console.lib.durations import in_words
from console.lib.statistics import Percentile, nearest_rank

CLASSES = ("stateless", "batch")


@dataclass(frozen=True, slots=True)
class Slowest:
    """One class of a service's workloads."""

    kind: str
    n: int
    p50: Percentile
    p95: Percentile
    limit: float
    is_true: bool

    @property
    def words(self) -> str:
        return f"p95 of {self.n} {self.kind} moves {_words(self.p95)}, target {in_words(self.limit)}"


def judge_latencies(rows: Iterable[MoveRow], given: Given) -> Iterator[Judged]:
    """A workload that does not run yet counts as longer than any."""
    for service, moves in by_service(rows, given):
        found = [one for kind in CLASSES if (one := _slowest(kind, moves, given))]
        if not found:
            continue
        worst = max(found, key=lambda one: (one.is_true, one.p95.value / one.limit))
        yield Judged(
            scope=service.slug,
            origin=service.origin,
            service_id=service.id,
            title=f"Workloads of {service.name} are slow to run again",
            text=f"{service.name}: {'; '.join(one.words for one in found)}, in 24 h.",
            is_true=worst.is_true,
            value=worst.p95.value,
            limit=worst.limit,
            inputs={one.kind: _figures(one) for one in found},
            windows=over(WINDOW, given, value=round(worst.p95.value, 1)),
        )


def _slowest(kind: str, moves: Sequence[MoveRow], given: Given) -> Slowest | None:
    mine = [move for move in moves if move.workload_class == kind]
    done = sorted(seconds for move in mine if (seconds := move.seconds) is not None)
    ages = sorted(move.age(now=given.now) for move in mine if move.running_at is None)
    p50, p95 = nearest_rank(done, 0.50, ages=ages), nearest_rank(done, 0.95, ages=ages)
    if p50 is None or p95 is None:
        return None
    limit = given.limits[f"{kind}_s"]
    is_true = len(mine) >= given.limits["least"] and p95.reaches(limit)
    return Slowest(kind, len(mine), p50, p95, limit, is_true)


def _words(one: Percentile) -> str:
    return f"over {in_words(one.value)}" if one.is_unfinished else in_words(one.value)


def _figures(one: Slowest) -> dict[str, object]:
    return {
        "n": one.n,
        "p50_s": round(one.p50.value, 1),
        "p95_s": round(one.p95.value, 1),
        "p95_is_unfinished": one.p95.is_unfinished,
        "target_s": one.limit,
    }


DETECTOR = Detector(
    name="slow_reschedule",
    title="Slow to run again",
    about="The p95 of the time from eviction to ready elsewhere (M3, 24 h) reaches the target of its class of "
    "workload (F3). A workload that does not run yet counts as longer than any.",
    thresholds=(
        Threshold("stateless_s", "Stateless", 30, "s", least=1, most=86_400),
        Threshold("batch_s", "Batch", 300, "s", least=1, most=86_400),
        Threshold("least", "At least", 5, "moves", least=1, most=1e6, is_whole=True),
    ),
    conditions=one_condition("Workloads are slow to run again"),
    read=read_moves,
    judge=judge_latencies,
)
