"""Detectors: rows in, judgements out. The vectors are those of the metric definitions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from console.alerts.detecting import Given, Judged, ServiceRow
from console.alerts.detectors.capacity_at_risk import Rows
from console.alerts.detectors.cascade import Limits, Reclaim, Stock, find_service_cascade
from console.alerts.detectors.concentration import Spread
from console.alerts.detectors.lost_work import lost_fraction, range_of
from console.alerts.readings.hooks import HookRow
from console.alerts.readings.moves import MoveRow
from console.alerts.readings.rates import RateRow
from console.alerts.readings.running import AgentsRow, HeldRow, NeedRow
from console.alerts.readings.signals import AuditRow, GapRow
from console.alerts.readings.state import ReplicaRow, WorkRow
from console.alerts.registry import detector, known
from console.interruptions.measure_reading import Counts
from console.interruptions.models.rollup import COUNTS
from tests.make_fleet import NOON

CHECKOUT = ServiceRow(1, "live", "checkout", "Checkout", "critical")


def judge(name: str, rows: Any, **limits: float) -> list[Judged]:
    found = detector(name)
    assert found.judge is not None
    given = Given(found.defaults | limits, {1: CHECKOUT}, NOON)
    return list(found.judge(rows, given))


def one(name: str, rows: Any, **limits: float) -> Judged:
    (only,) = judge(name, rows, **limits)
    assert (only.scope, only.origin, only.service_id) == ("checkout", "live", 1)
    return only


def hooks(*outcomes: str, share: float = 0.5) -> list[HookRow]:
    return [HookRow(1, outcome, 120 * share, 120) for outcome in outcomes]


def moves(*seconds: float | None, kind: str = "stateless", age: float = 0) -> list[MoveRow]:
    """Evicted `age` or an hour ago; None: pending."""
    return [_move(s, kind, age or 3600) for s in seconds]


def _move(seconds: float | None, kind: str, age: float) -> MoveRow:
    start = NOON - timedelta(seconds=age)
    return MoveRow(
        1, kind, "shop/web", start, None if seconds is None else start + timedelta(seconds=seconds)
    )


def recoveries(*seconds: float | None) -> list[ReplicaRow]:
    start = NOON - timedelta(hours=1)
    return [ReplicaRow(1, start, None if s is None else start + timedelta(seconds=s)) for s in seconds]


def shutdowns(**counts: int) -> list[RateRow]:
    values = dict.fromkeys(COUNTS, 0) | {f"{name}_count": number for name, number in counts.items()}
    return [RateRow(1, counts["reclaim"], 50, counts=Counts(values[name] for name in COUNTS))]


def gaps(*seconds: float, is_open: bool = False) -> list[GapRow]:
    return [GapRow(1, s, is_open) for s in seconds]


def audits(*seconds: float) -> list[AuditRow]:
    return [AuditRow(1, s) for s in seconds]


def held(on_demand: int = 0, **pools: int) -> list[HeldRow]:
    rows = [
        HeldRow(1, n, pool, "spot", vcpus, float(vcpus)) for n, (pool, vcpus) in enumerate(pools.items(), 1)
    ]
    return rows + ([HeldRow(1, 99, "od", "on-demand", on_demand, float(on_demand))] if on_demand else [])


def jobs(*pairs: tuple[float, float]) -> list[WorkRow]:
    return [WorkRow.of(1, list(pairs))]


@dataclass(frozen=True)
class Case:
    """What a detector says of these rows."""

    name: str
    rows: Iterable[Any]
    is_true: bool
    text: str = ""
    limits: Mapping[str, float] = field(default_factory=dict)


VECTORS = [
    Case("interruption_rate", [RateRow(1, 18, 300.0, 1.0)], False, "6.0 reclaims per 100 instance-weeks"),
    Case("interruption_rate", [RateRow(1, 18, 300.0, 2.0)], False, "(2.7-11.4)"),
    Case("interruption_rate", [RateRow(1, 31, 300.0)], True),
    Case("interruption_rate", [RateRow(1, 18, 19.0)], False),
    Case("interruption_rate", [RateRow(1, 31, 300.0, parts=((300.0, 50.0, 80.0),))], False, "the target is 50"),
    Case("graceful_shutdown", shutdowns(reclaim=40, complete=35, partial=2, no_report=1, no_notice=2), True,
         "35 of 40 reclaims in 7 days ended with a completed hook (87.5%; 73.9%-94.5%)"),
    Case("graceful_shutdown", shutdowns(reclaim=40, complete=38), False),
    Case("graceful_shutdown", shutdowns(reclaim=9, complete=2), False),
    Case("agent_coverage", [AgentsRow(1, 20, 18, 20)], True, "18 of 20 running spot machines"),
    Case("agent_coverage", [AgentsRow(1, 20, 19, 20)], False),
    Case("agent_coverage", [AgentsRow(1, 2, 1, 2)], False),
    Case("long_shutdown", hooks("complete", "complete", "complete", share=0.81), True, "3 of 3 hooks"),
    Case("long_shutdown", hooks("complete", "complete", share=0.99), False),
    Case("long_shutdown", hooks(*["complete"] * 5, share=0.8), False),
    Case("slow_reschedule", moves(12, 14, 18, 21, 22, 25, 27, 29, 34, 55, None), True,
         "p95 of 11 stateless moves over 1 h 00 min"),
    Case("slow_reschedule", moves(12, 14, 18, 21, 22), False, "p95 of 5 stateless moves 22 s, target 30 s"),
    Case("slow_reschedule", moves(90, 90, 90, 90), False),
    Case("slow_reschedule", moves(90, 90, 90, 90, 90, kind="batch"), False),
    Case("pending_moves", moves(None, age=301), True, "1 workload pending for more than 5 min 00 s: shop/web"),
    Case("pending_moves", moves(None, 40, age=299), False),
    Case("lost_work", jobs((36000, 1800), (7200, 0), (18000, 3600)), False, "8.1% of the work of 3 jobs"),
    Case("lost_work", jobs((6000, 4000), (6000, 4000), (6000, 4000)), True),
    Case("lost_work", jobs((6000, 4000), (6000, 4000)), False),
    Case("partial_hooks", hooks("partial", "partial", "partial", "complete"), True, "3 of 4 hooks were cut short"),
    Case("partial_hooks", hooks("partial", "partial", "failed"), False),
    Case("failed_hooks", hooks("failed", "failed", "failed"), True, "3 of 3 hooks failed in 24 h"),
    Case("failed_hooks", hooks("failed", "failed", "failed", *["complete"] * 40), False),
    Case("replica_recovery", recoveries(48, 75, 96, 110, 131), True, "p95 of 5 recoveries in 24 h 2 min 11 s"),
    Case("replica_recovery", recoveries(48, 75, 96, 110, 119), False),
    Case("replica_recovery", recoveries(48, 75, 96, 110, None), True, "over 1 h 00 min"),
    Case("observability_gap", gaps(75, 75, 75, 75, 75), False, "p95 of the telemetry gap around 5 reclaims"),
    Case("observability_gap", gaps(75, 75, 75, 75, 301), True),
    Case("observability_gap", gaps(301, 301, 301, 301), False),
    Case("audit_cut_short", audits(61, 0, 0, 0, 0), True, "1 of 5 interrupted nodes"),
    Case("audit_cut_short", audits(60, 0, 0, 0, 0), False),
    Case("concentration", held(a=60, b=25, c=15), True, "60% of its spot capacity is in a; 2.2 effective pools"),
    Case("concentration", held(a=50, b=50), False),
    Case("concentration", held(a=4), False),
    Case("capacity_at_risk", Rows(held(40, a=36, b=24), [NeedRow(1, 100, 70)]), True,
         "without a about 64 of 100 replicas are left, it needs 70: short by 6."),
    Case("capacity_at_risk", Rows(held(40, a=36, b=24), [NeedRow(1, 100, 64)]), False),
]  # fmt: skip


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: f"{case.name}-{case.is_true}")
def test_each_detector_says_what_the_definitions_say(case: Case) -> None:
    judged = one(case.name, case.rows, **case.limits)
    assert judged.is_true is case.is_true
    assert case.text in judged.text
    assert judged.text.startswith("Checkout: ")


def test_what_is_not_known_is_not_judged_and_never_fine() -> None:
    silent = [RateRow(1, 40, 50, is_reporting=False, counts=shutdowns(reclaim=40)[0].counts)]
    assert judge("graceful_shutdown", silent) == []
    assert judge("agent_coverage", [AgentsRow(1, 20, 0, 0)]) == []
    assert judge("capacity_at_risk", Rows(held(40, a=36), [])) == []
    assert judge("interruption_rate", [RateRow(7, 18, 300.0)]) == []


def test_what_fires_has_to_come_back_within_its_limit_before_it_is_over() -> None:
    near = one("observability_gap", gaps(290, 290, 290, 290, 290))
    assert (near.is_true, near.is_over) == (False, False)
    assert one("observability_gap", gaps(270, 270, 270, 270, 270)).is_over


def test_the_range_of_lost_work_and_the_spread_of_pools_are_those_of_the_definitions() -> None:
    row = WorkRow.of(1, [(36000, 1800), (7200, 0), (18000, 3600)])
    assert lost_fraction(row) == pytest.approx(0.08108, abs=1e-5)
    interval = range_of(row)
    assert interval is not None
    assert (interval.low, interval.high) == (0, pytest.approx(0.1645, abs=1e-4))
    spread = Spread.of([60, 25, 15])
    assert (spread.hhi, spread.effective) == (pytest.approx(4450), pytest.approx(2.247, abs=1e-3))


def test_a_service_alone_can_cascade() -> None:
    reclaims = [Reclaim(n, n, n, NOON + timedelta(seconds=n)) for n in range(4)]
    found = find_service_cascade(reclaims, Stock(40), fresh={3})
    assert found is not None
    assert found.chance == pytest.approx(1.08e-14, rel=5e-3)
    assert find_service_cascade(reclaims[:3], Stock(400), fresh={2}) is None
    assert find_service_cascade(reclaims, Stock(40), fresh={3}, limits=Limits(least=5)) is None


@pytest.mark.django_db
def test_every_detector_has_limits_within_their_ranges_and_a_table_for_every_class() -> None:
    for found in known().values():
        for limit in found.thresholds:
            assert limit.least <= limit.default <= limit.most, (found.name, limit.name)
        assert list(found.impossible(found.defaults)) == [], found.name
        for condition in found.conditions:
            assert set(condition.row.values()) <= {"page", "ticket", "log"}
            assert set(condition.row) == {"critical", "user_facing", "batch", "best_effort", "platform"}
