"""The executive board: how often spot machines are lost, and how well that is taken.

It reads roll-ups and what runs now, never the history, so its cost does not grow with the years.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.http import QueryDict

from console.dashboards import executive_charts as charts
from console.dashboards.executive_answers import answers
from console.fleet.models import Team
from console.interruptions.measure_reading import read_counts, read_pieces
from console.interruptions.measure_words import Answer, answer_of
from console.interruptions.measures import TREND_WEEKS, Dimension, Measure, Scope, Window, rolled_up_at
from console.interruptions.measures_m1 import (
    Targets,
    interrupted_share,
    interruption_rate,
    interruption_rate_by,
    weekly_rates,
)
from console.interruptions.measures_m2 import graceful_shutdown, read_agents
from console.interruptions.measures_m3 import reschedule_latency
from console.interruptions.measures_m4 import lost_work
from console.interruptions.measures_m6 import observability_gap
from console.interruptions.measures_m8 import replica_recovery
from console.interruptions.measures_together import read_together
from console.lib.charts import Drawing
from console.lib.origin import Origin
from console.slo import episode_reading
from console.slo.compliance import compliance
from console.slo.measure_words import answer_of as felt_answer
from console.slo.measures_m7 import error_spike
from console.slo.measures_m9 import burn_after_eviction

PERIODS = {
    "7d": ("7 days", timedelta(days=7)),
    "28d": ("28 days", timedelta(days=28)),
    "13w": ("13 weeks", timedelta(weeks=13)),
}
WEEK = timedelta(days=7)
RANKED = (Dimension.SERVICE, Dimension.POOL, Dimension.REGION)
PROVIDERS = ("aws", "azure", "gcp")


@dataclass(frozen=True, slots=True)
class Filters:
    """What the URL asks for."""

    period: str = "7d"
    team: str = ""
    provider: str = ""

    @classmethod
    def of(cls, query: QueryDict) -> Filters:
        period = query.get("period", "")
        return cls(
            period=period if period in PERIODS else "7d",
            team=query.get("team", "").strip()[:64],
            provider=query.get("provider", "").strip()[:16],
        )

    @property
    def is_set(self) -> bool:
        return self != Filters()

    @property
    def words(self) -> str:
        return PERIODS[self.period][0]

    def query(self, **extra: str) -> str:
        own = {"period": self.period, "team": self.team, "provider": self.provider, **extra}
        return urlencode({name: value for name, value in own.items() if value})


@dataclass(frozen=True, slots=True)
class Choices:
    """What the filters offer."""

    teams: Sequence[tuple[str, str]]
    providers: Sequence[str]
    periods: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Board:
    """Everything the page shows. Without roll-ups there are no figures, and the page says why."""

    filters: Filters
    choices: Choices
    as_of: datetime | None
    is_late: bool = False
    window: Window | None = None
    answers: Sequence[Answer] = ()
    reported: Sequence[Answer] = ()
    """What hangs on reports of nodes and services: lost work, recovery, gaps, what users felt, promises kept."""
    trend: Drawing | None = None
    shutdowns: Drawing | None = None
    parts: Sequence[charts.LinkedPart] = ()
    rankings: Sequence[Drawing] = ()
    notes: Sequence[str] = ()
    measures: Sequence[Measure] = ()


LATE = timedelta(minutes=10)


def read_board(*, origin: Origin, filters: Filters, now: datetime) -> Board:
    """The board of one origin."""
    choices = _choices(origin, filters)
    as_of = rolled_up_at(origin)
    if as_of is None:
        return Board(filters, choices, None)
    scope = Scope(origin, team=filters.team, provider=filters.provider)
    window = Window.last(PERIODS[filters.period][1], as_of=as_of)
    targets = Targets()
    weeks = Window.weeks(TREND_WEEKS, as_of=as_of)
    pieces = read_pieces(scope, min(window, weeks, key=lambda one: one.since))
    reading = read_counts(scope, window, pieces=pieces)
    by_week = read_counts(scope, weeks, by_week=True, pieces=pieces)
    rate = interruption_rate(reading, targets)
    agents = read_agents(scope, now=now)
    shutdown = graceful_shutdown(reading, agents)
    last_week = Window.last(WEEK, as_of=as_of)
    rows = read_together(scope, last_week, more={"felt": episode_reading})
    moves = reschedule_latency(scope, window=last_week, now=now, rows=rows["m3"])
    reported = [
        *lost_work(scope, window=last_week, rows=rows["m4"]),
        *replica_recovery(scope, window=last_week, now=now, rows=rows["m8"]),
        *observability_gap(scope, window=last_week, now=now, agents=agents, rows=rows["m6"]),
    ]
    told = episode_reading.felt_of(rows["felt"])
    felt = [
        *error_spike(scope, window=last_week, felt=told),
        *burn_after_eviction(scope, window=last_week, felt=told),
    ]
    groups = {d: interruption_rate_by(reading, targets, dimension=d) for d in RANKED}
    shares = interrupted_share(scope, window=last_week)
    return Board(
        filters,
        choices,
        as_of,
        is_late=now - as_of > LATE,
        window=window,
        answers=answers(rate, shares[0] if shares else None, shutdown, moves, period=filters.words),
        reported=[
            *(answer_of(one) for one in reported),
            *(felt_answer(one) for one in felt),
            compliance(origin, now=now, team=filters.team),
        ],
        trend=charts.trend(weekly_rates(by_week, targets, weeks=TREND_WEEKS), as_of=as_of),
        shutdowns=charts.shutdowns(shutdown),
        parts=charts.linked_parts(shutdown),
        rankings=[charts.ranking(dimension, groups[dimension]) for dimension in RANKED],
        notes=[note for one in (rate, shutdown, *moves, *reported, *felt) for note in one.notes],
        measures=[
            rate,
            *shares,
            shutdown,
            *moves,
            *reported,
            *felt,
            *[measure for d in RANKED for measure in groups[d]],
        ],
    )


def _choices(origin: Origin, filters: Filters) -> Choices:
    teams = list(Team.objects.filter(origin=origin).order_by("name", "pk").values_list("slug", "name"))
    teams.append(("unattributed", "Unattributed"))
    return Choices(teams, PROVIDERS, [(key, f"Last {words}") for key, (words, _) in PERIODS.items()])
