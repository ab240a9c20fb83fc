"""What the pages and the API show of objectives, frozen. However long, a list costs the same number of statements."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from console.fleet.models import Criticality
from console.lib.rows import fetch
from console.lib.statistics import Interval, Status
from console.slo import burn
from console.slo.budget import MINUTE, PERIOD, Budget, Counted, Standing, standing_of
from console.slo.burn import RULES, WINDOWS, Burning
from console.slo.models import Objective, PrometheusServer
from console.slo.reading import Used, period_of, read_used, read_windows

LATE = timedelta(minutes=10)
"""Counts that stop for so long are told of."""
_SPOT = """
SELECT service_id, count(*) FILTER (WHERE lifecycle = 'spot'), count(*) FROM fleet_runninginterval
WHERE service_id = ANY(%s) AND ended_at IS NULL AND lifecycle <> 'unknown' GROUP BY service_id
"""
_LAST = """
SELECT o.id, c.last_minute FROM slo_objective o JOIN slo_countstate c ON c.origin = o.origin
  AND c.service_id = o.service_id AND c.counted_for = CASE WHEN o.source = 'pushed' THEN 0 ELSE o.id END
WHERE o.id = ANY(%s)
"""


@dataclass(frozen=True, slots=True)
class WindowLine:
    """One window: its burn with its range, and what share of a budget such a window uses."""

    length: timedelta
    counted: Counted
    allowed: float

    @property
    def burn(self) -> float | None:
        return burn.burn_rate(self.counted, self.allowed)

    @property
    def interval(self) -> Interval | None:
        return burn.burn_interval(self.counted, self.allowed)

    @property
    def used(self) -> float | None:
        return None if self.burn is None else burn.used_in(self.burn, self.length)

    @property
    def coverage(self) -> float:
        return min(1.0, self.counted.minutes * MINUTE / self.length)


@dataclass(frozen=True, slots=True)
class ObjectiveLine:
    """One objective with everything that is known of it now."""

    objective: Objective
    budget: Budget
    standing: Standing
    windows: Sequence[WindowLine]
    rules: Sequence[Burning]
    episode_count: int
    """Of these 30 days."""
    last_minute: datetime | None
    spot_share: float | None
    as_of: datetime
    warnings: Sequence[str] = field(default_factory=tuple)

    @property
    def worst(self) -> Burning | None:
        """The most urgent rule that holds now, if one does."""
        return next((one for one in self.rules if one.is_true(least_bad=burn.LEAST_BAD)), None)

    def window(self, length: timedelta) -> WindowLine:
        return next(one for one in self.windows if one.length == length)

    @property
    def hour_burn(self) -> float | None:
        return self.window(burn.HOUR).burn

    @property
    def status(self) -> Status:
        return self.standing.status


def read_lines(objectives: Sequence[Objective], *, now: datetime) -> list[ObjectiveLine]:
    """These objectives, in their order, as of the last whole minute."""
    ids = [one.pk for one in objectives]
    since, until = period_of(now)
    windows = read_windows(ids, [*WINDOWS, PERIOD], now=now)
    used = read_used(ids, since=since, until=until)
    last = dict(fetch(_LAST, [ids]))
    spot = _spot_shares({one.service_id for one in objectives if one.objective_class == Criticality.CRITICAL})
    return [
        _line(one, windows[one.pk], used.get(one.pk, Used()), last.get(one.pk), spot.get(one.service_id), now)
        for one in objectives
    ]


def _spot_shares(services: Collection[int]) -> Mapping[int, float]:
    if not services:
        return {}
    return {service: spot / of for service, spot, of in fetch(_SPOT, [sorted(services)]) if of}


def _line(
    one: Objective,
    windows: Mapping[timedelta, Counted],
    used: Used,
    last: datetime | None,
    spot: float | None,
    now: datetime,
) -> ObjectiveLine:
    whole = Budget(counted=windows[PERIOD], period=PERIOD, allowed=one.allowed)
    budget = Budget(
        counted=whole.counted,
        period=PERIOD,
        allowed=one.allowed,
        interruptions=used.share(whole.requests),
    )
    rules = [
        Burning(rule, rule.limit(one.planned_burn), windows[rule.long], windows[rule.short], one.allowed)
        for rule in RULES
    ]
    is_burning = any(rule.is_true(least_bad=burn.LEAST_BAD) for rule in rules)
    return ObjectiveLine(
        objective=one,
        budget=budget,
        standing=standing_of(budget, is_burning=is_burning),
        windows=[WindowLine(length, windows[length], one.allowed) for length in WINDOWS],
        rules=rules,
        episode_count=used.episodes,
        last_minute=last,
        spot_share=spot,
        as_of=period_of(now)[1],
        warnings=tuple(_warnings(one, spot, last, rules, now)),
    )


def _warnings(
    one: Objective, spot: float | None, last: datetime | None, rules: Sequence[Burning], now: datetime
) -> list[str]:
    told = []
    if one.is_failing:
        told.append(f"Prometheus cannot be asked: {one.poll_error}")
    if spot and one.objective_class == Criticality.CRITICAL:
        told.append(
            f"A critical service should not run on spot machines: {spot:.0%} of its machines are spot."
        )
    if last is None:
        told.append("No minute was counted yet.")
    elif now - last > LATE and one.archived_at is None:
        told.append(f"Nothing was counted since {last:%H:%M} UTC on {last:%-d %b}.")
    told += [
        f"The {rule.rule.name} rule can never fire: this budget burns at most {burn.fastest(one.allowed):.1f} times."
        for rule in rules
        if not rule.is_reachable
    ]
    return told


@dataclass(frozen=True, slots=True)
class ServerLine:
    """A server with the objectives that ask it, and what it said last."""

    server: PrometheusServer
    objectives: int
    failing: Objective | None
    asked_until: datetime | None


def server_lines() -> list[ServerLine]:
    """By name."""
    lines = []
    for server in PrometheusServer.objects.order_by("name", "pk").prefetch_related("objectives"):
        mine = [one for one in server.objectives.all() if one.archived_at is None]
        failing = next((one for one in mine if one.is_failing), None)
        asked = max((one.polled_until for one in mine if one.polled_until), default=None)
        lines.append(ServerLine(server, len(mine), failing, asked))
    return lines
