"""After rules, services or inventory moved machines: interruptions, episodes and groups follow."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console.accounts.audit import Actor
from console.alerts import pipeline as alerting
from console.alerts.models import AlertGroup
from console.fleet.inventory import InventoryRow, take_inventory
from console.fleet.models import Machine, Service
from console.fleet.reattribution import reattribute_all
from console.fleet.rule_changes import Draft, add_rule
from console.ingest.tasks import follow_machines as follow_task
from console.interruptions.models import Episode, Interruption, Observation, StrayMachine
from console.interruptions.reattributing import follow_machines
from console.lib.pushed import Batch
from tests.ingest import outcome
from tests.ingest.hearing import DAY, HOUR, MACHINE, NODE, OTHER, at, aws, hear, node, record, store
from tests.make_fleet import make_service

pytestmark = pytest.mark.django_db

WARNING = aws("spot-warning-terminate", 0)
RULER = Actor.console("test")
ACCOUNT = "204816327500"


def follow(seconds: float = 60) -> int:
    followed = follow_machines(now=at(seconds))
    alerting.alert(now=at(seconds))
    return followed


def rule_for(slug: str, *, seconds: float = 60, **conditions: str) -> Service:
    service = make_service(slug=slug, name=slug.capitalize())
    asked = conditions or {"provider": "aws"}
    add_rule(Draft(service=slug, **asked), origin="live", actor=RULER, now=at(seconds))
    return service


def inventory(**fields: object) -> None:
    row = InventoryRow(provider="aws", account=ACCOUNT, region="eu-central-1", **fields)  # type: ignore[arg-type]
    take_inventory(Batch([(0, row)], []), origin="live", now=at(30))


def test_a_new_rule_takes_an_open_interruption_its_episode_and_its_group_along() -> None:
    hear([WARNING, aws("spot-warning-terminate", 10, machine=OTHER)])
    checkout = rule_for("checkout")
    assert follow() == 2
    assert set(Interruption.objects.values_list("service", flat=True)) == {checkout.pk}
    assert outcome.episodes() == outcome.naive_episodes()
    assert list(Episode.objects.values_list("service", "interruption_count")) == [(checkout.pk, 2)]
    groups = {group.key: group for group in AlertGroup.objects.all()}
    assert groups[f"service:{checkout.pk}"].member_count == 2
    (before,) = (group for key, group in groups.items() if key != f"service:{checkout.pk}")
    assert (before.member_count, before.resolution) == (0, "merged")


def test_only_what_moved_leaves_and_its_episode_is_split() -> None:
    hear([aws("spot-warning-terminate", 120 * n, machine=f"i-{n:017x}") for n in range(3)])
    checkout = make_service(slug="checkout")
    Machine.objects.filter(instance_id=f"i-{1:017x}").update(service=checkout)
    assert follow(400) == 1
    assert outcome.episodes() == outcome.naive_episodes()
    assert Interruption.objects.get(service=checkout).machine.instance_id == f"i-{1:017x}"
    assert AlertGroup.objects.get(service=checkout).member_count == 1


def test_an_ended_interruption_of_the_last_days_follows_and_its_closed_group_keeps_it() -> None:
    hear([WARNING, aws("state-terminated", 100)])
    alerting.alert(now=at(HOUR))
    (group,) = AlertGroup.objects.all()
    assert not group.is_open
    checkout = rule_for("checkout", seconds=DAY)
    follow(DAY)
    assert Interruption.objects.get().service == checkout
    assert Episode.objects.get().service == checkout
    assert AlertGroup.objects.get() == group
    assert group.members.count() == 1


def test_what_ended_more_than_fourteen_days_ago_stays_where_it_was() -> None:
    hear([WARNING, aws("state-terminated", 100)])
    before = Interruption.objects.get().service
    rule_for("checkout", seconds=20 * DAY)
    assert follow(20 * DAY) == 1
    assert Interruption.objects.get().service == before


def test_a_machine_without_interruptions_is_not_noted() -> None:
    inventory(instance_id=MACHINE)
    rule_for("checkout")
    assert Machine.objects.get().service.slug == "checkout"
    assert not StrayMachine.objects.exists()


def test_following_twice_changes_nothing_more() -> None:
    hear([WARNING])
    rule_for("checkout")
    follow()
    told, version = outcome.interruptions(), Interruption.objects.get().version
    assert follow() == 0
    StrayMachine.objects.create(
        machine=Machine.objects.get(), from_service=Service.objects.get(slug="checkout"), noted_at=at(0)
    )
    assert follow() == 1
    assert (outcome.interruptions(), Interruption.objects.get().version) == (told, version)


def test_what_inventory_learns_of_a_machines_place_reaches_its_interruption() -> None:
    hear([WARNING])
    assert Interruption.objects.get().pool is None
    inventory(instance_id=MACHINE, instance_type="m7i.large", zone="eu-central-1a")
    follow()
    pool = Interruption.objects.get().pool
    assert pool is not None
    assert (pool.zone, pool.instance_type) == ("eu-central-1a", "m7i.large")


def test_two_machines_that_inventory_says_are_one_have_one_interruption() -> None:
    notice = {"type": "notice", "action": "terminate", "deadline_at": 119}
    hear([WARNING, node(3, notice, node_name=NODE)])
    assert Interruption.objects.filter(merged_into=None).count() == 2
    inventory(instance_id=MACHINE, node_name=NODE)
    follow()
    kept = Machine.objects.get(merged_into=None)
    assert Interruption.objects.get(merged_into=None).machine == kept
    assert set(Observation.objects.values_list("machine", flat=True)) == {kept.pk}
    assert outcome.episodes() == outcome.naive_episodes()
    open_groups = AlertGroup.objects.open()
    assert [group.member_count for group in open_groups] == [1]


def test_the_hourly_attribution_mends_a_service_that_drifted() -> None:
    hear([WARNING])
    checkout = rule_for("checkout")
    follow()
    Machine.objects.update(service=make_service(slug="wrong"))
    assert reattribute_all(now=at(HOUR)) == 1
    follow_task()
    assert Machine.objects.get().service == checkout
    assert not StrayMachine.objects.exists()
    assert Interruption.objects.get().service == checkout


def test_a_heartbeat_that_names_its_service_attributes_its_machine_and_what_befell_it() -> None:
    web = make_service(slug="web", name="Web")
    hear([WARNING])
    hear([node(20, {"type": "heartbeat"}, instance_id=MACHINE, service="web")])
    assert Machine.objects.get().service == web
    follow()
    assert Interruption.objects.get().service == web
    assert outcome.episodes() == outcome.naive_episodes()


def test_a_report_without_events_names_its_service_too_and_silence_takes_nothing_back() -> None:
    web = make_service(slug="web")
    volume = {"type": "volume", "volume": "data", "detached_at": 5}
    hear([node(10, volume, instance_id=MACHINE, service="web")])
    hear([node(20, {"type": "heartbeat"}, instance_id=MACHINE)])
    assert Machine.objects.get().service == web
    hear([node(30, {"type": "heartbeat"}, instance_id=MACHINE, service="no-such-service")])
    assert Machine.objects.get().service.is_unattributed


def test_a_heartbeat_that_says_what_is_known_costs_what_a_bare_one_costs() -> None:
    make_service(slug="web")
    hear([node(0, {"type": "heartbeat"}, instance_id=MACHINE, service="web")])

    def statements(seconds: float, **said: str) -> list[list[str]]:
        store([node(seconds, {"type": "heartbeat"}, instance_id=MACHINE, **said)])
        with CaptureQueriesContext(connection) as captured:
            record(seconds=seconds)
        return [query["sql"].split()[:3] for query in captured if "SAVEPOINT" not in query["sql"]]

    assert statements(60, service="web") == statements(120)
