"""The canary is late: a message the console sends to itself did not come through (promise 6 of `product.md`)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from console.alerts.canary import Canary, last_canary
from console.alerts.detecting import Asked, Detector, Given, Judged, Subject, Threshold, one_condition
from console.alerts.models.words import Severity
from console.lib.durations import in_words
from console.lib.origin import Origin


def read_canary(_: Asked) -> Canary:
    return last_canary()


def judge_canary(canary: Canary, given: Given) -> Iterator[Judged]:
    """One that was never sent, or is paused on purpose, is not late."""
    age = canary.age(now=given.now)
    if age is None or canary.is_paused:
        return
    limit = given.limits["late_s"]
    yield Judged(
        scope="console",
        origin=Origin.LIVE,
        title="The canary is late",
        text=f"Nothing the console sent to itself came through for {in_words(age.total_seconds())}: the front "
        "door, a queue or a worker stands still. Look at /readyz and the workers' log.",
        is_true=age > timedelta(seconds=limit),
        value=age.total_seconds(),
        limit=limit,
        inputs={"age_s": round(age.total_seconds())},
    )


DETECTOR = Detector(
    name="canary_late",
    title="Canary late",
    about="The message that the console sends to itself every two minutes has not gone the whole way, so quiet "
    "may be deafness.",
    subject=Subject.CONSOLE,
    thresholds=(Threshold("late_s", "Late after", 300, "s", least=121, most=86_400),),
    conditions=one_condition("The canary is late"),
    severity=Severity.ERROR,
    read=read_canary,
    judge=judge_canary,
    is_replayable=False,
)
