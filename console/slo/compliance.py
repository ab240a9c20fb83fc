"""How many promises are kept: one sentence over all objectives of an origin, for boards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from console.interruptions.measure_words import Answer
from console.lib.statistics import Status
from console.slo.budget import PERIOD, Budget, standing_of
from console.slo.models import Objective
from console.slo.reading import period_of, read_stretches

WORDS = ((Status.RED, "overspent"), (Status.AMBER, "at risk"), (Status.GREY, "without a verdict"))


def compliance(origin: str, *, now: datetime, team: str = "") -> Answer:
    """Two statements, whatever there is. One without a verdict counts as neither kept nor broken."""
    found = Objective.objects.of_origin(origin).active()
    if team:
        found = (
            found.filter(service__team=None)
            if team == "unattributed"
            else found.filter(service__team__slug=team)
        )
    rows = list(found)
    counted = read_stretches([one.pk for one in rows], [period_of(now)])
    return answer_of(
        [
            standing_of(Budget(counted=counted[one.pk][0], period=PERIOD, allowed=one.allowed)).status
            for one in rows
        ]
    )


def answer_of(statuses: Sequence[Status]) -> Answer:
    """Of objectives by their colours; the worst colours the whole."""
    tally = Counter(statuses)
    judged = len(statuses) - tally[Status.GREY]
    kept = judged - tally[Status.RED]
    worst = next((one for one in (Status.RED, Status.AMBER, Status.GREEN) if tally[one]), Status.GREY)
    rest = ", ".join(f"{tally[status]} {word}" for status, word in WORDS if tally[status])
    if not statuses:
        sentence = "No objective is set: nothing is promised that could be kept or broken."
    elif not judged:
        sentence = f"None of {len(statuses)} objectives has a verdict: too few of their minutes are reported."
    else:
        sentence = (
            f"{kept} of {judged} objectives with a verdict have budget left{f'; {rest}' if rest else ''}."
        )
    return Answer(
        question="Do we keep what we promise?",
        name="SLO compliance",
        value=f"{kept} of {judged}" if judged else "",
        unit="objectives, 30 days",
        sentence=sentence,
        status=worst,
        url="/slo/",
    )
