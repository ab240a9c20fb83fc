"""Waves: what a cascade of a pool or zone becomes, from changed interruptions to groups."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from console.alerts import pipeline
from console.alerts.detectors.cascade import Stock
from console.alerts.models import AlertGroup, GroupMember, Receipt
from console.alerts.wave_reading import Extent, PoolNow, Zone
from console.alerts.wave_words import title_of
from console.fleet.models import Machine
from tests.make_fleet import NOON, make_machine, make_pool, make_service
from tests.make_reclaims import alert, make_reclaim, make_running, second, tell

pytestmark = pytest.mark.django_db
MINUTE = 60


def reclaim(machines: Sequence[Machine], *, at: float = 0, every: float = 2, **fields: Any) -> list[Any]:
    return [make_reclaim(m, at=at + every * n, **fields) for n, m in enumerate(machines)]


def waves() -> list[AlertGroup]:
    return list(AlertGroup.objects.filter(key__startswith="wave:").order_by("pk"))


def wave() -> AlertGroup:
    (only,) = waves()
    return only


def group_of(service: Any) -> AlertGroup:
    return AlertGroup.objects.get(key=f"service:{service.pk}")


def test_a_cascade_of_a_pool_opens_one_wave_that_names_the_pool() -> None:
    pool = make_pool(zone="us-east-1b", region="us-east-1", instance_type="m6i.large")
    for kind in ("m5.large", "c6i.large", "r6i.large"):
        make_running(make_pool(zone="us-east-1b", region="us-east-1", instance_type=kind), 5)
    machines = make_running(pool, 60)
    reclaim(machines[:41], every=3.25)
    alert(MINUTE * 3)
    assert wave().key == "wave:aws/us-east-1/us-east-1b"
    assert wave().pool == pool
    assert wave().title == "m6i.large in us-east-1b: 41 of 60 reclaimed in 2 min 10 s; 3 sibling pools quiet"
    assert wave().member_count == 41


def test_the_groups_of_the_services_hit_are_the_waves_children() -> None:
    checkout, search, elsewhere = (make_service(name=name) for name in ("Checkout", "Search", "Elsewhere"))
    pool, other = make_pool(), make_pool(zone="eu-west-1b")
    reclaim([*make_running(pool, 6, service=checkout)[:4], *make_running(pool, 6, service=search)[:2]])
    reclaim(make_running(other, 20, service=elsewhere)[:1])
    alert(30)
    children = AlertGroup.objects.filter(parent=wave())
    assert {child.service for child in children} == {checkout, search}
    assert group_of(elsewhere).parent is None
    assert wave().impact == "2 services hit: Checkout, Search; 6 of 6 machines still running"


def test_a_wave_is_as_severe_as_the_worst_service_it_hits() -> None:
    critical = make_service(criticality="critical")
    machines = [*make_running(make_pool(), 5), *make_running(make_pool(), 5, service=critical)]
    reclaim(machines[:4])
    alert(30)
    assert wave().severity == "warning"
    reclaim(machines[5:6], at=20)
    alert(60)
    assert wave().severity == "error"


def test_two_of_a_pool_are_no_wave_and_the_third_makes_it_one() -> None:
    machines = make_running(make_pool(), 20)
    reclaim(machines[:2])
    alert(30)
    assert waves() == []
    reclaim(machines[2:3], at=100)
    alert(120)
    assert wave().member_count == 3


def test_machines_join_a_wave_until_ten_minutes_are_quiet() -> None:
    machines = make_running(make_pool(), 30)
    reclaim(machines[:4], every=0)
    alert(30)
    reclaim(machines[4:5], at=10 * MINUTE)
    alert(10 * MINUTE + 5)
    assert wave().member_count == 5
    reclaim(machines[5:6], at=20 * MINUTE + 1)
    alert(20 * MINUTE + 5)
    assert wave().member_count == 5


def test_a_second_pool_that_cascades_widens_the_wave_to_its_zone() -> None:
    one, two = make_pool(), make_pool(instance_type="c7i.large")
    first, then = make_running(one, 20), make_running(two, 20)
    reclaim(first[:5])
    stray = reclaim(then[:1], at=5)
    alert(30)
    assert wave().pool == one
    assert not GroupMember.objects.filter(group=wave(), interruption=stray[0]).exists()
    reclaim(then[1:5], at=60)
    alert(90)
    assert wave().pool is None
    assert wave().member_count == 10
    assert wave().title == "eu-west-1a: 10 of 40 reclaimed in 1 min 6 s; 2 of 2 pools hit, none quiet"


def test_a_sibling_pools_single_reclaim_does_not_join_a_pools_wave_but_is_no_longer_quiet() -> None:
    make_running(make_pool(instance_type="r7i.large"), 5)
    sibling = make_running(make_pool(instance_type="c7i.large"), 20)
    reclaim(make_running(make_pool(), 20)[:5])
    reclaim(sibling[:1], at=3)
    alert(30)
    assert wave().member_count == 5
    assert wave().title.endswith("5 of 20 reclaimed in 8 s; 1 of 2 sibling pools quiet")


ZONE = Zone("live", "aws", "us-east-1", "use1-az2")
M6I, C7I, R7I, M5, IDLE = range(1, 6)


@pytest.mark.parametrize(
    ("pool", "hit", "running", "wanted"),
    [
        (M6I, {M6I}, {M6I: 60}, "m6i.large in use1-az2: 41 of 60 reclaimed in 2 min 10 s"),
        (M6I, {M6I}, {M6I: 60, C7I: 5}, "m6i.large in use1-az2: 41 of 60 reclaimed in 2 min 10 s; 1 sibling pool quiet"),
        (M6I, {M6I}, {M6I: 60, C7I: 5, R7I: 1, M5: 9}, "m6i.large in use1-az2: 41 of 60 reclaimed in 2 min 10 s; 3 sibling pools quiet"),
        (M6I, {M6I, C7I}, {M6I: 60, C7I: 5, R7I: 1, M5: 9}, "m6i.large in use1-az2: 41 of 60 reclaimed in 2 min 10 s; 2 of 3 sibling pools quiet"),
        (M6I, {M6I, C7I}, {M6I: 60}, "m6i.large in use1-az2: 41 of 60 reclaimed in 2 min 10 s; 0 of 1 sibling pool quiet"),
        (None, {M6I, C7I}, {M6I: 60, C7I: 5, R7I: 1, M5: 9}, "use1-az2: 41 of 75 reclaimed in 2 min 10 s; 2 of 4 pools hit, 2 quiet"),
        (None, {M6I, C7I}, {M6I: 60, C7I: 5}, "use1-az2: 41 of 65 reclaimed in 2 min 10 s; 2 of 2 pools hit, none quiet"),
        (None, {M6I}, {M6I: 60}, "use1-az2: 41 of 60 reclaimed in 2 min 10 s"),
        (None, {M6I, C7I}, {}, "use1-az2: 41 reclaimed in 2 min 10 s; 2 of 2 pools hit, none quiet; no inventory"),
    ],
)  # fmt: skip
def test_a_waves_title_says_what_its_siblings_do(
    pool: int | None, hit: set[int], running: dict[int, int], wanted: str
) -> None:
    names = {M6I: "m6i.large", C7I: "c7i.large", R7I: "r7i.large", M5: "m5.large", IDLE: "t3.micro"}
    pools = [PoolNow(pk, kind, "linux", Stock(running.get(pk, 0), 0, 0), pk in hit) for pk, kind in names.items()]  # fmt: skip
    extent = Extent(41, NOON, NOON + timedelta(seconds=130))
    assert title_of(ZONE, pool, extent, pools) == wanted


def test_a_title_that_is_too_long_loses_of_its_scopes_name_and_not_its_figures() -> None:
    kinds = {M6I: "custom-" + "x" * 250, C7I: "c7i.large"}
    pools = [PoolNow(pk, kind, "", Stock(60, 0, 0), pk == M6I) for pk, kind in kinds.items()]
    title = title_of(ZONE, M6I, Extent(41, NOON, NOON + timedelta(seconds=130)), pools)
    assert len(title) == 200
    assert title.endswith("…: 41 of 60 reclaimed in 2 min 10 s; 1 sibling pool quiet")


def test_without_inventory_ten_machines_of_a_zone_are_a_wave() -> None:
    machines = [make_machine(zone="", region="eu-west-1", instance_type="") for _ in range(10)]
    reclaim(machines[:9])
    alert(30)
    assert waves() == []
    reclaim(machines[9:], at=20)
    alert(60)
    assert wave().key == "wave:aws/eu-west-1/-"
    assert wave().title == "eu-west-1: 10 reclaimed in 20 s; no inventory"


def test_late_reclaims_and_replays_open_no_wave() -> None:
    machines = make_running(make_pool(), 20)
    reclaim(machines[:5], is_late=True)
    reclaim(machines[5:10], is_replay=True)
    reclaim(machines[10:], at=-3 * 3600)
    alert(30)
    assert waves() == []


def test_hints_withdrawals_and_other_causes_are_no_evidence() -> None:
    machines = make_running(make_pool(), 12)
    reclaim(machines[:3], state="at_risk")
    reclaim(machines[3:6], state="cancelled")
    reclaim(machines[6:9], cause="maintenance")
    reclaim(machines[9:11])
    alert(30)
    assert waves() == []


def test_a_hint_that_becomes_a_notice_counts_from_then_on() -> None:
    hints = reclaim(make_running(make_pool(), 10)[:3], state="at_risk")
    alert(10)
    for hint in hints:
        tell(hint, state="noticed")
    alert(20)
    assert wave().member_count == 3


def test_origins_have_waves_of_their_own() -> None:
    for origin in ("live", "sample"):
        reclaim(make_running(make_pool(origin=origin), 10, service=make_service(origin=origin))[:4])
    alert(30)
    assert sorted((w.origin, w.member_count) for w in waves()) == [("live", 4), ("sample", 4)]


def test_a_wave_heals_and_closes_as_its_machines_do() -> None:
    reclaims = reclaim(make_running(make_pool(), 10)[:4], every=0)
    alert(30)
    for one in reclaims:
        tell(one, state="ended", ended_at=second(100))
    alert(110)
    assert wave().is_open
    alert(100 + 10 * MINUTE)
    assert (wave().status, wave().resolution) == ("resolved", "healed")


def test_a_cascade_soon_after_its_wave_closed_reopens_that_wave() -> None:
    machines = make_running(make_pool(), 30)
    first = reclaim(machines[:4], every=0)
    alert(30)
    for one in first:
        tell(one, state="ended", ended_at=second(100))
    alert(100 + 10 * MINUTE)
    reclaim(machines[4:8], at=20 * MINUTE, every=0)
    alert(20 * MINUTE + 5)
    assert wave().is_open
    assert wave().member_count == 8
    for one in AlertGroup.objects.get(pk=wave().pk).members.all():
        tell(one.interruption, state="ended", ended_at=second(21 * MINUTE))
    alert(31 * MINUTE)
    reclaim(machines[8:12], at=70 * MINUTE, every=0)
    alert(70 * MINUTE + 5)
    assert [w.is_open for w in waves()] == [False, True]


def test_news_of_members_of_a_closed_wave_does_not_open_it_again() -> None:
    reclaims = reclaim(make_running(make_pool(), 10)[:4], every=0)
    alert(30)
    AlertGroup.objects.filter(pk=wave().pk).update(
        status="resolved", resolution="by_hand", resolved_at=second(40)
    )
    for one in reclaims:
        tell(one, state="draining")
    alert(50)
    assert not wave().is_open


def test_what_turns_out_to_be_a_hint_leaves_the_wave() -> None:
    reclaims = reclaim(make_running(make_pool(), 10)[:5])
    alert(30)
    tell(reclaims[0], state="no_action")
    alert(40)
    assert wave().member_count == 4
    AlertGroup.objects.filter(pk=wave().pk).update(
        status="resolved", resolution="healed", resolved_at=second(50)
    )
    tell(reclaims[1], state="no_action")
    alert(60)
    assert (wave().member_count, wave().is_open) == (3, False)
    assert wave().events.filter(kind="left").count() == 2


def test_a_decision_about_a_wave_leaves_a_receipt_and_says_why_it_is_there() -> None:
    reclaim(make_running(make_pool(), 40)[:4])
    alert(30)
    assert Receipt.objects.filter(group=wave(), decision="log").count() == 1
    told = wave().events.get(kind="triggered")
    assert told.data["chance"] == pytest.approx(1.08e-14, rel=5e-3)
    assert "4 machines of m7i.large in eu-west-1a were reclaimed within 3 min, of 40 running" in told.text


def test_however_many_reclaims_and_zones_a_batch_costs_the_same_statements() -> None:
    costs = []
    for zones, size in ((1, 4), (4, 30)):
        for zone in range(zones):
            pool = make_pool(zone=f"eu-west-1{'abcdefgh'[zone + 4 * len(costs)]}")
            reclaim(make_running(pool, size + 2, service=make_service())[:size], every=0.1)
        with CaptureQueriesContext(connection) as context:
            alert(30)
        costs.append(len(context))
    assert costs[1] <= costs[0]
    assert len(waves()) == 5


@pytest.mark.django_db(transaction=True)
def test_two_workers_that_see_one_cascade_open_one_wave() -> None:
    machines = [*make_running(make_pool(), 30), *make_running(make_pool(), 30, service=make_service())]
    reclaim([*machines[:20], *machines[30:50]], every=0.1)
    errors: list[Exception] = []

    def work() -> None:
        try:
            alert(30)
        except Exception as error:
            errors.append(error)
        finally:
            connections.close_all()

    most, pipeline.MOST_CHANGES = pipeline.MOST_CHANGES, 5
    try:
        workers = [threading.Thread(target=work) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(30)
    finally:
        pipeline.MOST_CHANGES = most
    assert errors == []
    assert wave().member_count == GroupMember.objects.filter(group=wave()).count() == 40
    assert AlertGroup.objects.filter(parent=wave()).count() == 2
    assert wave().triggered_at == NOON + timedelta(seconds=30)
