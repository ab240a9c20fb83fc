"""F3: workloads that left a machine and still do not run (`metrics.md` F3, pending > 5 min)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from console.alerts.detecting import Detector, Given, Judged, Threshold, counted, one_condition
from console.alerts.readings.moves import MoveRow, read_moves
from console.alerts.readings.sorting import by_service
from console.lib.durations import in_words

NAMED = 3


def judge_pending(rows: Iterable[MoveRow], given: Given) -> Iterator[Judged]:
    seconds, least = given.limits["pending_s"], given.limits["least"]
    for service, moves in by_service(rows, given):
        pending = [move for move in moves if move.running_at is None]
        long = sorted(
            (move for move in pending if move.age(now=given.now) > seconds), key=lambda move: move.evicted_at
        )
        oldest = max((move.age(now=given.now) for move in pending), default=0.0)
        names = ", ".join(move.workload for move in long[:NAMED])
        text = f"{service.name}: {counted(len(long), 'workload')} pending for more than {in_words(seconds)}"
        yield Judged(
            scope=service.slug,
            origin=service.origin,
            service_id=service.id,
            title=f"Workloads of {service.name} do not run again",
            text=f"{text}: {names}, the oldest for {in_words(oldest)}." if long else f"{text}.",
            is_true=len(long) >= least,
            value=oldest,
            limit=seconds,
            inputs={"pending": len(pending), "too_long": len(long), "oldest_s": round(oldest)},
        )


DETECTOR = Detector(
    name="pending_moves",
    title="Workloads that do not run again",
    about="Workloads that a reclaim put out do not run anywhere for too long (F3). Those evicted in the last "
    "24 h count.",
    thresholds=(
        Threshold("pending_s", "Pending for more than", 300, "s", least=1, most=86_399),
        Threshold("least", "At least", 1, "workloads", least=1, most=1e6, is_whole=True),
    ),
    conditions=one_condition("Workloads stay pending"),
    read=read_moves,
    judge=judge_pending,
)
