"""Concentration: one pool holds too much of a service's running spot capacity (`metrics.md` section 3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from console.alerts.detecting import SLACK, Detector, Given, Judged, Threshold, one_condition
from console.alerts.readings.running import HeldRow, read_held
from console.alerts.readings.sorting import by_service


@dataclass(frozen=True, slots=True)
class Spread:
    """How spot capacity lies over pools."""

    shares: tuple[float, ...]
    """Of each pool, the largest first."""

    @classmethod
    def of(cls, weights: Iterable[float]) -> Spread:
        given = sorted(weights, reverse=True)
        total = sum(given)
        return cls(tuple(weight / total for weight in given)) if total else cls(())

    @property
    def largest(self) -> float:
        return self.shares[0]

    @property
    def hhi(self) -> float:
        """10,000 · Σs²."""
        return 10_000 * sum(share * share for share in self.shares)

    @property
    def effective(self) -> float:
        """So many equal pools would be as concentrated: 1/Σs²."""
        return 1 / sum(share * share for share in self.shares)


def largest_pool(rows: Sequence[HeldRow]) -> HeldRow:
    return max(rows, key=lambda row: (row.vcpus, row.pool))


def judge_concentration(rows: Iterable[HeldRow], given: Given) -> Iterator[Judged]:
    red, least = given.limits["red"], given.limits["least"]
    for service, held in by_service(rows, given):
        spot = [row for row in held if row.lifecycle == "spot" and row.vcpus > 0]
        if not spot:
            continue
        spread, machines = Spread.of(row.vcpus for row in spot), sum(row.machines for row in spot)
        is_red = machines >= least and spread.largest > red
        name = largest_pool(spot).pool or "a pool that is not known"
        yield Judged(
            scope=service.slug,
            origin=service.origin,
            service_id=service.id,
            title=f"{service.name} depends on one pool",
            text=f"{service.name}: {spread.largest:.0%} of its spot capacity is in {name}; "
            f"{spread.effective:.1f} effective pools, at most {red:.0%} are wanted in one.",
            is_true=is_red,
            is_clear=not is_red and (spread.largest <= (1 - SLACK) * red or machines < least),
            value=spread.largest,
            limit=red,
            inputs={
                "pool": name,
                "machines": machines,
                "pools": len(spread.shares),
                "hhi": round(spread.hhi),
                "effective_pools": round(spread.effective, 3),
            },
        )


DETECTOR = Detector(
    name="concentration",
    title="One pool holds too much",
    about="The largest pool's share of a service's running spot vCPUs passes the limit. Machines whose size is not "
    "reported count as one vCPU each.",
    thresholds=(
        Threshold("red", "Largest share", 0.5, "share", least=0.01, most=0.999),
        Threshold("least", "At least", 5, "spot machines", least=1, most=1e6, is_whole=True),
    ),
    conditions=one_condition("One pool holds too much"),
    read=read_held,
    judge=judge_concentration,
)
