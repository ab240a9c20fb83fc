"""The minute: what sampled rules open, keep and close, once, however often and by how many they are asked."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from console.accounts.audit import Actor
from console.alerts import handling
from console.alerts.detectors import failed_hooks
from console.alerts.evaluating.minute import evaluate
from console.alerts.handling import By
from console.alerts.models import AlertGroup, Evaluation, Receipt, Rule, RuleState, RuleVersion
from console.fleet.models import Service
from console.interruptions.models import Hook, Sample
from console.interruptions.rollups import roll_up
from tests.make_accounts import make_user
from tests.make_fleet import NOON, make_interval, make_machine, make_pool, make_service, make_team
from tests.make_interruptions import make_hook, make_interruption, make_move

pytestmark = pytest.mark.django_db


def minute(number: float) -> datetime:
    return NOON + timedelta(minutes=number)


def tick(*numbers: float) -> None:
    for number in numbers:
        evaluate(now=minute(number))


def fail_hooks(service: Service, number: int = 3, **fields: Any) -> None:
    for n in range(number):
        machine = make_machine(service=service, origin=service.origin)
        one = make_interruption(machine=machine, started_at=minute(-10 - n))
        make_hook(one, outcome="failed", **fields)


def groups() -> list[AlertGroup]:
    return list(AlertGroup.objects.order_by("pk"))


@pytest.fixture
def checkout() -> Service:
    return make_service(slug="checkout", name="Checkout", criticality="critical", team=make_team(slug="pay"))


def test_a_rule_fires_at_its_second_look_and_not_before(checkout: Service) -> None:
    fail_hooks(checkout)
    tick(0)
    assert groups() == []
    state = RuleState.objects.get()
    assert (state.standing, state.scope, state.service) == ("pending", "checkout", checkout)
    tick(1)
    (group,) = groups()
    assert (group.key, group.service, group.team) == ("failed_hooks:checkout", checkout, checkout.team)
    assert group.impact == "Checkout: 3 of 3 hooks failed in 24 h."
    receipt = Receipt.objects.get()
    version = RuleVersion.objects.get(rule__slug="failed_hooks")
    assert (receipt.decision, receipt.rule_version, receipt.trigger) == (
        "ticket",
        version,
        "minute:2026-03-11T12:01",
    )
    assert (receipt.inputs["failed"], receipt.inputs["value"], receipt.inputs["limit"]) == (3, 3.0, 3)
    assert receipt.windows["long"]["until"] == minute(1).isoformat()
    assert receipt.roster["team"]["slug"] == "pay"


def test_one_minute_is_looked_at_once_and_a_missed_one_is_not_made_up_for(checkout: Service) -> None:
    fail_hooks(checkout)
    assert evaluate(now=minute(0)) > 0
    assert evaluate(now=minute(0) + timedelta(seconds=59)) == 0
    assert evaluate(now=minute(-5)) == 0
    assert RuleState.objects.get().true_count == 1
    tick(10)
    assert (RuleState.objects.get().true_count, groups()) == (1, [])
    tick(11)
    assert len(groups()) == 1


def test_it_is_over_after_fifteen_minutes_and_opens_again_as_the_same_group(checkout: Service) -> None:
    fail_hooks(checkout)
    tick(0, 1)
    Hook.objects.update(outcome="complete")
    tick(2, 16.9)
    assert groups()[0].is_open
    tick(17)
    (group,) = groups()
    assert (group.is_open, group.resolution, RuleState.objects.get().standing) == (False, "healed", "cooling")
    Hook.objects.update(outcome="failed")
    tick(20, 21)
    (group,) = groups()
    assert group.is_open
    stages = group.events.filter(kind__in=("triggered", "resolved", "reopened")).order_by("pk")
    assert [event.kind for event in stages] == ["triggered", "resolved", "reopened"]
    assert Receipt.objects.filter(decision="ticket").count() == 1
    newest = Receipt.objects.latest("pk")
    assert (newest.decision, newest.reason) == (
        "log",
        "Open again within its cooldown until 12:47 UTC. A ticket at 12:01 UTC",
    )


def test_after_the_cooldown_it_is_another_group_that_is_told_of(checkout: Service) -> None:
    fail_hooks(checkout)
    tick(0, 1)
    Hook.objects.update(outcome="complete")
    tick(2, 17, 47)
    assert not RuleState.objects.exists()
    Hook.objects.update(outcome="failed")
    tick(50, 51)
    assert [group.is_open for group in groups()] == [False, True]
    assert Receipt.objects.filter(decision="ticket").count() == 2


def test_what_a_person_closed_stays_closed_while_it_goes_on(checkout: Service) -> None:
    fail_hooks(checkout)
    tick(0, 1)
    alice = make_user("alice")
    handling.resolve(groups()[0].pk, by=By(user=alice, actor=Actor.person(alice)), now=minute(2))
    tick(3, 4)
    (group,) = groups()
    assert (group.is_open, group.resolution) == (False, "by_hand")


def test_a_rule_that_raises_is_a_finding_for_its_owner_and_holds_up_no_other(
    checkout: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform = make_team(slug="platform", is_platform=True)
    fail_hooks(checkout)
    make_move(make_interruption(machine=make_machine(service=checkout), started_at=minute(-9)), seconds=None)

    def broken(*_: Any) -> Any:
        raise ZeroDivisionError("no hooks")

    good = failed_hooks.DETECTOR.judge
    object.__setattr__(failed_hooks.DETECTOR, "judge", broken)
    try:
        tick(0, 1)
    finally:
        object.__setattr__(failed_hooks.DETECTOR, "judge", good)
    assert [group.key for group in groups()] == ["rule_error:failed_hooks", "pending_moves:checkout"]
    error = groups()[0]
    assert (error.team, error.receipts.get().decision) == (platform, "page")
    assert "ZeroDivisionError: no hooks" in error.impact
    tick(2)
    assert AlertGroup.objects.get(pk=error.pk).resolution == "healed"
    assert Rule.objects.get(slug="failed_hooks").evaluated_at == minute(2)


def test_origins_are_judged_apart_and_test_data_never(checkout: Service) -> None:
    for origin in ("sample", "test"):
        fail_hooks(make_service(slug="checkout", origin=origin), origin=origin)
    tick(0, 1)
    assert [(group.origin, group.key) for group in groups()] == [("sample", "failed_hooks:checkout")]
    receipt = Receipt.objects.get()
    assert (receipt.decision, receipt.reason) == ("ticket", "Not sent: sample. Hooks fail repeatedly")


def publish(slug: str, **fields: Any) -> RuleVersion:
    """A further version of a rule that comes with the console, or a second rule of a detector."""
    detector = fields.pop("detector", slug)
    rule, _ = Rule.objects.get_or_create(slug=slug, defaults={"name": slug, "detector": detector})
    first = RuleVersion.objects.filter(rule__detector=detector).order_by("pk").first()
    assert first is not None
    known = {
        name: getattr(first, name) for name in ("thresholds", "table", "severity", "evaluations", "group_by")
    }
    number = rule.versions.count() + 1
    return RuleVersion.objects.create(rule=rule, number=number, published_at=NOON, **(known | fields))


def test_the_narrower_of_two_rules_looks_at_a_service(checkout: Service) -> None:
    search = make_service(slug="search")
    fail_hooks(checkout)
    fail_hooks(search)
    publish("pay_hooks", detector="failed_hooks", scope={"team": "pay"}, thresholds={"least": 4})
    tick(0, 1)
    assert [group.key for group in groups()] == ["failed_hooks:search"]


@pytest.mark.parametrize("scope", [{"pool": "aws/eu-west-1/eu-west-1a/m7i.large"}, {"label": "tier=gold"}])
def test_a_rule_can_be_for_machines_of_a_pool_or_with_a_label(
    checkout: Service, scope: dict[str, str]
) -> None:
    search = make_service(slug="search")
    fail_hooks(checkout)
    fail_hooks(search)
    machine = make_machine(service=checkout, pool=make_pool(), tags={"tier": "gold"})
    make_interval(machine=machine)
    publish("some_hooks", detector="failed_hooks", scope=scope)
    tick(0, 1)
    assert sorted(group.key for group in groups()) == ["failed_hooks:search", "some_hooks:checkout"]


def test_a_rule_that_is_switched_off_closes_what_it_opened(checkout: Service) -> None:
    fail_hooks(checkout)
    tick(0, 1)
    publish("failed_hooks", is_enabled=False)
    tick(2)
    (group,) = groups()
    assert group.events.latest("pk").text == "The rule, or its scope, is not in force any more"
    assert not RuleState.objects.exists()


def test_one_group_can_stand_for_a_team(checkout: Service) -> None:
    cart = make_service(slug="cart", name="Cart", team=checkout.team)
    fail_hooks(checkout)
    fail_hooks(cart)
    publish("failed_hooks", group_by="team")
    tick(0, 1)
    (group,) = groups()
    assert (group.key, group.team, group.service) == ("failed_hooks:team-pay", checkout.team, None)
    assert group.impact.startswith("2 services of Pay: ")


def test_audit_streams_and_telemetry_gaps_are_read_from_samples(checkout: Service) -> None:
    for n in range(5):
        machine = make_machine(service=checkout, node_name=f"node-{n}")
        one = make_interruption(machine=machine, started_at=minute(-60 + n))
        Sample.objects.create(service=checkout, signal="audit", replica=f"node-{n}", at=one.started_at)
    for at in (-62, 12):
        Sample.objects.create(service=checkout, signal="telemetry", at=minute(at))
    tick(10, 11)
    keys = {group.key: group.impact for group in groups()}
    assert "5 of 5 interrupted nodes" in keys["audit_cut_short:checkout"]
    assert "over 1 h 13 min" in RuleState.objects.get(scope="checkout", rule__slug="observability_gap").text


def test_rates_are_those_of_the_measures(checkout: Service) -> None:
    pool = make_pool()
    for n in range(30):
        machine = make_machine(service=checkout, pool=pool)
        make_interval(machine=machine, started_at=NOON - timedelta(days=8))
        if n < 6:
            make_hook(
                make_interruption(machine=machine, started_at=NOON - timedelta(hours=5 + n)), outcome="failed"
            )
    roll_up(now=NOON)
    tick(0, 1)
    found = {group.key: group.impact for group in groups()}
    assert found["interruption_rate:checkout"].startswith("Checkout: 2")
    assert "concentration:checkout" in found


@pytest.mark.django_db(transaction=True)
def test_two_workers_look_at_a_minute_once() -> None:
    fail_hooks(make_service(slug="checkout"))
    tick(0)
    done: list[int] = []
    start = threading.Barrier(2)

    def work() -> None:
        start.wait()
        try:
            done.append(evaluate(now=minute(1)))
        finally:
            connections.close_all()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert sorted(bool(count) for count in done) == [False, True]
    assert RuleState.objects.get().true_count == 2
    assert Receipt.objects.count() == 1
    assert Evaluation.objects.get().minute == minute(1)


def test_a_minute_costs_the_same_statements_however_many_services_there_are() -> None:
    def cost(number: int, at: float) -> int:
        for n in range(number):
            fail_hooks(make_service(slug=f"s-{number}-{n}"))
        tick(at)
        with CaptureQueriesContext(connection) as context:
            tick(at + 1)
        return len(context)

    few, many = cost(1, 0), cost(12, 2)
    assert (few, AlertGroup.objects.count()) == (many, 13)
