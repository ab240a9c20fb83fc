"""M4 from work records to figure, through the roll-up."""

from __future__ import annotations

from datetime import timedelta

import pytest

from console.interruptions.measures import WEEK, Dimension, Measure, Scope, Window
from console.interruptions.measures_m4 import Jobs, lost_work, summary
from console.interruptions.models import Interruption
from console.interruptions.rollups import roll_up
from console.lib.statistics import Status
from tests.make_fleet import NOON, make_machine, make_service
from tests.make_interruptions import make_interruption
from tests.make_records import make_sample, make_work

LIVE = Scope("live")
AN_HOUR_AGO = NOON - timedelta(hours=1)


def m4(*, by: Dimension | None = None) -> list[Measure]:
    roll_up(now=NOON)
    return lost_work(LIVE, window=Window.last(WEEK, as_of=NOON), by=by)


def batch_reclaim(slug: str = "etl") -> Interruption:
    machine = make_machine(service=make_service(slug=slug, statefulness="batch"))
    return make_interruption(machine=machine, started_at=AN_HOUR_AGO)


@pytest.mark.django_db
def test_three_jobs_are_green_with_low_confidence() -> None:
    """The example of the definition: 5,400 s of 66,600 s, 0 to 16.45 %."""
    reclaim = batch_reclaim()
    for useful, lost in ((36000, 1800), (7200, 0), (18000, 3600)):
        make_work(reclaim, useful=useful, lost=lost, restart_seconds=30)
    (measure,) = m4()
    assert measure.value == pytest.approx(0.08108, abs=5e-6)
    assert measure.interval is not None
    assert (measure.interval.low, round(measure.interval.high, 4)) == (0, 0.1645)
    assert (measure.n, measure.status, measure.is_low_confidence) == (3, Status.GREEN, True)
    assert measure.figures["restart_seconds"] == 90


@pytest.mark.django_db
def test_the_attempts_at_a_job_are_one_job_wherever_they_ran() -> None:
    for number in range(2):
        make_work(batch_reclaim(f"etl-{number}"), job="nightly", useful=100, lost=10)
    first = batch_reclaim("shared")
    second = make_interruption(
        machine=make_machine(service=first.service), started_at=NOON - timedelta(days=2)
    )
    make_work(first, job="nightly", attempt=2, useful=100, lost=0)
    make_work(second, job="nightly", attempt=1, useful=50, lost=50)
    (measure,) = m4()
    assert (measure.n, measure.value) == (3, pytest.approx(70 / 420))
    groups = {group.key: (group.n, group.value) for group in m4(by=Dimension.SERVICE)}
    assert groups["shared"] == (1, 50 / 200)


@pytest.mark.django_db
def test_work_of_no_reclaim_counts_and_that_of_other_causes_does_not() -> None:
    machine = make_machine()
    make_work(machine=machine, at=NOON - timedelta(days=3), useful=900, lost=0)
    make_work(make_interruption(cause="maintenance", started_at=AN_HOUR_AGO), useful=100, lost=900)
    make_work(make_interruption(state="cancelled", started_at=AN_HOUR_AGO), useful=100, lost=900)
    make_work(make_interruption(started_at=AN_HOUR_AGO), useful=0, lost=100)
    (measure,) = m4()
    assert (measure.n, measure.value) == (2, 0.1)


@pytest.mark.django_db
def test_without_a_report_all_since_the_last_checkpoint_is_assumed_lost() -> None:
    """A report that came before the reclaim tells of work under way; a reclaim goes 120 s after its notice."""
    reclaim = batch_reclaim()
    before = AN_HOUR_AGO - timedelta(minutes=30)
    make_work(
        machine=reclaim.machine, at=before, last_checkpoint_at=before, useful=3600, lost=0, job="training"
    )
    (measure,) = m4()
    assert measure.figures["assumed"] == 1
    assert (measure.figures["lost_seconds"], measure.figures["useful_seconds"]) == (1920, 3600)
    assert measure.notes[0].startswith("1 assumed: no job report")
    assert (measure.status, measure.reason) == (Status.GREY, "1 job; a verdict needs 3.")


@pytest.mark.django_db
def test_the_node_s_own_checkpoints_do_where_no_job_reports() -> None:
    reclaim = batch_reclaim()
    for minutes in (95, 65, 5):
        make_sample(
            reclaim.started_at - timedelta(minutes=minutes), machine=reclaim.machine, signal="checkpoint"
        )
    (measure,) = m4()
    assert (measure.figures["lost_seconds"], measure.figures["useful_seconds"]) == (420, 5400)
    assert measure.n == 1


@pytest.mark.django_db
def test_a_report_that_comes_after_all_replaces_what_was_assumed() -> None:
    reclaim = batch_reclaim()
    make_sample(reclaim.started_at - timedelta(minutes=5), machine=reclaim.machine, signal="checkpoint")
    assert m4()[0].figures["assumed"] == 1
    make_work(reclaim, useful=1000, lost=12)
    (measure,) = m4()
    assert (measure.figures["assumed"], measure.figures["lost_seconds"]) == (0, 12)


@pytest.mark.django_db
def test_batch_work_that_nobody_reports_is_grey_and_never_zero() -> None:
    batch_reclaim()
    (measure,) = m4()
    assert (measure.value, measure.status) == (None, Status.GREY)
    assert measure.reason == "Not reported: 1 reclaims of batch work, and no job told what it lost."


@pytest.mark.django_db
def test_where_only_tasks_are_counted_retries_are_the_share() -> None:
    reclaim = batch_reclaim()
    for number in range(40):
        make_work(reclaim, useful=0, lost=0, job=f"task-{number}", attempt=2 if number < 10 else 1)
    (measure,) = m4()
    assert (measure.value, measure.n, measure.status) == (0.25, 40, Status.RED)
    assert measure.interval is not None
    assert (round(measure.interval.low, 3), round(measure.interval.high, 3)) == (0.142, 0.402)
    assert "By task counts" in measure.notes[0]


def test_a_loss_that_is_surely_above_the_target_is_red() -> None:
    assert summary(Jobs.of([(850, 150)] * 3)).status == Status.RED  # the whole interval misses 10 %
    assert summary(Jobs.of([(100, 0), (100, 0), (60, 40)])).status == Status.AMBER
    assert summary(Jobs.of([(100, 50)] * 2)).status == Status.GREY
