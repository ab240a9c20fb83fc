"""M3 from rows to figure, through the roll-up."""

from __future__ import annotations

from datetime import timedelta

import pytest

from console.fleet.models import Statefulness
from console.interruptions.measures import WEEK, Dimension, Measure, Scope, Window
from console.interruptions.measures_m3 import Latencies, reschedule_latency, summary
from console.interruptions.rollups import roll_up
from console.lib.statistics import Status
from tests.make_fleet import NOON, make_machine, make_service
from tests.make_interruptions import make_interruption, make_move

LIVE = Scope("live")
SECONDS = (12.0, 14, 18, 21, 22, 25, 27, 29, 34, 55)
AN_HOUR_AGO = NOON - timedelta(hours=1)


def m3(workload_class: Statefulness = Statefulness.STATELESS, *, length: timedelta = WEEK) -> Measure:
    roll_up(now=NOON)
    window = Window.last(length, as_of=NOON)
    found = reschedule_latency(LIVE, window=window, now=NOON)
    return {measure.workload_class: measure for measure in found}[workload_class]


@pytest.mark.django_db
def test_ten_moves_and_one_pending_are_amber() -> None:
    interruption = make_interruption(started_at=NOON - timedelta(seconds=95))
    for seconds in (*SECONDS, None):
        make_move(interruption, seconds=seconds)
    measure = m3()
    assert (measure.n, measure.figures["p50"], measure.status) == (11, 25, Status.AMBER)
    assert (measure.value, measure.is_at_least) == (95, True)
    assert measure.figures["within_target"] == pytest.approx(0.727, abs=5e-4)
    assert measure.interval is not None
    assert (round(measure.interval.low, 3), round(measure.interval.high, 3)) == (0.434, 0.903)
    assert measure.notes == ("1 stateless moves still pending: they count as longer than any.",)


@pytest.mark.django_db
def test_a_move_that_ends_late_stops_being_pending() -> None:
    move = make_move(make_interruption(started_at=NOON - timedelta(days=4)), seconds=None)
    assert m3().figures["pending"] == 1
    move.running_at = move.evicted_at + timedelta(hours=70)
    move.save(update_fields=["running_at"])
    measure = m3()
    assert (measure.figures["pending"], measure.value) == (0, 70 * 3600)


@pytest.mark.django_db
def test_the_clock_starts_with_the_first_of_drain_eviction_and_end() -> None:
    drained = make_interruption(started_at=AN_HOUR_AGO, drain_started_at=AN_HOUR_AGO + timedelta(seconds=10))
    make_move(drained, seconds=20, evicted_at=AN_HOUR_AGO + timedelta(seconds=30))
    gone = make_interruption(started_at=AN_HOUR_AGO, ended_at=AN_HOUR_AGO + timedelta(seconds=5))
    make_move(gone, seconds=10, evicted_at=AN_HOUR_AGO + timedelta(seconds=60))
    measure = m3()
    assert (measure.figures["p50"], measure.value) == (40, 65)


@pytest.mark.django_db
def test_classes_and_windows_are_kept_apart() -> None:
    recent = make_interruption(started_at=AN_HOUR_AGO)
    old = make_interruption(started_at=NOON - timedelta(days=3))
    for seconds in (100, 200, 250, 260, 280):
        make_move(recent, seconds=seconds, workload_class="batch")
        make_move(old, seconds=seconds + 1000, workload_class="batch")
    day = m3(Statefulness.BATCH, length=timedelta(hours=24))
    assert (day.n, day.value, day.status, day.target) == (5, 280, Status.GREEN, 300)
    assert m3(Statefulness.BATCH).n == 10
    assert m3().n == 0


@pytest.mark.django_db
def test_moves_of_rollouts_and_hints_are_no_reschedule() -> None:
    hint = make_interruption(started_at=AN_HOUR_AGO, state="no_action")
    make_move(hint, seconds=5)
    rollout = make_move(make_interruption(started_at=AN_HOUR_AGO), seconds=7)
    rollout.interruption = None
    rollout.save(update_fields=["interruption"])
    assert m3().n == 0


@pytest.mark.django_db
def test_it_groups_by_service() -> None:
    for slug, seconds in (("quick", 4), ("slow", 90)):
        machine = make_machine(service=make_service(slug=slug))
        interruption = make_interruption(machine=machine, started_at=AN_HOUR_AGO)
        for _ in range(5):
            make_move(interruption, seconds=seconds)
    roll_up(now=NOON)
    window = Window.last(WEEK, as_of=NOON)
    groups = reschedule_latency(LIVE, window=window, now=NOON, by=Dimension.SERVICE)
    assert [(group.key, group.value, group.status) for group in groups] == [
        ("quick", 4, Status.GREEN),
        ("slow", 90, Status.RED),
    ]


def test_four_moves_get_no_verdict() -> None:
    measure = summary(Latencies([1.0, 2, 3, 4]), workload_class=Statefulness.STATELESS)
    assert (measure.status, measure.reason) == (Status.GREY, "4 moves; a verdict needs 5.")


def test_a_median_on_the_target_is_red() -> None:
    measure = summary(Latencies([30.0] * 5), workload_class=Statefulness.STATELESS)
    assert measure.status == Status.RED


def test_nothing_moved_is_not_zero_seconds() -> None:
    measure = summary(Latencies(()), workload_class=Statefulness.BATCH)
    assert (measure.value, measure.interval, measure.status) == (None, None, Status.GREY)
