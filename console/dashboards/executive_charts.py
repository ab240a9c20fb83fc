"""The executive board's charts, as descriptions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from console.interruptions.measures import WEEK, Dimension, Measure
from console.interruptions.measures_m2 import PARTS
from console.lib.charts import Bar, Bars, Colour, Drawing, Part, Point, Stack, Target, Trend, drawing_of

MOST_BARS = 10
PART_WORDS = {
    "complete": ("complete", Colour.OK, "ok"),
    "partial": ("partial", Colour.WARN, "warn"),
    "failed": ("failed", Colour.DANGER, "danger"),
    "no_report": ("no report", Colour.MUTED, "muted"),
    "no_notice": ("no notice", Colour.NEUTRAL, "neutral"),
}
NOUNS = {Dimension.SERVICE: "service", Dimension.POOL: "pool", Dimension.REGION: "region"}
QUIET = "No reclaim is known in this period."


@dataclass(frozen=True, slots=True)
class LinkedPart:
    """A piece of the stacked bar, as a label that opens its rows."""

    name: str
    count: int
    tone: str
    url: str


def trend(weeks: Sequence[Measure], *, as_of: datetime) -> Drawing:
    """M1 week by week, with its range and target."""
    points = []
    for week in weeks:
        since = week.window.since if week.window else as_of
        points.append(
            Point(
                at=since,
                label=week.label,
                value=week.value,
                low=week.interval.low if week.interval else None,
                high=week.interval.high if week.interval else None,
                text="" if week.value is None else _rate_text(week),
                is_partial=since + WEEK > as_of,
            )
        )
    goal = weeks[-1].target if weeks else None
    chart = Trend(
        "Week of",
        "per 100 instance-weeks",
        tuple(points),
        target=Target(goal, f"target {goal:g}") if goal is not None else None,
    )
    return drawing_of(
        chart,
        id="trend",
        title="Interruption rate by week",
        lead="Reclaims per 100 instance-weeks; the band is the 95 % range, the last week is not over.",
        empty="No spot machine is known to have run in these 13 weeks.",
    )


def shutdowns(measure: Measure) -> Drawing:
    """How the reclaims ended, as one bar."""
    parts = tuple(
        Part(PART_WORDS[part][0], measure.figures.get(part) or 0, PART_WORDS[part][1]) for part in PARTS
    )
    return drawing_of(
        Stack("Outcome", "reclaims", parts),
        id="shutdowns",
        title="How the shutdowns went",
        lead="Every judged reclaim of the services that report their hooks.",
        empty="No shutdown can be judged: no reclaim, or no service that reports its hooks.",
    )


def linked_parts(measure: Measure) -> list[LinkedPart]:
    """The stack's labels, each the way to its rows."""
    return [
        LinkedPart(
            PART_WORDS[part][0],
            int(measure.figures.get(part) or 0),
            PART_WORDS[part][2],
            measure.rows_url.replace("outcome=counted", f"outcome={part}"),
        )
        for part in PARTS
    ]


def ranking(dimension: Dimension, groups: Sequence[Measure]) -> Drawing:
    """Who or what was hit most; the rate and its range stand in the table."""
    hit = [group for group in groups if group.n]
    noun = NOUNS[dimension]
    lead = (
        f"{len(hit)} of {len(groups)} {noun}s {'was' if len(hit) == 1 else 'were'} hit."
        if len(groups) > 1
        else ""
    )
    if len(hit) > MOST_BARS:
        lead = f"The {MOST_BARS} hit most of {len(groups)} {noun}s; the table holds all."
    chart = Bars(
        noun.capitalize(),
        "reclaims",
        tuple(_bar(group) for group in hit),
        columns=("per 100 instance-weeks", "95 % range", "verdict"),
        most=MOST_BARS,
    )
    return drawing_of(chart, id=f"by-{noun}", title=f"Reclaims by {noun}", lead=lead, empty=QUIET)


def _bar(group: Measure) -> Bar:
    rate = "no inventory" if group.value is None else f"{group.value:.1f}"
    between = "" if group.interval is None else f"{group.interval.low:.1f} to {group.interval.high:.1f}"
    verdict = group.status.word + (", low confidence" if group.is_low_confidence else "")
    return Bar(group.label, group.n, f"{group.n}", (rate, between, verdict), url=group.rows_url)


def _rate_text(week: Measure) -> str:
    text = f"{week.value:.1f}"
    if week.interval is not None:
        text += f" ({week.interval.low:.1f} to {week.interval.high:.1f})"
    return f"{text}, {week.n} reclaims"
