"""One machine is one row, whatever feeds call it and in whatever order they speak."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from threading import Barrier, Thread
from time import sleep
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.fleet.identity import ClosureGrew, MachineFacts, Resolved, resolve_machines
from console.fleet.models import Machine, MachineAlias, Service
from tests.make_fleet import NOON, make_interval, make_service

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def facts(**fields: Any) -> MachineFacts:
    return MachineFacts(**({"seen_at": NOON} | fields))


def resolve(*each: MachineFacts, origin: str = "live") -> Resolved:
    with transaction.atomic():
        return resolve_machines(each, origin=origin, now=NOON + DAY)


CLOUD = facts(provider="aws", account="111122223333", region="eu-west-1", instance_id="i-1")
BRIDGE = facts(
    provider="aws", instance_id="i-1", node_name="ip-10-0-0-1", zone="eu-west-1a", instance_type="m7i.large"
)
CLUSTER = facts(node_name="ip-10-0-0-1", cluster="prod")
KUBELET = facts(node_name="ip-10-0-0-1", cluster="prod", node_uid="u-1")


@pytest.mark.parametrize("order", list(permutations([CLOUD, BRIDGE, CLUSTER, KUBELET])))
def test_four_feeds_name_one_machine_in_any_order(order: tuple[MachineFacts, ...]) -> None:
    for each in order:
        resolve(each)
    again = resolve(*order)
    assert len(set(again.ids)) == 1
    machine = Machine.objects.get(merged_into=None)
    assert machine.pk == again.ids[0]
    assert (machine.account, machine.zone, machine.cluster) == ("111122223333", "eu-west-1a", "prod")
    assert machine.pool is not None
    assert set(MachineAlias.objects.values_list("machine", flat=True)) == {machine.pk}


@pytest.mark.parametrize("order", list(permutations([CLOUD, BRIDGE, CLUSTER, KUBELET])))
def test_four_feeds_name_one_machine_in_one_batch(order: tuple[MachineFacts, ...]) -> None:
    resolved = resolve(*order)
    assert len(set(resolved.ids)) == 1
    assert Machine.objects.count() == 1
    assert resolved.new == set(resolved.ids)


def test_a_message_without_any_name_has_no_machine() -> None:
    assert resolve(facts(provider="aws", region="eu-west-1")).ids == [None]
    assert Machine.objects.count() == 0


def test_one_origin_never_finds_the_machine_of_another() -> None:
    live, drill = resolve(CLOUD), resolve(CLOUD, origin="drill")
    assert live.ids != drill.ids


def test_one_instance_id_in_two_accounts_is_two_machines() -> None:
    one = facts(provider="gcp", account="p-1", instance_id="web-1")
    two = facts(provider="gcp", account="p-2", instance_id="web-1")
    first = resolve(one, two).ids
    assert len(set(first)) == 2
    assert resolve(two, one).ids == first[::-1]


def test_a_node_name_used_again_by_another_instance_is_another_machine() -> None:
    old = facts(provider="aws", account="1", instance_id="i-1", node_name="n")
    new = facts(provider="aws", account="1", instance_id="i-2", node_name="n", seen_at=NOON + 60 * DAY)
    first, second = resolve(old).ids[0], None
    with transaction.atomic():
        second = resolve_machines([new], origin="live", now=NOON + 60 * DAY).ids[0]
        late = resolve_machines(
            [facts(node_name="n", seen_at=NOON + 60 * DAY)], origin="live", now=NOON + 60 * DAY
        )
    assert first != second
    assert late.ids == [second]


def test_a_node_that_came_back_with_another_uid_is_another_machine() -> None:
    one = resolve(facts(node_name="n", cluster="c", node_uid="u-1")).ids
    two = resolve(facts(node_name="n", cluster="c", node_uid="u-2")).ids
    assert one != two
    assert resolve(facts(node_name="n", cluster="c", node_uid="u-1")).ids == one


def test_an_instance_that_was_started_again_keeps_its_row_with_a_new_node_uid() -> None:
    one = resolve(facts(provider="aws", account="1", instance_id="i-1", node_name="n", node_uid="u-1")).ids
    two = resolve(facts(provider="aws", account="1", instance_id="i-1", node_name="n", node_uid="u-2")).ids
    assert one == two


def test_joining_keeps_the_older_machine_and_hands_over_its_intervals() -> None:
    by_node = resolve(facts(node_name="n", cluster="c")).ids[0]
    by_cloud = resolve(facts(provider="aws", account="1", instance_id="i-9")).ids[0]
    make_interval(machine=Machine.objects.get(pk=by_cloud))
    joined = resolve(facts(provider="aws", account="1", instance_id="i-9", node_name="n", cluster="c"))
    assert joined.ids == [by_node]
    assert joined.merges == [(by_node, by_cloud)]
    kept = Machine.objects.get(pk=by_node)
    assert kept.instance_id == "i-9"
    assert kept.intervals.count() == 1
    assert Machine.objects.get(pk=by_cloud).merged_into_id == by_node


def test_what_is_known_is_filled_and_never_erased() -> None:
    pk = resolve(facts(provider="aws", account="1", instance_id="i-1", region="eu-west-1")).ids[0]
    resolve(facts(provider="aws", account="1", instance_id="i-1", region="us-east-1", zone="us-east-1a"))
    machine = Machine.objects.get(pk=pk)
    assert (machine.region, machine.zone) == ("eu-west-1", "us-east-1a")


def test_sightings_only_move_forward() -> None:
    pk = resolve(facts(provider="aws", account="1", instance_id="i-1", heartbeat_at=NOON)).ids[0]
    earlier = NOON - DAY
    resolve(facts(provider="aws", account="1", instance_id="i-1", seen_at=earlier, heartbeat_at=earlier))
    machine = Machine.objects.get(pk=pk)
    assert (machine.first_seen_at, machine.last_seen_at, machine.heartbeat_at) == (earlier, NOON, NOON)


def test_rules_give_a_machine_its_service_and_move_it_when_it_learns_more() -> None:
    service = make_service(slug="web")
    service.attribution_rules.create(position=1, node_pool="web")
    pk = resolve(facts(provider="aws", account="1", instance_id="i-1")).ids[0]
    assert Machine.objects.get(pk=pk).service.slug == "unattributed"
    interval = make_interval(machine=Machine.objects.get(pk=pk))
    resolved = resolve(facts(provider="aws", account="1", instance_id="i-1", node_pool="web"))
    interval.refresh_from_db()
    assert Machine.objects.get(pk=pk).service == interval.service == service
    assert resolved.moved[pk][1] == service.pk  # type: ignore[index]


def test_a_declared_service_wins_only_where_it_exists() -> None:
    service = make_service(slug="web")
    resolved = resolve(
        facts(instance_id="i-1", provider="aws", account="1", declared_service="web"),
        facts(instance_id="i-2", provider="aws", account="1", declared_service="nothing"),
    )
    slugs = [resolved.machines[pk].service_id == service.pk for pk in resolved.ids]  # type: ignore[index]
    assert slugs == [True, False]


def test_a_thousand_messages_cost_six_statements_new_and_three_known() -> None:
    many = [
        facts(
            provider="aws",
            account="1",
            instance_id=f"i-{n % 400}",
            zone="a",
            instance_type="t",
            node_name=f"n-{n % 400}",
        )
        for n in range(1000)
    ]
    resolve(facts(instance_id="first"))  # makes the unattributed service
    with transaction.atomic():
        with CaptureQueriesContext(
            connection,
        ) as fresh:
            resolve_machines(many, origin="live", now=NOON)
        with CaptureQueriesContext(connection) as known:
            resolve_machines(many, origin="live", now=NOON)
    assert (len(fresh) <= 6, len(known) <= 3) == (True, True), (len(fresh), len(known))
    assert Machine.objects.count() == 401


MESSAGES = [
    facts(provider="aws", account="1", instance_id="i-1"),
    facts(provider="aws", account="1", instance_id="i-1", node_name="a"),
    facts(node_name="a", cluster="c", node_uid="u-1"),
    facts(node_name="a", cluster="c"),
    facts(provider="aws", account="1", instance_id="i-2", node_name="b", cluster="c"),
    facts(node_name="b", cluster="c", node_uid="u-2"),
    facts(provider="gcp", account="p", instance_id="77", node_name="g"),
    facts(node_name="g"),
]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_order_repetition_and_batching_finds_the_same_three_machines(data: st.DataObject) -> None:
    repeats = data.draw(st.lists(st.sampled_from(MESSAGES), max_size=6))
    order = data.draw(st.permutations([*MESSAGES, *repeats]))
    with transaction.atomic():
        while order:
            size = data.draw(st.integers(1, len(order)))
            resolve(*order[:size])
            order = order[size:]
        groups = resolve(*MESSAGES).ids
        transaction.set_rollback(True)
    assert [groups.index(pk) for pk in groups] == [0, 0, 0, 0, 4, 4, 6, 6]


@pytest.mark.django_db(transaction=True)
def test_two_batches_that_learn_of_one_machine_at_once_make_one_row() -> None:
    Service.unattributed(origin="live")
    meet, outcomes = Barrier(2), []

    def work(each: MachineFacts) -> None:
        try:
            for _ in range(5):
                try:
                    with transaction.atomic():
                        if not outcomes:
                            meet.wait(timeout=5)
                        outcomes.append(resolve_machines([each], origin="live", now=NOON).ids[0])
                        sleep(0.05)
                    return
                except ClosureGrew:
                    outcomes.append(None)
        finally:
            connection.close()

    threads = [Thread(target=work, args=[each]) for each in (CLUSTER, KUBELET)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Machine.objects.filter(merged_into=None).count() == 1
    assert len({pk for pk in outcomes if pk is not None}) == 1
    assert None in outcomes, "one of the two should have had to try again"


@pytest.mark.django_db(transaction=True)
def test_who_waited_for_a_machine_that_was_joined_meanwhile_finds_the_one_that_it_became() -> None:
    first, second = resolve(CLOUD).ids[0], resolve(CLUSTER).ids[0]
    assert first != second
    found: list[Resolved] = []

    def wait_for_both() -> None:
        try:
            found.append(resolve(CLOUD, CLUSTER))
        finally:
            connection.close()

    worker = Thread(target=wait_for_both)
    with transaction.atomic():
        assert resolve_machines([BRIDGE], origin="live", now=NOON + DAY).merges == [(first, second)]
        worker.start()
        _wait_until_a_lock_is_waited_for()
    worker.join(20)
    assert [each.ids for each in found] == [[first, first]]


def _wait_until_a_lock_is_waited_for() -> None:
    for _ in range(400):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0]:
                return
        sleep(0.05)
    raise AssertionError("nobody waits")
