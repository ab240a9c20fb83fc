"""M1 and M1b from rows to figure, through the roll-up."""

from __future__ import annotations

from datetime import timedelta

import pytest

from console.fleet.models import Pool, Service
from console.interruptions.measure_reading import Reading, read_counts
from console.interruptions.measures import WEEK, Dimension, Measure, Scope, Window, rolled_up_at
from console.interruptions.measures_m1 import (
    Targets,
    interrupted_share,
    interruption_rate,
    interruption_rate_by,
    weekly_rates,
)
from console.interruptions.models import RateTarget
from console.interruptions.rollups import roll_up
from console.lib.statistics import Status
from tests.make_fleet import NOON, make_interval, make_machine, make_pool, make_service, make_team
from tests.make_interruptions import make_interruption

pytestmark = pytest.mark.django_db
LIVE = Scope("live")
START = NOON - WEEK


def read(scope: Scope = LIVE) -> Reading:
    roll_up(now=NOON)
    return read_counts(scope, Window.last(WEEK, as_of=NOON))


def m1(scope: Scope = LIVE) -> Measure:
    return interruption_rate(read(scope), Targets())


def run_all_week(count: int, *, pool: Pool | None = None, service: Service | None = None) -> None:
    pool, service = pool or make_pool(), service or make_service()
    for _ in range(count):
        make_interval(machine=make_machine(pool=pool, service=service), started_at=START)


def reclaim_in_bunches(*sizes: int, pool: Pool | None = None, service: Service | None = None) -> None:
    """Bunches of the given sizes, an hour apart, their members 100 s apart so that some cross the hour."""
    machine = make_machine(pool=pool or make_pool(), service=service or make_service())
    for number, size in enumerate(sizes):
        for member in range(size):
            at = START + number * timedelta(hours=2) - timedelta(seconds=150 - 100 * member)
            make_interruption(machine=machine, started_at=at + timedelta(hours=3))


def test_eighteen_reclaims_in_300_instance_weeks_are_amber() -> None:
    run_all_week(300)
    reclaim_in_bunches(*[1] * 11, 3, 4)
    rate = m1()
    assert rate.value == pytest.approx(6.0)
    assert rate.n == 18
    assert rate.interval is not None
    assert (round(rate.interval.low, 3), round(rate.interval.high, 3)) == (2.744, 11.390)
    assert rate.figures["phi"] == 2
    assert rate.figures["per_100_instance_hours"] == pytest.approx(0.03571, abs=5e-6)
    assert rate.status == Status.AMBER


def test_no_reclaim_in_forty_instance_weeks_is_green_with_low_confidence() -> None:
    run_all_week(40)
    rate = m1()
    assert rate.value == 0
    assert rate.interval is not None
    assert round(rate.interval.high, 3) == 9.222
    assert (rate.status, rate.is_low_confidence) == (Status.GREEN, True)


def test_below_twenty_instance_weeks_there_is_no_verdict() -> None:
    run_all_week(19)
    rate = m1()
    assert (rate.value, rate.status) == (0, Status.GREY)
    assert "needs 20" in rate.reason


def test_without_inventory_there_is_no_rate() -> None:
    reclaim_in_bunches(1)
    rate = m1()
    assert (rate.value, rate.interval, rate.n, rate.status) == (None, None, 1, Status.GREY)
    assert "inventory" in rate.reason


def test_before_the_first_roll_up_nothing_is_claimed() -> None:
    assert rolled_up_at("live") is None
    roll_up(now=NOON)
    assert rolled_up_at("live") == NOON


def test_hints_withdrawals_and_other_causes_are_not_counted() -> None:
    run_all_week(1)
    for fields in (
        {"state": "at_risk", "ended_at": None},
        {"state": "no_action"},
        {"state": "cancelled"},
        {"cause": "maintenance"},
        {"cause": "customer"},
        {"cause": "unknown"},
        {"origin": "drill"},
    ):
        make_interruption(started_at=NOON - timedelta(days=1), **fields)
    assert m1().n == 0


def test_presumed_reclaims_count_and_their_share_is_shown() -> None:
    run_all_week(1)
    make_interruption(started_at=NOON - timedelta(days=1), state="presumed")
    make_interruption(started_at=NOON - timedelta(days=2))
    rate = m1()
    assert rate.n == 2
    assert any("1 (50%) presumed" in note for note in rate.notes)


def test_an_unexplained_disappearance_stands_beside_the_rate() -> None:
    run_all_week(1)
    for age in (timedelta(hours=25), timedelta(hours=23)):
        make_interruption(started_at=NOON - age, cause="unknown", known_by="vanished")
    rate = m1()
    assert rate.n == 0
    assert rate.figures["unexplained"] == 1
    assert any(note.startswith("+1 unexplained") for note in rate.notes)


def test_an_unknown_lifecycle_is_left_out_and_counted() -> None:
    make_interval(lifecycle="unknown", started_at=NOON - timedelta(hours=10))
    make_interval(lifecycle="on-demand", started_at=NOON - timedelta(hours=10))
    rate = m1()
    assert rate.figures["instance_weeks"] == 0
    assert rate.figures["unknown_instance_hours"] == 10


def test_a_silent_machine_stops_running_90_seconds_after_its_last_heartbeat() -> None:
    machine = make_machine(heartbeat_at=NOON - timedelta(hours=84))
    make_interval(machine=machine, started_at=START)
    make_interval(machine=make_machine(), started_at=START)  # never had an agent: inventory's word
    rate = m1()
    assert rate.figures["instance_weeks"] == pytest.approx(1.5 + 90 / WEEK.total_seconds(), abs=1e-12)
    assert rate.notes == ("1 running interval without an end closed 90 s after the last heartbeat.",)
    assert m1(Scope("live", provider="gcp")).notes == ()


def test_a_machine_that_speaks_again_is_counted_through() -> None:
    machine = make_machine(heartbeat_at=NOON - timedelta(hours=84))
    make_interval(machine=machine, started_at=START)
    roll_up(now=NOON)
    machine.heartbeat_at = NOON
    machine.save(update_fields=["heartbeat_at"])
    assert m1().figures["instance_weeks"] == pytest.approx(1.0)


def test_a_late_end_corrects_hours_long_rolled_up() -> None:
    interval = make_interval(started_at=START)
    assert m1().figures["instance_weeks"] == pytest.approx(1.0)
    interval.ended_at = START + WEEK / 2
    interval.save(update_fields=["ended_at"])
    assert m1().figures["instance_weeks"] == pytest.approx(0.5)


def test_a_reclaim_told_of_days_later_is_counted() -> None:
    run_all_week(1)
    assert m1().n == 0
    late = make_interruption(started_at=NOON - timedelta(days=6))
    assert m1().n == 1
    late.state = "cancelled"
    late.save(update_fields=["state"])
    assert m1().n == 0


def test_the_window_reaches_back_seven_days_and_no_further() -> None:
    run_all_week(1)
    make_interruption(started_at=START - timedelta(seconds=1))
    make_interruption(started_at=START)
    assert m1().n == 1


@pytest.mark.parametrize("dimension", list(Dimension))
def test_every_dimension_groups_and_filters_alike(dimension: Dimension) -> None:
    teams = [make_team(), make_team()]
    places = [
        ("aws", "eu-west-1", "eu-west-1a", "m7i.large"),
        ("gcp", "europe-west4", "europe-west4-b", "n2"),
    ]
    for team, (provider, region, zone, kind), count in zip(teams, places, (1, 3), strict=True):
        pool = make_pool(provider=provider, region=region, zone=zone, instance_type=kind)
        service = make_service(team=team)
        run_all_week(1, pool=pool, service=service)
        reclaim_in_bunches(*[1] * count, pool=pool, service=service)
    groups = interruption_rate_by(read(), Targets(), dimension=dimension)
    assert [group.n for group in groups] == [3, 1]
    for group in groups:
        alone = m1(LIVE.narrowed(dimension, group.key))
        assert (alone.n, alone.value, alone.interval) == (group.n, group.value, group.interval)
        assert f"{dimension}=" in group.rows_url


def test_what_belongs_to_nobody_is_a_visible_row() -> None:
    make_interruption(started_at=NOON - timedelta(hours=1), pool=None)
    groups = interruption_rate_by(read(), Targets(), dimension=Dimension.SERVICE)
    assert [(group.key, group.n) for group in groups] == [("unattributed", 1)]
    teams = interruption_rate_by(read(), Targets(), dimension=Dimension.TEAM)
    assert [(group.key, group.label) for group in teams] == [("unattributed", "Unattributed")]
    pools = interruption_rate_by(read(), Targets(), dimension=Dimension.POOL)
    assert pools[0].label == "pool not reported · eu-west-1"


def test_a_bunch_of_two_services_widens_the_whole_more_than_its_halves() -> None:
    pool, services = make_pool(), [make_service(), make_service()]
    for service in services:
        run_all_week(15, pool=pool, service=service)
        for second in range(2):
            at = NOON - timedelta(days=1, minutes=20) + timedelta(seconds=60 * second)
            make_interruption(machine=make_machine(pool=pool, service=service), started_at=at)
    reading = read()
    assert interruption_rate(reading, Targets()).figures["phi"] == 4
    by_service = interruption_rate_by(reading, Targets(), dimension=Dimension.SERVICE)
    assert [group.figures["phi"] for group in by_service] == [2, 2]


def test_a_class_with_its_own_target_is_judged_by_it() -> None:
    RateTarget.objects.create(label="GPU", provider="aws", type_prefix="p4d", target=60, red=90)
    pool = make_pool(instance_type="p4d.24xlarge")
    run_all_week(20, pool=pool)
    reclaim_in_bunches(*[1] * 6, pool=pool)
    rate = m1()
    assert (rate.value, rate.target, rate.red) == (pytest.approx(30.0), 60, 90)
    assert rate.status == Status.GREEN
    run_all_week(20)
    mixed = m1()
    assert mixed.target == pytest.approx(32.5)
    assert any("weighted" in note for note in mixed.notes)


def test_fifteen_of_320_machines_interrupted_have_the_printed_share() -> None:
    pool, service = make_pool(), make_service()
    machines = [make_machine(pool=pool, service=service) for _ in range(320)]
    for machine in machines:
        make_interval(machine=machine, started_at=START)
    for machine in machines[:15]:
        make_interruption(machine=machine, started_at=NOON - timedelta(days=1))
        make_interruption(machine=machine, started_at=NOON - timedelta(days=2))
    (share,) = interrupted_share(LIVE, window=read().window)
    assert share.value == pytest.approx(0.0469, abs=5e-5)
    assert share.interval is not None
    assert (round(share.interval.low, 4), round(share.interval.high, 4)) == (0.0286, 0.0759)
    grouped = interrupted_share(LIVE, window=read().window, by=Dimension.SERVICE)
    assert [(group.key, group.n) for group in grouped] == [(service.slug, 320)]


def test_the_trend_has_thirteen_weeks_from_monday_quiet_ones_included() -> None:
    run_all_week(25)
    make_interruption(started_at=NOON - timedelta(days=1))
    make_interruption(started_at=NOON - timedelta(days=30))
    roll_up(now=NOON)
    window = Window.weeks(13, as_of=NOON)
    assert (window.since.weekday(), window.since.hour) == (0, 0)
    weeks = weekly_rates(read_counts(LIVE, window, by_week=True), Targets(), weeks=13)
    assert [week.n for week in weeks] == [0] * 8 + [1] + [0] * 3 + [1]
    assert weeks[0].value is None  # nothing is known to have run then
    assert weeks[-1].label == "9 Mar"
