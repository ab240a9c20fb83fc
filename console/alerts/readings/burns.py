"""What every objective in force has counted in the windows of the burn rules, and whether reclaims are going on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from console.alerts.detecting import Asked
from console.lib.rows import fetch
from console.slo.budget import Counted
from console.slo.burn import AFTER_EPISODE, RULES, WINDOWS, BurnRule, fastest, reaches
from console.slo.models import Objective
from console.slo.reading import read_windows

LONGEST = max(rule.long for rule in RULES)
_EPISODES = """
SELECT service_id, max(started_at) FROM interruptions_episode
WHERE origin = ANY(%(origins)s) AND started_at <= %(now)s AND greatest(ended_at, last_started_at) > %(since)s
  AND service_id = ANY(%(services)s) GROUP BY service_id
"""


_SILENCE = """
SELECT o.service_id, o.id, o.slug, o.name,
       greatest(c.last_minute + interval '1 minute', o.created_at), o.poll_error
FROM slo_objective o JOIN fleet_service s ON s.id = o.service_id AND s.archived_at IS NULL
LEFT JOIN slo_countstate c ON c.origin = o.origin AND c.service_id = o.service_id
  AND c.counted_for = CASE WHEN o.source = 'pushed' THEN 0 ELSE o.id END
WHERE o.origin = ANY(%(origins)s) AND o.archived_at IS NULL AND o.created_at <= %(now)s ORDER BY o.id
"""


@dataclass(frozen=True, slots=True)
class BurnRow:
    """One objective. `episode_at`: since when an episode of its service is open, or was less than 15 minutes ago."""

    service_id: int
    objective: int
    slug: str
    name: str
    objective_class: str
    allowed: float
    target: str
    planned_burn: float
    windows: Mapping[timedelta, Counted] = field(default_factory=dict)
    episode_at: datetime | None = None


def read_burns(asked: Asked) -> list[BurnRow]:
    """Minutes from `now` on do not exist. Objectives are those of today, at any moment."""
    objectives = list(
        Objective.objects.active().filter(origin__in=asked.origins).order_by("service_id", "created_at", "pk")
    )
    if not objectives:
        return []
    windows = read_windows([one.pk for one in objectives], WINDOWS, now=asked.now)
    episodes = dict(
        fetch(
            _EPISODES,
            {
                "origins": list(asked.origins),
                "now": asked.now,
                "since": asked.now - AFTER_EPISODE,
                "services": sorted({one.service_id for one in objectives}),
            },
        )
    )
    return [
        BurnRow(
            service_id=one.service_id,
            objective=one.pk,
            slug=one.slug,
            name=one.name,
            objective_class=one.objective_class,
            allowed=one.allowed,
            target=one.target_text,
            planned_burn=one.planned_burn,
            windows=windows[one.pk],
            episode_at=episodes.get(one.service_id),
        )
        for one in objectives
    ]


@dataclass(frozen=True, slots=True)
class SilenceRow:
    """One objective, and when the last minute was counted that it goes by, or when it was set."""

    service_id: int
    objective: int
    slug: str
    name: str
    heard_at: datetime
    poll_error: str = ""


def read_silence(asked: Asked) -> list[SilenceRow]:
    """Those in force, with what was counted last."""
    rows = fetch(_SILENCE, {"origins": list(asked.origins), "now": asked.now})
    return [SilenceRow(*row) for row in rows]


def out_of_reach(limit: float, *, rule: BurnRule) -> Iterator[str]:
    """Why no objective could ever burn so fast: b cannot exceed 1/(1 − SLO). Nothing while there are no objectives."""
    most = max(
        (
            fastest(one.allowed) / (one.planned_burn if rule.is_planned else 1.0)
            for one in Objective.objects.active()
        ),
        default=None,
    )
    if most is not None and not reaches(most, limit):
        yield (
            f"It could never hold at {limit:g}: of all objectives in force none can burn faster than {most:,.1f} times"
            f" its pace, with every request failing. Choose {int(most):,} or less."
        )
