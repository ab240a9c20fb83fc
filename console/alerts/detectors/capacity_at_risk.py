"""Capacity at risk: what would be left if the largest pool went, held against the need (`metrics.md` section 3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from console.alerts.detecting import Asked, Detector, Given, Judged, Threshold, one_condition
from console.alerts.detectors.concentration import largest_pool
from console.alerts.readings.running import HeldRow, NeedRow, read_held, read_needs
from console.alerts.readings.sorting import by_service


@dataclass(frozen=True, slots=True)
class Left:
    """What remains of a service without its largest spot pool."""

    pool: str
    share: float
    """Of its whole capacity, spot and other."""


@dataclass(frozen=True, slots=True)
class Rows:
    held: Sequence[HeldRow]
    needs: Sequence[NeedRow]


def without_largest(held: Sequence[HeldRow]) -> Left | None:
    """None: it has no spot machine."""
    spot = [row for row in held if row.lifecycle == "spot"]
    total = sum(row.vcpus for row in held)
    if not spot or not total:
        return None
    largest = largest_pool(spot)
    return Left(largest.pool or "a pool that is not known", (total - largest.vcpus) / total)


def read_capacity(asked: Asked) -> Rows:
    return Rows(read_held(asked), read_needs(asked))


def judge_capacity(rows: Rows, given: Given) -> Iterator[Judged]:
    """Replicas are taken to lie over machines as vCPUs do. A service that says no need is not judged."""
    needs = {need.service_id: need for need in rows.needs}
    margin = given.limits["margin"]
    for service, held in by_service(_serving(rows.held), given):
        need, left = needs.get(service.id), without_largest(held)
        if need is None or left is None or not need.needed:
            continue
        remaining = need.ready * left.share
        short = need.needed - remaining
        yield Judged(
            scope=service.slug,
            origin=service.origin,
            service_id=service.id,
            title=f"{service.name} could not lose its largest pool",
            text=f"{service.name}: without {left.pool} about {remaining:.0f} of {need.ready} replicas are left, "
            f"it needs {need.needed}" + (f": short by {short:.0f}." if short > 0 else "."),
            is_true=remaining < need.needed * (1 + margin),
            value=remaining,
            limit=float(need.needed),
            inputs={
                "ready": need.ready,
                "needed": need.needed,
                "left": round(remaining, 1),
                "largest_pool": left.pool,
                "largest_share": round(1 - left.share, 3),
            },
        )


def _serving(held: Iterable[HeldRow]) -> list[HeldRow]:
    """Warm machines carry nothing yet."""
    return [row for row in held if row.lifecycle != "warm"]


DETECTOR = Detector(
    name="capacity_at_risk",
    title="Capacity at risk",
    about="If a service's largest spot pool went at once, fewer replicas would be left than it needs. Needs workload "
    "reports that say what is needed.",
    thresholds=(Threshold("margin", "Margin above the need", 0.0, "share of the need", least=0, most=10),),
    conditions=one_condition("Losing the largest pool would leave too little"),
    read=read_capacity,
    judge=judge_capacity,
    is_replayable=False,
)
