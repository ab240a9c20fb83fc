"""The burn-down of one objective: what was left of its budget over the 30 days, with the episodes in between."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from console.lib.charts import Drawing, Mark, Point, Target, Trend, drawing_of
from console.lib.durations import in_words
from console.slo.budget import PERIOD, Counted
from console.slo.queries import ObjectiveLine
from console.slo.reading import COSTLIEST, period_of, read_episodes, read_stretches

STEP = timedelta(hours=6)
TICKS = 20
MOST_MARKS = 60
"""More upright lines than that are no picture: the costliest episodes are drawn, the table holds all."""


def burn_down(line: ObjectiveLine) -> Drawing:
    """Points every six hours, each the share of this period's budget left by then; a gap where nothing was counted."""
    since = period_of(line.as_of)[0]
    steps = round(PERIOD / STEP)
    stretches = [(since + n * STEP, since + (n + 1) * STEP) for n in range(steps)]
    counted = read_stretches([line.objective.pk], stretches)[line.objective.pk]
    chart = Trend(
        "Until",
        "% of the budget left",
        tuple(_points(stretches, counted, line.budget.requests)),
        target=Target(0.0, "spent"),
        marks=tuple(_marks(line)),
        tick_every=TICKS,
    )
    return drawing_of(
        chart,
        id="burn-down",
        title="What is left of the budget",
        lead="The share of these 30 days' budget that was left; upright lines are episodes of reclaims.",
        empty="No request was counted in these 30 days.",
    )


def _points(
    stretches: Sequence[tuple[datetime, datetime]], counted: Sequence[Counted], budget: float
) -> Sequence[Point]:
    points, bad = [], 0.0
    for (_, until), one in zip(stretches, counted, strict=True):
        bad += one.bad
        left = 100 * (1 - bad / budget) if budget and one.minutes else None
        text = (
            "not counted" if left is None else f"{left:.1f} % left, {one.bad:,.0f} of {one.total:,.0f} failed"
        )
        points.append(Point(at=until, label=f"{until:%-d %b %H:%M}", value=left, text=text))
    return points


def _marks(line: ObjectiveLine) -> Sequence[Mark]:
    since, until = period_of(line.as_of)
    costly = read_episodes(line.objective.pk, since=since, until=until, order=COSTLIEST, most=MOST_MARKS)
    return [
        Mark(
            one.started_at,
            f"{one.started_at:%-d %b %H:%M} UTC, {in_words(one.ended_at - one.started_at)}: "
            + (
                "no baseline"
                if one.cost.over_baseline is None
                else f"{one.cost.over_baseline:,.0f} failed over the baseline"
            ),
        )
        for one in sorted(costly, key=lambda one: one.started_at)
    ]
