"""Whom a group is told to, and why: from changed interruptions to receipts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console.accounts.audit import Actor
from console.accounts.models import Role
from console.alerts import handling, pipeline, rosters, routing
from console.alerts.capacity import watch_capacity
from console.alerts.escalation import beginning
from console.alerts.handling import By
from console.alerts.impact import Hit, Impact, Replicas
from console.alerts.models import AlertGroup, Receipt, RuleVersion
from console.alerts.severity import severity_of
from console.alerts.suppression.consulting import Consulted
from console.fleet.models import Service, WorkloadStatus
from console.oncall.models import Rotation
from console.oncall.schedule import OnCall
from tests.make_accounts import make_user
from tests.make_fleet import NOON, make_machine, make_pool, make_service, make_team
from tests.make_reclaims import alert, make_reclaim, make_running, second, tell
from tests.make_suppressions import make_suppression

pytestmark = pytest.mark.django_db
MINUTE = 60


def workload(
    service: Service, *, ready: int, needed: int | None = 9, wanted: int = 12, **fields: Any
) -> None:
    known = {"cluster": "prod", "namespace": service.slug, "workload": "web", "origin": service.origin}
    values = {"service": service, "at": NOON, "wanted": wanted, "ready": ready, "needed": needed} | fields
    WorkloadStatus.objects.update_or_create(**known, defaults=values)


def decisions(group: AlertGroup) -> list[str]:
    return list(group.receipts.order_by("pk").values_list("decision", flat=True))


def group_of(service: Service) -> AlertGroup:
    return AlertGroup.objects.get(key=f"service:{service.pk}")


def reclaim(service: Service, *, at: float = 0, **fields: Any) -> Any:
    return make_reclaim(make_machine(service=service, origin=service.origin), at=at, **fields)


@pytest.fixture(autouse=True)
def somebody_answers() -> None:
    """Pages reach an administrator where no policy says otherwise: nothing here is about nobody being there."""
    make_user("root", role=Role.ADMIN)


@pytest.fixture
def checkout() -> Service:
    return make_service(slug="checkout", name="Checkout", criticality="critical", team=make_team(slug="pay"))


@pytest.fixture
def platform() -> Any:
    return make_team(slug="platform", name="Platform", is_platform=True)


TABLE = [
    ("critical", 3, "page", "capacity_below_need"),
    ("user_facing", 3, "page", "capacity_below_need"),
    ("batch", 3, "ticket", "capacity_below_need"),
    ("best_effort", 3, "ticket", "capacity_below_need"),
    ("critical", 9, "log", "reclaim"),
    ("critical", None, "log", "reclaim"),
]


@pytest.mark.parametrize(("criticality", "ready", "decision", "rule"), TABLE)
def test_a_reclaim_pages_only_where_too_little_is_left(
    criticality: str, ready: int | None, decision: str, rule: str
) -> None:
    service = make_service(criticality=criticality)
    if ready is not None:
        workload(service, ready=ready)
    reclaim(service)
    alert(5)
    receipt = Receipt.objects.get()
    assert (receipt.decision, receipt.rule) == (decision, rule)
    assert receipt.rule_version == RuleVersion.objects.get(rule__slug=rule)


def test_the_first_sentence_is_the_impact_and_it_makes_the_severity(checkout: Service) -> None:
    workload(checkout, ready=3, by_zone={"a": 2, "b": 1, "c": 0})
    reclaim(checkout)
    alert(5)
    group = group_of(checkout)
    assert group.impact == "Checkout: 3 of 12 replicas, zone c empty, needs 9; 1 of 1 machine still running"
    assert (group.severity, group.below_need_since) == ("critical", second(5))
    assert Receipt.objects.get().reason == "Below its need: Checkout: 3 of 12 replicas, zone c empty, needs 9"
    assert group.events.get(kind="severity").data == {"from": "error", "to": "critical"}


LEVELS = [
    ({"ready": 3, "needed": 9, "is_short": True}, ("critical", "critical", "error", "warning")),
    ({"ready": 9, "needed": 9, "empty_zones": ["c"]}, ("error", "error", "warning", "info")),
    ({"ready": 9, "needed": 9, "disruptions_left": 0}, ("error", "error", "warning", "info")),
    ({"ready": 5}, ("error", "error", "warning", "info")),
    ({"ready": 9, "needed": 9}, ("error", "warning", "info", "info")),
]


@pytest.mark.parametrize(("left", "severities"), LEVELS)
def test_severity_comes_from_the_impact_and_the_class(
    left: Mapping[str, Any], severities: tuple[str, ...]
) -> None:
    classes = ("critical", "user_facing", "batch", "best_effort")
    found = [
        severity_of(Impact((Hit(1, "Checkout", kind, 1, 0, 40, Replicas(wanted=12, **left)),)))
        for kind in classes
    ]
    assert tuple(found) == severities
    half = Impact((Hit(1, "Checkout", "user_facing", 5, 0, 10, None),))
    assert severity_of(half) == "error"


def test_a_service_that_falls_below_its_need_later_pages_when_its_cluster_says_so(checkout: Service) -> None:
    workload(checkout, ready=12)
    reclaim(checkout)
    alert(5)
    assert watch_capacity(now=second(10)) == 0
    workload(checkout, ready=5)
    assert watch_capacity(now=second(20)) == 1
    assert watch_capacity(now=second(22)) == 0
    assert decisions(group_of(checkout)) == ["log", "page"]
    workload(checkout, ready=12)
    watch_capacity(now=second(60))
    assert (decisions(group_of(checkout))[-1], group_of(checkout).below_need_since) == ("log", None)


def test_a_group_pages_once_and_again_only_when_it_gets_worse(checkout: Service) -> None:
    Service.objects.filter(pk=checkout.pk).update(criticality="batch")
    workload(checkout, ready=5)
    one = reclaim(checkout)
    alert(5)
    for at in (10, 20):
        tell(one, state="draining")
        alert(at)
    assert decisions(group_of(checkout)) == ["ticket", "log", "log"]
    assert "A ticket at 12:00 UTC, and nothing got worse since" in Receipt.objects.latest("pk").reason
    Service.objects.filter(pk=checkout.pk).update(criticality="critical")
    tell(one, state="draining")
    alert(30)
    assert decisions(group_of(checkout))[-1] == "page"


def test_who_has_it_is_not_paged_again_when_it_gets_worse(checkout: Service) -> None:
    workload(checkout, ready=5)
    one = reclaim(checkout)
    alert(5)
    Receipt.objects.update(severity="error")
    alice = make_user("alice")
    handling.acknowledge(group_of(checkout).pk, by=By(user=alice, actor=Actor.person(alice)), now=second(6))
    tell(one, state="draining")
    alert(10)
    assert decisions(group_of(checkout)) == ["page", "log"]
    assert Receipt.objects.latest("pk").reason.startswith("It got worse, and Alice")


def test_promise_3_a_storm_is_one_page(platform: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every service of a zone loses machines at once; one page goes to the wave, and one more to each
    critical service that is below its need."""
    begun: list[Receipt] = []
    monkeypatch.setattr(routing, "begin", lambda receipts, now: begun.extend(receipts))
    services = [
        make_service(slug=f"shop-{n}", criticality="critical" if n < 2 else "user_facing", team=make_team())
        for n in range(12)
    ]
    pool = make_pool()
    for n, service in enumerate(services):
        workload(service, ready=4 if n in (0, 2, 3) else 12)
        for k, machine in enumerate(make_running(pool, 10, service=service)[:9]):
            make_reclaim(machine, at=k * 6 + n * 0.1)
    for at in (60, 90, 120):
        alert(at)
        for one in AlertGroup.objects.get(key__startswith="wave:").members.all()[:20]:
            tell(one.interruption, state="draining")
    pages = [receipt for receipt in begun if receipt.decision == "page"]
    assert sorted((r.group.key.partition(":")[0], r.group.team.slug) for r in pages) == [
        ("service", services[0].team.slug),
        ("wave", "platform"),
    ]
    wave = next(r for r in pages if r.group.is_wave)
    assert wave.at == second(60)
    assert wave.group.member_count == 108
    assert "108 of 120 reclaimed" in wave.group.title
    told = Receipt.objects.filter(group=group_of(services[2])).values_list("decision", "reason")
    assert {decision for decision, _ in told} == {"log"}
    assert all(f"Its wave #{wave.group_id} is told of for it" in reason for _, reason in told)


def test_promise_4_each_page_ticket_suppression_and_silence_leaves_a_receipt_that_says_why(
    checkout: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = make_service(slug="search", criticality="batch")
    quiet, hidden = (
        make_service(slug="quiet", criticality="critical"),
        make_service(slug="hidden", criticality="critical"),
    )
    for service in (checkout, search, hidden):
        workload(service, ready=2)
    words = "Maintenance “Upgrade” by Alice until 14:00 UTC"
    ledger = [{"id": 7, "name": "Upgrade", "matched": True}]

    window = make_suppression("service:hidden", minutes=120)

    def one_window(groups: Collection[AlertGroup], *, now: Any) -> dict[int, Consulted]:
        return {
            group.pk: Consulted(window.pk, NOON + timedelta(hours=2), words, ledger)
            if group.service == hidden
            else Consulted()
            for group in groups
        }

    monkeypatch.setattr(routing, "consult", one_window)
    for service in (checkout, search, quiet, hidden):
        reclaim(service)
    alert(5)
    found = {
        r.group.service.slug: r
        for r in Receipt.objects.select_related("group__service", "rule_version__rule")
    }
    assert {slug: r.decision for slug, r in found.items()} == {
        "checkout": "page", "search": "ticket", "quiet": "log", "hidden": "suppress"}  # fmt: skip
    for slug, receipt in found.items():
        assert receipt.rule_version is not None
        assert receipt.rule_version.number == 1
        looked = {one["rule"]: one["condition"] for one in receipt.inputs["rules"]}
        assert looked.keys() == {"capacity_below_need", "cascade", "reclaim"}, slug
        assert receipt.inputs["services"][0]["machines"] == 1
        assert receipt.roster["note" if slug != "checkout" else "team"]
    assert found["hidden"].reason.startswith(words)
    assert found["hidden"].suppressions == ledger
    assert found["quiet"].reason == "Handled without anybody: shown on the board"
    assert found["quiet"].inputs["services"][0]["needed"] is None, "not reported, and not 0"


def test_what_was_suppressed_is_paged_as_soon_as_nothing_hides_it(
    checkout: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    workload(checkout, ready=2)
    alice = By(user=make_user("alice"), actor=Actor.console("tests"))
    workload(checkout, ready=12)
    reclaim(checkout)
    alert(5)
    handling.silence(group_of(checkout).pk, until=second(20 * MINUTE), by=alice, now=second(6))
    workload(checkout, ready=2)
    watch_capacity(now=second(30))
    assert decisions(group_of(checkout)) == ["log", "suppress"]
    assert Receipt.objects.latest("pk").reason.startswith("Silenced until 11 Mar 12:20 UTC by Alice")
    alert(20 * MINUTE)
    assert decisions(group_of(checkout))[-1] == "page"


def test_a_cascade_of_one_service_alone_raises_its_group_and_opens_no_wave() -> None:
    checkout = make_service(slug="checkout", name="Checkout", criticality="user_facing")
    for n in range(5):
        pool = make_pool(zone=f"eu-west-1{'abcde'[n]}", instance_type=f"m{n}.large")
        machines = make_running(pool, 4, service=checkout)
        make_running(pool, 40)
        make_reclaim(machines[0], at=n * 10)
    alert(60)
    assert not AlertGroup.objects.filter(key__startswith="wave:").exists()
    group = group_of(checkout)
    assert (group.severity, group.cascaded_at) == ("error", second(60))
    told = group.events.get(data__rule="cascade")
    assert "5 machines of Checkout were reclaimed within 3 min, of 20 running (25%)" in told.text
    receipt = group.receipts.get()
    assert (receipt.decision, receipt.rule, receipt.inputs["condition"]) == ("ticket", "cascade", "enough")
    workload(checkout, ready=2)
    watch_capacity(now=second(70))
    assert decisions(group) == ["ticket", "page"]


def test_where_no_need_is_reported_a_wave_pages_by_the_share_that_goes(platform: Any) -> None:
    service = make_service(criticality="user_facing")
    machines = make_running(make_pool(), 10, service=service)
    for n, machine in enumerate(machines[:4]):
        make_reclaim(machine, at=n)
    alert(10)
    wave = AlertGroup.objects.get(key__startswith="wave:")
    assert decisions(wave) == ["ticket"]
    make_reclaim(machines[4], at=15)
    alert(20)
    assert decisions(wave) == ["ticket", "page"]
    assert wave.receipts.latest("pk").reason.startswith("A cascade that leaves too little of")


def test_the_receipt_names_who_was_on_call_at_that_second(
    checkout: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = make_user("alice")
    rotation = Rotation.objects.create(slug="pay-primary", name="Pay", team=checkout.team)
    asked: list[Any] = []

    def on_call(ids: Collection[int], *, at: Any) -> dict[int, list[OnCall]]:
        asked.append(at)
        return {pk: [OnCall(pk, alice.pk, None, None, "Layer 1")] for pk in ids}

    monkeypatch.setattr(rosters, "on_call_at", on_call)
    reclaim(checkout)
    alert(5)
    roster = Receipt.objects.get().roster
    assert asked == [second(5)]
    assert (roster["team"]["slug"], roster["is_platform"]) == ("pay", False)
    assert [(turn["rotation"], turn["person_id"]) for turn in roster["on_call"]] == [
        (rotation.slug, alice.pk)
    ]


def test_deciding_twice_on_one_trigger_is_one_receipt_and_one_beginning(
    checkout: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[list[Receipt]] = []
    monkeypatch.setattr(routing, "begin", lambda receipts, now: begun.append(list(receipts)))
    reclaim(checkout)
    alert(5)
    group = group_of(checkout)
    touched = routing.Touched(groups=[group], triggers={group.pk: Receipt.objects.get().trigger})
    assert routing.decide(touched, now=second(6)) == []
    assert [len(receipts) for receipts in begun] == [1, 0]
    assert begun[0][0].pk == Receipt.objects.get().pk
    assert beginning.begin([], now=second(6)) is None


def test_deciding_costs_the_same_statements_however_many_groups_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pipeline, "escalate", lambda now: 0)

    def cost(number: int, at: float) -> int:
        for _ in range(number):
            service = make_service(team=make_team(), criticality="critical")
            workload(service, ready=2)
            reclaim(service, at=at)
        with CaptureQueriesContext(connection) as context:
            alert(at + 5)
        return len(context)

    few, many = cost(1, 0), cost(8, 1000)
    assert many <= few + 2


def test_a_published_version_is_frozen_by_the_database() -> None:
    version = RuleVersion.objects.get(rule__slug="cascade")
    with pytest.raises(Exception, match="published and frozen"):
        RuleVersion.objects.filter(pk=version.pk).update(thresholds={})
