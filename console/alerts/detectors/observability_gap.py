"""F6: around reclaims nothing is heard of a service for too long (M6, `metrics.md` section 2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from console.alerts.detecting import (
    SLACK,
    Detector,
    Given,
    Judged,
    Threshold,
    counted,
    one_condition,
    over,
)
from console.alerts.readings.signals import GAP_WINDOW, GapRow, read_gaps
from console.alerts.readings.sorting import by_service
from console.lib.durations import in_words
from console.lib.statistics import nearest_rank


def judge_gaps(rows: Iterable[GapRow], given: Given) -> Iterator[Judged]:
    red, least = given.limits["red_s"], given.limits["least"]
    for service, gaps in by_service(rows, given):
        done = sorted(max(0.0, one.seconds) for one in gaps if not one.is_open)
        ages = sorted(max(0.0, one.seconds) for one in gaps if one.is_open)
        p95 = nearest_rank(done, 0.95, ages=ages)
        if p95 is None:
            continue
        is_red = len(gaps) >= least and p95.value > red
        yield Judged(
            scope=service.slug,
            origin=service.origin,
            service_id=service.id,
            title=f"{service.name} is not seen around reclaims",
            text=f"{service.name}: p95 of the telemetry gap around {counted(len(gaps), 'reclaim')} in 24 h "
            f"{'over ' if p95.is_unfinished else ''}{in_words(p95.value)}; the limit is {in_words(red)}.",
            is_true=is_red,
            is_clear=not is_red and (p95.value <= (1 - SLACK) * red or len(gaps) < least),
            value=p95.value,
            limit=red,
            inputs={"n": len(gaps), "p95_s": round(p95.value, 1), "still_open": len(ages)},
            windows=over(GAP_WINDOW, given, value=round(p95.value, 1)),
        )


DETECTOR = Detector(
    name="observability_gap",
    title="Observability gap",
    about="From the last telemetry sample before a machine's end to the first one after it (M6), for each "
    "stream of its "
    "service: the p95 over the reclaims of 24 h passes the limit (F6). A gap that is still open counts with its age.",
    thresholds=(
        Threshold("red_s", "Limit", 300, "s", least=1, most=86_399),
        Threshold("least", "At least", 5, "reclaims", least=1, most=1e6, is_whole=True),
    ),
    conditions=one_condition("M6 is off target"),
    read=read_gaps,
    judge=judge_gaps,
)
