"""How many requests Meridian's services answer, and how many of them go wrong when machines go.

A function of the minute and of the machines lost shortly before: told twice, a minute is told the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import cos, pi
from typing import Any

from console.drills.sample.company import SERVICES
from console.drills.sample.history import BAD_DEPLOY_BEFORE, BAD_DEPLOY_SERVICE, DAYS
from console.drills.sample.machines import iso, random_of

REQUESTS = "requests"
"""The lane."""
MINUTE = timedelta(minutes=1)
HURTS_FOR = timedelta(minutes=3)
"""Requests fail from when a machine has gone until its work runs elsewhere."""
TOLD_DAYS = min(DAYS, 31)
BAD_DEPLOY_LASTS = timedelta(hours=8)
BAD_DEPLOY_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Traffic:
    """A service's requests: so many a minute at its busiest, which share fails always, and how a loss hurts."""

    slug: str
    peak: int
    failing: float
    hurt: float
    """The share of requests that fail, were all of its machines lost at once."""

    @property
    def size(self) -> int:
        return next(plan.size for plan in SERVICES if plan.slug == self.slug)


TRAFFIC = (
    Traffic("checkout-workers", 2_400, 0.000_45, 0.04),
    Traffic("order-events", 5_200, 0.001, 0.10),
    Traffic("search-serving", 9_000, 0.000_9, 0.45),
    Traffic("video-transcoding", 160, 0.002_2, 0.30),
    Traffic("clickstream-etl", 90, 0.002, 0.20),
)
"""Those that count their requests; of the others nothing is reported."""

Losses = Mapping[str, list[datetime]]
"""By service: when each machine was gone."""


def losses_of(past: Iterable[Mapping[str, Any]]) -> dict[str, list[datetime]]:
    """Out of inventory rows of machines that ended."""
    found: dict[str, list[datetime]] = defaultdict(list)
    for row in past:
        if row.get("ended_at"):
            gone_at = datetime.fromisoformat(str(row["ended_at"]).replace("Z", "+00:00"))
            found[row["tags"].get("app", "")].append(gone_at)
    return found


class Counter:
    """Counts minute by minute, for one seed. `anchor` is when the story's past ends."""

    def __init__(self, seed: int, *, anchor: datetime, losses: Losses | None = None) -> None:
        self.seed, self.anchor = seed, anchor
        self._hurt: dict[tuple[str, datetime], int] = defaultdict(int)
        for slug, moments in (losses or {}).items():
            for at in moments:
                self.lose(slug, at)

    def lose(self, slug: str, at: datetime) -> None:
        """A machine of the service is gone at `at`, which may lie ahead."""
        first = at.replace(second=0, microsecond=0)
        for number in range(HURTS_FOR // MINUTE):
            self._hurt[slug, first + number * MINUTE] += 1

    def rows(self, minute: datetime) -> list[dict[str, Any]]:
        """What every service counted in this minute."""
        return [self._row(traffic, minute) for traffic in TRAFFIC]

    def _row(self, traffic: Traffic, minute: datetime) -> dict[str, Any]:
        chance = random_of(self.seed, "requests", traffic.slug, int(minute.timestamp()))
        total = max(1, round(traffic.peak * _wave(minute) * chance.uniform(0.93, 1.07)))
        share = traffic.failing + traffic.hurt * self._hurt[traffic.slug, minute] / traffic.size
        if traffic.slug == BAD_DEPLOY_SERVICE and self._is_bad_deploy(minute):
            share += BAD_DEPLOY_SHARE
        bad = min(total, int(total * share + chance.random()))
        return {"service": traffic.slug, "minute": iso(minute), "good": total - bad, "total": total}

    def _is_bad_deploy(self, minute: datetime) -> bool:
        begins = self.anchor - BAD_DEPLOY_BEFORE
        return begins <= minute < begins + BAD_DEPLOY_LASTS


def _wave(minute: datetime) -> float:
    """Busiest at eight in the evening, quietest twelve hours from it."""
    at = minute.astimezone(UTC)
    return 0.65 + 0.35 * cos(2 * pi * ((at.hour + at.minute / 60) - 20) / 24)


def minutes_between(since: datetime, until: datetime) -> Iterator[datetime]:
    """Whole minutes that are over by `until`."""
    minute = since.replace(second=0, microsecond=0)
    while minute + MINUTE <= until:
        yield minute
        minute += MINUTE


def days_back(now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The past in pieces of a day, the latest first."""
    until = now.replace(second=0, microsecond=0)
    for _ in range(TOLD_DAYS):
        yield until - timedelta(days=1), until
        until -= timedelta(days=1)
