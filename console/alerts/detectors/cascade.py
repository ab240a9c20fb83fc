"""Cascade (F5): more machines of one pool, zone or service are taken within three minutes than chance explains.

The rule is `metrics.md` section 3's. A pool's rate is drawn towards `PRIOR_WEEKLY` with the weight of
`PRIOR_WEEKS` instance-weeks, so a pool without history has exactly the prior, and one that was never
reclaimed is not taken to be immortal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from console.alerts.detecting import Condition, Detector, Kind, Subject, Threshold, row
from console.lib.statistics.gamma import gamma_p

WINDOW = timedelta(seconds=180)
QUIET = timedelta(minutes=10)
"""Machines join a wave until for so long none was taken."""
LEAST = 3
LARGE = 10
LEAST_SHARE = 0.1
CHANCE = 1e-4
PRIOR_WEEKLY = 0.06
PRIOR_WEEKS = 20.0
WEEK = timedelta(weeks=1)

PoolId = int | None
"""None: machines whose pool is not known; they belong to their zone alone."""


@dataclass(frozen=True, slots=True)
class Limits:
    """From when on a bunch of reclaims is a cascade, as the rule in force says."""

    least: int = LEAST
    large: int = LARGE
    least_share: float = LEAST_SHARE
    chance: float = CHANCE

    @classmethod
    def of(cls, thresholds: Mapping[str, float]) -> Limits:
        return cls(
            int(thresholds["least"]),
            int(thresholds["large"]),
            thresholds["least_share"],
            10.0 ** -thresholds["chance_digits"],
        )


USUAL = Limits()


class Reclaim(NamedTuple):
    """A counted interruption of one zone."""

    id: int
    machine_id: int
    pool_id: PoolId
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Stock:
    """A pool of one zone: its spot machines that run, and what happened to them in 13 weeks."""

    running: int
    reclaims: int = 0
    weeks: float = 0.0

    @property
    def weekly_rate(self) -> float:
        """Reclaims per machine and week."""
        return (self.reclaims + PRIOR_WEEKLY * PRIOR_WEEKS) / (self.weeks + PRIOR_WEEKS)


@dataclass(frozen=True, slots=True)
class Cascade:
    """The narrowest scope that explains a bunch of reclaims: one pool, or (None) the whole zone."""

    pool_id: PoolId
    reclaimed: int
    running: int
    expected: float
    since: datetime
    until: datetime

    @property
    def chance(self) -> float:
        return chance_of(self.reclaimed, expected=self.expected)


def chance_of(reclaimed: int, *, expected: float) -> float:
    """P(Poisson(expected) >= reclaimed)."""
    return gamma_p(reclaimed, expected) if reclaimed > 0 else 1.0


def expected_of(stocks: Iterable[Stock]) -> float:
    """How many reclaims these pools would see in one window by their rates alone."""
    return sum(stock.weekly_rate * stock.running for stock in stocks) * (WINDOW / WEEK)


def is_cascade(reclaimed: int, *, running: int, expected: float, limits: Limits = USUAL) -> bool:
    """Whether so many distinct machines within one window are a cascade. `running` 0: no inventory."""
    if running == 0:
        return reclaimed >= limits.large
    if reclaimed < limits.least or (reclaimed < limits.large and reclaimed < limits.least_share * running):
        return False
    return chance_of(reclaimed, expected=expected) < limits.chance


def find_cascade(
    reclaims: Sequence[Reclaim],
    stocks: Mapping[int, Stock],
    *,
    fresh: Collection[int],
    limits: Limits = USUAL,
) -> Cascade | None:
    """The cascade of one zone, if there is one in a window that holds any of the `fresh` interruptions."""
    pools = sorted({r.pool_id for r in reclaims if r.pool_id is not None})
    firing = [found for pool in pools if (found := _of_pool(pool, reclaims, stocks, fresh, limits))]
    if len(firing) == 1:
        pool = firing[0].pool_id
        others = [r for r in reclaims if r.pool_id != pool]
        rest = {pk: stock for pk, stock in stocks.items() if pk != pool}
        if _fires(None, others, rest.values(), fresh={r.id for r in others}, limits=limits) is None:
            return firing[0]
    zone = _fires(None, reclaims, stocks.values(), fresh=fresh, limits=limits)
    if zone is None and firing:
        return _busiest(None, reclaims, stocks.values(), fresh=fresh)
    return zone


def find_service_cascade(
    reclaims: Sequence[Reclaim], stock: Stock, *, fresh: Collection[int], limits: Limits = USUAL
) -> Cascade | None:
    """The same of one service, wherever its machines were; `stock` is all that it runs."""
    return _fires(None, reclaims, [stock], fresh=fresh, limits=limits)


def _of_pool(
    pool: int,
    reclaims: Sequence[Reclaim],
    stocks: Mapping[int, Stock],
    fresh: Collection[int],
    limits: Limits,
) -> Cascade | None:
    mine = [r for r in reclaims if r.pool_id == pool]
    return _fires(pool, mine, [stocks[pool]] if pool in stocks else [], fresh=fresh, limits=limits)


def _fires(
    pool: PoolId,
    reclaims: Sequence[Reclaim],
    stocks: Collection[Stock],
    *,
    fresh: Collection[int],
    limits: Limits,
) -> Cascade | None:
    found = _busiest(pool, reclaims, stocks, fresh=fresh)
    if found and is_cascade(found.reclaimed, running=found.running, expected=found.expected, limits=limits):
        return found
    return None


def _busiest(
    pool: PoolId, reclaims: Sequence[Reclaim], stocks: Collection[Stock], *, fresh: Collection[int]
) -> Cascade | None:
    """The trailing window with the most distinct machines, of those that hold something fresh.

    The rule only gets truer with the count, so no other window has to be looked at.
    """
    most, since, until = 0, None, None
    machines: Counter[int] = Counter()
    unheard = 0
    ordered = sorted(reclaims, key=lambda r: (r.started_at, r.id))
    first = 0
    for last in ordered:
        machines[last.machine_id] += 1
        unheard += last.id in fresh
        while last.started_at - ordered[first].started_at > WINDOW:
            gone = ordered[first]
            machines[gone.machine_id] -= 1
            if not machines[gone.machine_id]:
                del machines[gone.machine_id]
            unheard -= gone.id in fresh
            first += 1
        if unheard and len(machines) > most:
            most, since, until = len(machines), ordered[first].started_at, last.started_at
    if since is None or until is None:
        return None
    running = sum(stock.running for stock in stocks)
    return Cascade(pool, most, running, expected_of(stocks), since, until)


SHORT, ENOUGH = "short", "enough"

DETECTOR = Detector(
    name="cascade",
    title="Cascades",
    about="Within three minutes more machines of one pool, zone or service are taken than chance explains "
    "(F5). Of a pool "
    "or zone it opens that zone's one wave; of a service alone it raises the service's own group. It leaves "
    "too little "
    "where a service is below its need, or, where no need is reported, loses a large share of its spot machines.",
    kind=Kind.EVENT,
    subject=Subject.PLACE,
    thresholds=(
        Threshold("least", "At least", LEAST, "machines in 3 min", least=2, most=10_000, is_whole=True),
        Threshold("least_share", "Share of what runs", LEAST_SHARE, "share", least=0, most=1),
        Threshold(
            "large", "Or, whatever the share,", LARGE, "machines", least=2, most=100_000, is_whole=True
        ),
        Threshold(
            "chance_digits",
            "Less likely than 1 in 10 to the power of",
            4,
            "digits",
            least=1,
            most=300,
            help="Poisson: the chance of so many at the usual rate.",
        ),
        Threshold(
            "assumed_share",
            "Too little where no need is reported",
            0.5,
            "of its spot machines go",
            least=0.01,
            most=1,
        ),
    ),
    conditions=(
        Condition(SHORT, "A cascade that leaves too little", row("page", "page", "ticket")),
        Condition(ENOUGH, "A cascade that leaves enough", row("ticket", "ticket", "log")),
    ),
    evaluations=1,
)
