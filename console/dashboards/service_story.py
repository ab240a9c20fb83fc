"""What happened to one service: its open groups, its three figures, its newest reclaims, its episodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.db.models import Count, Q, Sum, Window
from django.urls import reverse

from console.alerts.models import AlertGroup
from console.dashboards.executive_answers import answers
from console.dashboards.leading import in_order
from console.fleet.models import Service
from console.interruptions import measures
from console.interruptions.measure_reading import read_counts
from console.interruptions.measure_words import Answer, answer_of
from console.interruptions.measures_m1 import Targets, interruption_rate
from console.interruptions.measures_m2 import graceful_shutdown, read_agents
from console.interruptions.measures_m3 import reschedule_latency
from console.interruptions.measures_m4 import lost_work
from console.interruptions.measures_m6 import observability_gap
from console.interruptions.measures_m8 import replica_recovery
from console.interruptions.measures_together import read_together
from console.interruptions.models import Episode, Interruption
from console.interruptions.rows import InterruptionRow, interruption_rows
from console.slo import episode_reading
from console.slo.measure_words import answer_of as felt_answer
from console.slo.measures_m7 import error_spike
from console.slo.measures_m9 import burn_after_eviction

WEEK = timedelta(days=7)
STORY = timedelta(weeks=13)
MOST_GROUPS = 20
MOST_RECLAIMS = 20
MOST_EPISODES = 15


@dataclass(frozen=True, slots=True)
class EpisodeLine:
    """A run of reclaims, and the way to its rows."""

    started_at: datetime
    lasted: timedelta
    reclaims: int
    url: str


@dataclass(frozen=True, slots=True)
class Episodes:
    """The newest episodes of 13 weeks, and what all of them add up to."""

    lines: Sequence[EpisodeLine]
    count: int
    reclaims: int


@dataclass(frozen=True, slots=True)
class Figures:
    """Its measures of the last week, those its kind is judged by first. Without roll-ups there are none."""

    answers: Sequence[Answer]
    as_of: datetime | None


def open_groups(service: Service) -> list[AlertGroup]:
    """The open waves that its group stands under, and its own open group; the first `MOST_GROUPS` and one more."""
    own = Q(service=service) | Q(children__service=service, key__startswith="wave:")
    found = AlertGroup.objects.of_origin(service.origin).open().filter(own)
    return list(
        found.select_related("acknowledged_by", "service")
        .order_by("-key", "pk")
        .distinct()[: MOST_GROUPS + 1]
    )


def figures(service: Service, *, now: datetime) -> Figures:
    """How often it loses machines and how it takes that, by every measure it reports to."""
    as_of = measures.rolled_up_at(service.origin)
    if as_of is None:
        return Figures((), None)
    scope = measures.Scope(service.origin, service=service.slug)
    window = measures.Window.last(WEEK, as_of=as_of)
    rows = read_together(scope, window, more={"felt": episode_reading})
    felt = episode_reading.felt_of(rows["felt"])
    reading, agents = read_counts(scope, window), read_agents(scope, now=now)
    moves = reschedule_latency(scope, window=window, now=now, rows=rows["m3"])
    rate, shutdown, *latencies = answers(
        interruption_rate(reading, Targets()),
        None,
        graceful_shutdown(reading, agents),
        [one for one in moves if one.n or one.workload_class == service.lead_measure],
        period="7 days",
    )
    found = {
        "m1": [rate],
        "m2": [shutdown],
        "m3": latencies,
        "m4": [answer_of(one) for one in lost_work(scope, window=window, rows=rows["m4"])],
        "m6": [
            answer_of(one)
            for one in observability_gap(scope, window=window, now=now, agents=agents, rows=rows["m6"])
        ],
        "m7": [felt_answer(one) for one in error_spike(scope, window=window, felt=felt)],
        "m8": [answer_of(one) for one in replica_recovery(scope, window=window, now=now, rows=rows["m8"])],
        "m9": [felt_answer(one) for one in burn_after_eviction(scope, window=window, felt=felt)],
    }
    return Figures(in_order(found, service=service), as_of)


def recent_reclaims(service: Service) -> Sequence[InterruptionRow]:
    """The newest, whatever became of them; tombstones left out."""
    rows = Interruption.objects.filter(service=service, merged_into=None)
    related = rows.select_related("service__team", "machine", "pool")
    return interruption_rows(related.order_by("-started_at", "-pk")[:MOST_RECLAIMS])


def episodes(service: Service, *, now: datetime) -> Episodes:
    """Runs of reclaims with gaps of at most five minutes, of the last 13 weeks."""
    rows = Episode.objects.filter(service=service, last_started_at__gte=now - STORY)
    added_up = rows.annotate(all_episodes=Window(Count("pk")), all_reclaims=Window(Sum("interruption_count")))
    newest = list(added_up.order_by("-last_started_at", "-pk")[:MOST_EPISODES])
    if not newest:
        return Episodes((), 0, 0)
    lines = [_line(episode, service) for episode in newest]
    return Episodes(lines, newest[0].all_episodes, newest[0].all_reclaims)


def _line(episode: Episode, service: Service) -> EpisodeLine:
    query = {
        "service": service.slug,
        "since": _iso(episode.started_at),
        "until": _iso(episode.last_started_at + timedelta(seconds=1)),
    }
    return EpisodeLine(
        started_at=episode.started_at,
        lasted=episode.ended_at - episode.started_at,
        reclaims=episode.interruption_count,
        url=f"{reverse('dashboards:interruption_list')}?{urlencode(query)}",
    )


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
