"""Nothing is counted for an objective any more: its burn rules are deaf, which must not look like quiet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from console.alerts.detecting import Detector, Given, Judged, Threshold, one_condition
from console.alerts.readings.burns import SilenceRow, read_silence
from console.lib.durations import in_words


def judge_silence(rows: Iterable[SilenceRow], given: Given) -> Iterator[Judged]:
    """One of which nothing was ever counted is silent since it was set."""
    for one in rows:
        service = given.services.get(one.service_id)
        if service is None:
            continue
        age, limit = given.now - one.heard_at, given.limits["silent_s"]
        why = f" Prometheus cannot be asked: {one.poll_error}" if one.poll_error else ""
        yield Judged(
            scope=f"{service.slug}/{one.slug}",
            origin=service.origin,
            service_id=service.id,
            title=f"Nothing is counted for {service.name}: {one.name}",
            text=f"No request of {service.name} was counted for {in_words(age)}, so its burn rules are deaf;"
            f" the limit is {in_words(limit)}.{why}",
            is_true=age > timedelta(seconds=limit),
            value=age.total_seconds(),
            limit=limit,
            inputs={
                "objective": one.objective,
                "heard_at": one.heard_at.isoformat(),
                "poll_error": one.poll_error,
            },
        )


DETECTOR = Detector(
    name="objective_silent",
    title="Objective not counted",
    about="No minute was counted for an objective for too long: whoever pushes its counts stopped, or Prometheus "
    "cannot be asked. Its burn rules see nothing meanwhile.",
    thresholds=(Threshold("silent_s", "Silent for", 900, "s", least=180, most=604_800),),
    conditions=one_condition("Nothing is counted for the objective"),
    read=read_silence,
    judge=judge_silence,
    is_replayable=False,
)
