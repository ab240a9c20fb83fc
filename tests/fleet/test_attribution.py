"""The first rule that fits takes a machine; the tester, the pipeline and SQL agree."""

from __future__ import annotations

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.accounts.audit import Actor
from console.accounts.models import ApiToken, AuditEntry, Scope
from console.fleet.attribution import Traits, explain, read_rules
from console.fleet.models import AttributionRule, Machine, Service
from console.fleet.reattribution import reattribute
from console.fleet.rule_changes import BadRule, Draft, add_rule, delete_rule, move_rule, would_move
from tests.make_fleet import NOON, make_interval, make_machine, make_service

pytestmark = pytest.mark.django_db
ACTOR = Actor.console("test")


def test_the_first_rule_that_fits_wins() -> None:
    first, second = make_service(slug="a"), make_service(slug="b")
    first.attribution_rules.create(position=1, region="eu-west-1", tags={"app": "x"})
    second.attribution_rules.create(position=2, region="eu-west-1")
    rules = read_rules("live")
    assert rules.service_of(Traits(region="eu-west-1"), {"app": "x"}) == first.pk
    assert rules.service_of(Traits(region="eu-west-1"), {"app": "y"}) == second.pk
    assert rules.service_of(Traits(region="us-east-1"), {"app": "x"}) == rules.unattributed_id


def test_the_tester_says_why_each_earlier_rule_did_not_take_it() -> None:
    make_service(slug="a").attribution_rules.create(position=1, region="us-east-1", tags={"app": "x"})
    make_service(slug="b").attribution_rules.create(position=2, provider="aws")
    make_service(slug="c").attribution_rules.create(position=3, provider="aws")
    told = explain(Traits(provider="aws", region="eu-west-1"), read_rules("live"), tags={})
    assert told.rule is not None
    assert told.rule.service_slug == "b"
    assert told.verdicts[0].because == ("region is eu-west-1, not us-east-1", "tag app is missing, not x")
    assert [(one.takes, one.is_reached) for one in told.verdicts] == [
        (False, True),
        (True, True),
        (True, False),
    ]


def test_a_declared_service_is_explained() -> None:
    make_service(slug="a").attribution_rules.create(position=1, provider="aws")
    make_service(slug="chosen")
    rules = read_rules("live")
    assert explain(Traits(provider="aws"), rules, tags={}, declared="chosen").by == "declared"
    told = explain(Traits(provider="aws"), rules, tags={}, declared="gone")
    assert (told.by, "no such service" in told.note) == ("rule", True)


def test_rules_are_those_of_the_same_origin_and_drills_may_name_live_services() -> None:
    live = make_service(slug="shop")
    live.attribution_rules.create(position=1, provider="aws")
    drill = read_rules("drill")
    assert drill.service_of(Traits(provider="aws"), {}) == drill.unattributed_id
    assert drill.service_of(Traits(), {}, declared="shop") == live.pk
    assert "shop" not in read_rules("sample").services


WORDS = st.sampled_from(["", "a", "b"])
CONDITIONS = st.fixed_dictionaries(
    {
        "provider": WORDS,
        "region": WORDS,
        "node_pool": WORDS,
        "tags": st.dictionaries(st.sampled_from("xy"), WORDS),
    }
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    asked=st.lists(CONDITIONS.filter(lambda one: any(one.values())), max_size=5),
    have=st.lists(CONDITIONS, min_size=1, max_size=6),
    declared=st.sampled_from(["", "s-0", "nothing"]),
)
def test_the_matcher_and_the_stored_rules_agree(
    asked: list[dict[str, object]], have: list[dict[str, object]], declared: str
) -> None:
    Machine.objects.all().delete()
    AttributionRule.objects.all().delete()
    for place, conditions in enumerate(asked):
        service = Service.objects.get_or_create(slug=f"s-{place}")[0]
        AttributionRule.objects.create(position=place + 1, service=service, **conditions)
    machines = [make_machine(**traits, declared_service=declared) for traits in have]
    reattribute("live", now=NOON)
    rules = read_rules("live")
    for machine in machines:
        machine.refresh_from_db()
        traits = Traits(provider=machine.provider, region=machine.region, node_pool=machine.node_pool)
        traits = traits._replace(account=machine.account)
        assert machine.service_id == rules.service_of(traits, machine.tags, declared=declared)


def test_a_new_rule_moves_machines_and_open_intervals_and_leaves_an_audit_entry() -> None:
    service = make_service(slug="web")
    machine = make_machine(node_pool="web")
    was, now_open = make_interval(machine=machine, ended_at=NOON), None
    now_open = make_interval(machine=machine, started_at=NOON)
    _, moved = add_rule(Draft("web", node_pool="web"), origin="live", actor=ACTOR, now=NOON)
    for each in (machine, was, now_open):
        each.refresh_from_db()
    assert (machine.service, now_open.service, was.service.slug) == (service, service, "unattributed")
    assert [one.machine_id for one in moved] == [machine.pk]
    assert AuditEntry.objects.get(action="attribution-rule.create").after == {
        "position": 1,
        "service": "web",
        "node_pool": "web",
    }


def test_a_preview_counts_and_changes_nothing() -> None:
    make_service(slug="web")
    machine = make_machine(node_pool="web")
    draft = Draft("web", node_pool="web")
    moved = would_move(lambda: add_rule(draft, origin="live", actor=ACTOR, now=NOON)[1])
    machine.refresh_from_db()
    assert (len(moved), machine.service.slug) == (1, "unattributed")
    assert not AttributionRule.objects.exists()


def test_rules_swap_places_and_close_ranks() -> None:
    make_service(slug="a")
    rules = [add_rule(Draft("a", region=f"r{n}"), origin="live", actor=ACTOR, now=NOON)[0] for n in range(3)]
    move_rule(rules[2], is_up=True, actor=ACTOR, now=NOON)
    move_rule(rules[2], is_up=True, actor=ACTOR, now=NOON)
    assert move_rule(rules[2], is_up=True, actor=ACTOR, now=NOON) == []
    rules[0].refresh_from_db()
    delete_rule(rules[0], actor=ACTOR, now=NOON)
    left = AttributionRule.objects.order_by("position").values_list("position", "region")
    assert list(left) == [(1, "r2"), (2, "r1")]


def test_a_rule_without_conditions_or_service_is_refused() -> None:
    make_service(slug="a")
    with pytest.raises(BadRule, match="at least one condition"):
        add_rule(Draft("a"), origin="live", actor=ACTOR, now=NOON)
    with pytest.raises(BadRule, match="no service b"):
        add_rule(Draft("b", region="x"), origin="live", actor=ACTOR, now=NOON)


def test_the_api_replaces_the_whole_list_or_nothing() -> None:
    make_service(slug="a").attribution_rules.create(position=1, region="x")
    _, secret = ApiToken.issue("ops", scopes=[Scope.READ, Scope.MANAGE])
    client = Client(headers={"Authorization": f"Bearer {secret}"})

    def put(rules: list[dict[str, object]]) -> tuple[int, dict[str, object]]:
        answer = client.put("/api/v1/attribution-rules", rules, content_type="application/json")
        return answer.status_code, answer.json()

    status, told = put([{"service": "a", "region": "y"}, {"service": "gone", "region": "z"}])
    assert (status, told["detail"]) == (422, "Rule 2: There is no service gone.")
    assert put([{"service": "a", "region": "y"}, {"service": "a", "tags": {"k": "v"}}])[0] == 200
    listed = client.get("/api/v1/attribution-rules").json()["items"]
    assert [(rule["position"], rule["region"], rule["tags"]) for rule in listed] == [
        (1, "y", {}),
        (2, "", {"k": "v"}),
    ]
