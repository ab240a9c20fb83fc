"""M2 and M2n from rows to figure, through the roll-up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from console.fleet.models import Service
from console.interruptions.measure_reading import read_counts
from console.interruptions.measures import WEEK, Dimension, Measure, Scope, Window
from console.interruptions.measures_m2 import (
    graceful_shutdown,
    graceful_shutdown_by,
    notices_verdict,
    read_agents,
)
from console.interruptions.rollups import roll_up
from console.lib.statistics import Status
from tests.make_fleet import NOON, make_interval, make_machine, make_service
from tests.make_interruptions import make_hook, make_interruption

pytestmark = pytest.mark.django_db
LIVE = Scope("live")
YESTERDAY = NOON - timedelta(days=1)


def m2(scope: Scope = LIVE) -> Measure:
    roll_up(now=NOON)
    reading = read_counts(scope, Window.last(WEEK, as_of=NOON))
    return graceful_shutdown(reading, read_agents(scope, now=NOON))


def reclaim(service: Service, outcome: str = "", **fields: Any) -> None:
    machine = make_machine(service=service)
    interruption = make_interruption(machine=machine, **({"started_at": YESTERDAY} | fields))
    if outcome:
        make_hook(interruption, outcome=outcome)


def agents(service: Service, *, heard: int, silent: int = 0) -> None:
    for number in range(heard + silent):
        at = NOON - timedelta(seconds=30 if number < heard else 600)
        make_interval(
            machine=make_machine(service=service, heartbeat_at=at), started_at=NOON - timedelta(hours=2)
        )


def test_thirty_five_of_forty_is_red_and_of_the_notices_amber() -> None:
    service = make_service()
    for outcome, count in (("complete", 35), ("partial", 2), ("", 1)):
        for _ in range(count):
            reclaim(service, outcome)
    for _ in range(2):
        reclaim(service, known_by="vanished", notice_at=None)
    measure = m2()
    assert (measure.value, measure.n, measure.status) == (0.875, 40, Status.RED)
    assert measure.interval is not None
    assert (round(measure.interval.low, 3), round(measure.interval.high, 3)) == (0.739, 0.945)
    assert measure.figures["m2n"] == pytest.approx(0.921, abs=5e-4)
    assert round(measure.figures["m2n_low"] or 0, 3) == 0.792
    assert round(measure.figures["m2n_high"] or 0, 3) == 0.973
    assert notices_verdict(measure) == Status.AMBER
    stack = [measure.figures[part] for part in ("complete", "partial", "failed", "no_report", "no_notice")]
    assert stack == [35, 2, 0, 1, 2]


def test_a_hook_that_finished_after_the_machine_went_is_no_success() -> None:
    service = make_service()
    interruption = make_interruption(machine=make_machine(service=service), started_at=YESTERDAY)
    make_hook(interruption, finished_at=interruption.ended_at + timedelta(seconds=1))
    measure = m2()
    assert (measure.figures["complete"], measure.figures["partial"]) == (0, 1)
    assert any("after the machine had gone" in note for note in measure.notes)


def test_without_an_end_the_deadline_decides() -> None:
    interruption = make_interruption(started_at=YESTERDAY, state="shut_down", ended_at=None)
    make_hook(interruption, finished_at=interruption.deadline_at)
    assert m2().figures["complete"] == 1


def test_the_last_hook_of_a_retry_decides() -> None:
    interruption = make_interruption(started_at=YESTERDAY)
    make_hook(interruption, outcome="failed", finished_at=YESTERDAY + timedelta(seconds=20))
    make_hook(interruption, outcome="complete", finished_at=YESTERDAY + timedelta(seconds=50))
    assert m2().figures["complete"] == 1


def test_a_shutdown_seen_without_a_hook_is_inferred_and_marked() -> None:
    service = make_service()
    done = YESTERDAY + timedelta(seconds=50)
    reclaim(service, shutdown_completed_at=done)
    reclaim(service, shutdown_completed_at=done, has_drain_error=True)
    reclaim(service, "partial", shutdown_completed_at=done)
    measure = m2()
    assert [measure.figures[part] for part in ("complete", "partial", "failed")] == [1, 1, 1]
    assert any(note.startswith("2 inferred") for note in measure.notes)


def test_within_15_minutes_of_the_end_nothing_is_judged() -> None:
    service = make_service()
    reclaim(service, "complete")
    reclaim(service, started_at=NOON - timedelta(minutes=16, seconds=59))
    measure = m2()
    assert (measure.n, measure.figures["undecided"]) == (1, 1)
    roll_up(now=NOON + timedelta(seconds=59))
    later = read_counts(LIVE, Window.last(WEEK, as_of=NOON + timedelta(seconds=59)))
    judged = graceful_shutdown(later, read_agents(LIVE, now=NOON))
    assert (judged.n, judged.figures["no_report"]) == (2, 1)


def test_a_service_that_never_reported_is_grey_and_left_out_of_the_whole() -> None:
    deaf, telling = make_service(slug="deaf"), make_service(slug="telling")
    for _ in range(20):
        reclaim(deaf)
        reclaim(telling, "complete")
    measure = m2()
    assert (measure.value, measure.n) == (1.0, 20)
    assert "20 reclaims of 1 service left out: not instrumented." in measure.notes
    alone = m2(Scope("live", service="deaf"))
    assert (alone.value, alone.status) == (None, Status.GREY)
    assert alone.reason.startswith("Not instrumented")


def test_below_95_percent_agent_coverage_nothing_is_green() -> None:
    service = make_service()
    for _ in range(100):
        reclaim(service, "complete")
    agents(service, heard=18, silent=2)
    measure = m2()
    assert (measure.value, measure.status) == (1.0, Status.AMBER)
    assert measure.reason.startswith("Agents missing: 90%")
    agents(service, heard=20)
    assert m2().status == Status.GREEN


def test_unknown_coverage_is_not_green_either() -> None:
    service = make_service()
    for _ in range(100):
        reclaim(service, "complete")
    measure = m2()
    assert measure.status == Status.AMBER
    assert "unknown" in measure.reason


def test_fewer_than_ten_reclaims_get_no_verdict() -> None:
    service = make_service()
    for _ in range(9):
        reclaim(service, "complete")
    measure = m2()
    assert (measure.status, measure.reason) == (Status.GREY, "9 reclaims; a verdict needs 10.")


def test_hooks_that_used_most_of_the_notice_are_counted_as_slow() -> None:
    service = make_service()
    for provider, seconds in (("aws", 97), ("aws", 95), ("gcp", 25), ("gcp", 23)):
        machine = make_machine(service=service, provider=provider)
        interruption = make_interruption(
            machine=machine,
            started_at=YESTERDAY,
            deadline_at=None if provider == "gcp" else YESTERDAY + timedelta(seconds=120),
        )
        make_hook(interruption, finished_at=YESTERDAY + timedelta(seconds=seconds))
    assert m2().figures["slow_share"] == 0.5


def test_it_groups_by_team_and_names_the_rows() -> None:
    service = make_service()
    for _ in range(10):
        reclaim(service, "failed")
    roll_up(now=NOON)
    reading = read_counts(LIVE, Window.last(WEEK, as_of=NOON))
    (group,) = graceful_shutdown_by(reading, read_agents(LIVE, now=NOON), dimension=Dimension.TEAM)
    assert (group.key, group.value, group.status) == ("unattributed", 0.0, Status.RED)
    assert "team=unattributed" in group.rows_url
