"""M6 and F7 from samples to figure, through the roll-up."""

from __future__ import annotations

from datetime import timedelta

import pytest

from console.fleet.models import Machine, Service
from console.interruptions.measures import WEEK, Dimension, Measure, Scope, Window
from console.interruptions.measures_m2 import Agents, read_agents
from console.interruptions.measures_m6 import Gaps, observability_gap, summary
from console.interruptions.models import Interruption, Signal
from console.interruptions.rollups import roll_up
from console.lib.statistics import Status
from tests.make_fleet import NOON, make_interval, make_machine, make_service
from tests.make_interruptions import make_interruption
from tests.make_records import make_sample

LIVE = Scope("live")
END = NOON - timedelta(minutes=30)
"""When the machine of `reclaim` goes."""


def reclaim(service: Service | None = None) -> Interruption:
    machine = make_machine(**({"service": service} if service else {}))
    return make_interruption(machine=machine, started_at=END - timedelta(minutes=2))


def m6(signal: str = "telemetry", *, by: Dimension | None = None) -> Measure:
    roll_up(now=NOON)
    window = Window.last(WEEK, as_of=NOON)
    agents = read_agents(LIVE, now=NOON)
    found = observability_gap(LIVE, window=window, now=NOON, agents=agents, by=by)
    return next(measure for measure in found if measure.signal == signal)


def heard(seconds: float, machine: Machine | None = None, **fields: object) -> None:
    make_sample(END + timedelta(seconds=seconds), machine=machine, **fields)


@pytest.mark.django_db
def test_seventy_five_seconds_between_two_samples_are_amber() -> None:
    """The example of the definition, 12:00:10 to 12:01:25, five times over; its ends lie between them."""
    for number in range(5):
        lost, next_one = reclaim(), make_machine()
        heard(-50, lost.machine, replica=f"shard-{number}")
        heard(25, next_one, replica=f"shard-{number}", service=lost.service)
    measure = m6()
    assert (measure.n, measure.value, measure.status) == (5, 75, Status.AMBER)
    assert m6("audit").reason == "Not reported: 5 reclaims, and no audit sample from around them."
    groups = m6(by=Dimension.PROVIDER)
    assert (groups.key, groups.n, groups.value) == ("aws", 5, 75)


@pytest.mark.django_db
def test_the_worst_stream_of_a_reclaim_is_its_gap() -> None:
    lost = reclaim(make_service(slug="search"))
    for replica, before, after in (("a", -5, 5), ("b", -40, 100)):
        heard(before, service=lost.service, replica=replica)
        heard(after, service=lost.service, replica=replica)
    assert m6().value == 140


@pytest.mark.django_db
def test_a_stream_of_the_whole_service_goes_on_while_others_send() -> None:
    lost = reclaim(make_service(slug="web"))
    other = make_machine(service=lost.service)
    heard(-58, lost.machine)
    for seconds in (-3, 4):
        heard(seconds, other)
    assert m6().value == 7


@pytest.mark.django_db
def test_no_next_sample_is_an_age_and_grows() -> None:
    lost = reclaim()
    heard(-10, lost.machine, replica="a")
    measure = m6()
    assert (measure.value, measure.is_at_least, measure.figures["silent"]) == (30 * 60 + 10, True, 1)
    heard(600, make_machine(), replica="a", service=lost.service)
    measure = m6()
    assert (measure.value, measure.is_at_least, measure.figures["silent"]) == (610, False, 0)


@pytest.mark.django_db
def test_a_clock_that_runs_ahead_gives_zero_and_is_counted() -> None:
    lost = reclaim()
    heard(-20, lost.machine, replica="a")
    heard(40, lost.machine, replica="a")
    heard(15, make_machine(), replica="a", service=lost.service)
    measure = m6()
    assert (measure.value, measure.figures["skewed"]) == (0, 1)


@pytest.mark.django_db
def test_a_stream_that_had_ended_long_before_is_none() -> None:
    lost = reclaim()
    heard(-3700, lost.machine, replica="a")
    measure = m6()
    assert (measure.n, measure.figures["streamless"]) == (0, 1)


@pytest.mark.django_db
def test_audit_that_stops_a_minute_before_its_machine_is_cut_short() -> None:
    """F7: judged by what the machine itself sent."""
    for seconds in (-61, -59, -2):
        heard(seconds, reclaim().machine, signal="audit")
    reclaim()
    measure = m6("audit")
    assert (measure.figures["nodes"], measure.figures["cut_short"]) == (3, 1)
    assert measure.figures["cut_short_share"] == pytest.approx(1 / 3)


@pytest.mark.django_db
def test_while_agents_are_missing_it_is_not_green() -> None:
    for number in range(5):
        lost = reclaim()
        heard(-5, lost.machine, replica=f"r{number}")
        heard(5, make_machine(), replica=f"r{number}", service=lost.service)
    make_interval(machine=make_machine(heartbeat_at=NOON - timedelta(minutes=10)))
    measure = m6()
    assert (measure.value, measure.status) == (10, Status.AMBER)
    assert measure.reason == "Agents missing: 0% of the running spot machines are heard from."


@pytest.mark.parametrize(
    ("gaps", "status"),
    [
        (Gaps([75.0] * 4), Status.GREY),
        (Gaps([60.0] * 5), Status.GREEN),
        (Gaps([60.0] * 4 + [301.0]), Status.RED),
        (Gaps([5.0] * 4, [20.0]), Status.AMBER),
        (Gaps([5.0] * 4, [400.0]), Status.RED),
        (Gaps([5.0] * 40, [400.0]), Status.GREEN),
    ],
)
def test_the_colour_follows_the_p95_and_an_open_gap_is_never_green(gaps: Gaps, status: Status) -> None:
    assert summary(gaps, signal=Signal.AUDIT, coverage=1.0).status == status
    assert Agents(()).coverage(lambda place: "", "") is None
