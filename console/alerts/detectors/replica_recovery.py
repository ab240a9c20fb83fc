"""F4: replicas of stateful data take too long to be ready again (M8, `metrics.md` section 2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from console.alerts.detecting import Detector, Given, Judged, Threshold, counted, one_condition, over
from console.alerts.readings.sorting import by_service
from console.alerts.readings.state import REPLICA_WINDOW, ReplicaRow, read_replicas
from console.lib.durations import in_words
from console.lib.statistics import nearest_rank


def judge_recoveries(rows: Iterable[ReplicaRow], given: Given) -> Iterator[Judged]:
    """From the last write to ready again; one that is not ready yet counts as longer than any."""
    limit, least = given.limits["p95_s"], given.limits["least"]
    for service, replicas in by_service(rows, given):
        done = sorted(
            max(0.0, (one.ready_at - one.last_write_at).total_seconds()) for one in replicas if one.ready_at
        )
        ages = sorted((given.now - one.last_write_at).total_seconds() for one in replicas if not one.ready_at)
        p95, p50 = nearest_rank(done, 0.95, ages=ages), nearest_rank(done, 0.50, ages=ages)
        if p95 is None or p50 is None:
            continue
        words = f"over {in_words(p95.value)}" if p95.is_unfinished else in_words(p95.value)
        yield Judged(
            scope=service.slug,
            origin=service.origin,
            service_id=service.id,
            title=f"Replicas of {service.name} recover slowly",
            text=f"{service.name}: p95 of {counted(len(replicas), 'recovery', 'recoveries')} in 24 h {words}, "
            f"target {in_words(limit)}.",
            is_true=len(replicas) >= least and p95.reaches(limit),
            value=p95.value,
            limit=limit,
            inputs={
                "n": len(replicas),
                "p50_s": round(p50.value, 1),
                "p95_s": round(p95.value, 1),
                "not_ready": len(ages),
            },
            windows=over(REPLICA_WINDOW, given, value=round(p95.value, 1)),
        )


DETECTOR = Detector(
    name="replica_recovery",
    title="Slow replica recovery",
    about="The p95 of the time from a replica's last write to its being ready again (M8, 24 h) reaches the "
    "target (F4).",
    thresholds=(
        Threshold("p95_s", "Target", 120, "s", least=1, most=86_399),
        Threshold("least", "At least", 5, "recoveries", least=1, most=1e6, is_whole=True),
    ),
    conditions=one_condition("Replicas recover slowly"),
    read=read_replicas,
    judge=judge_recoveries,
)
