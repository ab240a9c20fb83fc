"""Sums of a week by service, from the roll-ups: what M1 and M2 are judged by."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from console.alerts.detecting import Asked
from console.fleet.models import Service
from console.interruptions.measure_reading import (
    BY_SERVICE,
    BY_SERVICE_AND_TYPE,
    Counts,
    Place,
    Reading,
    read_counts,
)
from console.interruptions.measures import Scope, Window
from console.interruptions.models import RateTarget, RollupState

WINDOW = timedelta(days=7)
WEEK_US = 7 * 86_400 * 1_000_000


@dataclass(frozen=True, slots=True)
class RateRow:
    """One service's week."""

    service_id: int
    reclaims: int
    weeks: float
    """Spot-instance-weeks."""
    phi: float = 1.0
    parts: tuple[tuple[float, float | None, float | None], ...] = ()
    """Weeks by class of machine, with the class's own target and limit; None: the usual ones."""
    is_reporting: bool = True
    """A hook report came from it at least once."""
    counts: Counts = field(default_factory=Counts)
    as_of: datetime | None = None


def read_rates(asked: Asked) -> list[RateRow]:
    """A service that neither ran nor was reclaimed in the week has no row."""
    targets = sorted(RateTarget.objects.all(), key=lambda row: (-len(row.type_prefix), -len(row.provider)))
    reached = RollupState.objects.filter(origin__in=asked.origins, rolled_up_at__isnull=False)
    grain = BY_SERVICE_AND_TYPE if targets else BY_SERVICE
    rows: list[RateRow] = []
    for origin, rolled_up_at in reached.order_by("origin").values_list("origin", "rolled_up_at"):
        as_of = min(rolled_up_at, asked.now) if rolled_up_at else asked.now
        reading = read_counts(Scope(origin), Window.last(WINDOW, as_of=as_of), grain=grain)
        rows += _by_service(reading, origin, targets, as_of)
    return rows


def _by_service(reading: Reading, origin: str, targets: list[RateTarget], as_of: datetime) -> list[RateRow]:
    ids = dict(Service.objects.filter(origin=origin).values_list("slug", "pk"))
    sums = reading.fold(_service)
    phi = reading.phi(_service, sums)
    parts: dict[str, dict[tuple[float | None, float | None], float]] = defaultdict(lambda: defaultdict(float))
    reporting: set[str] = set()
    for place, counts in reading.cells:
        parts[place.service][_target(place, targets)] += counts.spot_microseconds / WEEK_US
        if place.is_reporting:
            reporting.add(place.service)
    return [
        RateRow(
            service_id=ids[slug],
            reclaims=counts.reclaim_count,
            weeks=counts.spot_microseconds / WEEK_US,
            phi=phi[slug],
            parts=tuple((weeks, *wanted) for wanted, weeks in parts[slug].items()),
            is_reporting=slug in reporting,
            counts=counts,
            as_of=as_of,
        )
        for slug, counts in sums.items()
        if slug in ids
    ]


def _service(place: Place) -> str:
    return place.service


def _target(place: Place, targets: list[RateTarget]) -> tuple[float | None, float | None]:
    for row in targets:
        if row.provider in ("", place.provider) and place.type.startswith(row.type_prefix):
            return row.target, row.red
    return None, None
