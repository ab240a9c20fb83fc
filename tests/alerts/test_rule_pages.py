"""Rules as people see and change them: the list, one rule, its editor, receipts, "why not?", the API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console.accounts.models import AuditEntry, Role
from console.alerts import rule_editing
from console.alerts.models import AlertGroup, Receipt, Rule, RuleVersion
from console.alerts.registry import detector
from console.alerts.rule_checking import faults, past_of
from console.alerts.rule_forms import initial_of
from console.fleet.models import Service, Team
from tests.alerts.test_minute import fail_hooks, tick
from tests.make_accounts import make_token, make_user
from tests.make_fleet import NOON, make_machine, make_pool, make_service, make_team
from tests.make_interruptions import make_hook, make_interruption
from tests.make_reclaims import alert, make_reclaim, make_running

pytestmark = pytest.mark.django_db
MOST_QUERIES = 20


@pytest.fixture
def manager(client: Client) -> Client:
    client.force_login(make_user("mona", role=Role.MANAGER))
    return client


@pytest.fixture
def checkout() -> Service:
    return make_service(slug="checkout", name="Checkout", criticality="critical", team=make_team(slug="pay"))


def form_of(slug: str, **changed: Any) -> dict[str, Any]:
    """What the editor would send back unchanged, and what is changed in it."""
    rule = Rule.objects.get(slug=slug)
    version = rule_editing.draft_of(rule) or rule_editing.newest(rule)
    assert version is not None
    shown = initial_of(version, detector(rule.detector))
    given = {name: value for name, value in shown.items() if value is not False} | {"is_enabled": "on"}
    return (
        given
        | {"started_from": rule_editing.revision_of(rule), "change_note": "Tests", "do": "publish"}
        | changed
    )


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


def test_a_manager_publishes_a_version_that_receipts_then_name(manager: Client, checkout: Service) -> None:
    answer = manager.post("/rules/failed_hooks/edit/", form_of("failed_hooks", **{"limit-least": "2"}))
    assert (answer.status_code, answer["Location"]) == (302, "/rules/failed_hooks/")
    page = text_of(manager.get("/rules/failed_hooks/"))
    assert "What version 2 changes" in page
    assert "<del>3 hooks in 24 h</del>" in page
    entry = AuditEntry.objects.get(action="rule.publish")
    assert (entry.before["thresholds"]["least"], entry.after["thresholds"]["least"]) == (3.0, 2.0)
    fail_hooks(checkout, 2)
    tick(0, 1)
    receipt = Receipt.objects.select_related("rule_version").get()
    assert receipt.rule_version is not None
    assert receipt.rule_version.number == 2
    group = text_of(manager.get(f"/alerts/{receipt.group_id}/"))
    assert "/rules/failed_hooks/?version=2" in group
    assert "none was in force" in group
    assert "Firing for 1" in text_of(manager.get("/rules/"))


def test_a_responder_reads_rules_and_changes_none(client: Client) -> None:
    client.force_login(make_user("alice"))
    assert client.get("/rules/").status_code == 200
    assert "Change" not in text_of(client.get("/rules/cascade/")).partition("page-actions")[2][:200]
    for path in ("edit", "discard", "describe"):
        assert client.post(f"/rules/cascade/{path}/").status_code == 403


def test_two_people_do_not_overwrite_each_other(manager: Client) -> None:
    mine = form_of("cascade", **{"limit-least": "4"})
    manager.post("/rules/cascade/edit/", form_of("cascade", do="save", **{"limit-large": "12"}))
    answer = manager.post("/rules/cascade/edit/", mine)
    assert answer.status_code == 409
    assert "Somebody saved or published this rule meanwhile" in text_of(answer)
    assert RuleVersion.objects.published().filter(rule__slug="cascade").count() == 1
    assert "Discard the draft" in text_of(manager.get("/rules/cascade/"))
    manager.post("/rules/cascade/discard/")
    assert not RuleVersion.objects.drafts().exists()


NEVER = [
    ("interruption_rate", {"limit-red": "20000"}, "it could never hold at 20000"),
    ("interruption_rate", {"limit-red": "4"}, "The limit lies below the target"),
    ("graceful_shutdown", {"limit-red": "0.99"}, "The limit lies above the target"),
    ("failed_hooks", {"limit-least": "2.5"}, "write a whole number"),
    ("failed_hooks", {"scope-label": "tier"}, "Write the label as name=value"),
    ("failed_hooks", {"scope-pool": "aws/nowhere/a/m5"}, "The scope is empty"),
    ("failed_hooks", {"evaluations": "10", "cooldown": "5"}, "The cooldown is shorter"),
    ("pending_moves", {"limit-pending_s": "90000"}, "it could never hold at 90000"),
    ("failed_hooks", {f"table-holds-{of}": "log" for of in detector("failed_hooks").table["holds"]},
     "nobody would ever hear of it"),
    ("failed_hooks", {"change_note": ""}, "Say in a sentence what changed"),
    ("failed_hooks", {}, "Nothing differs from version 1"),
]  # fmt: skip


@pytest.mark.parametrize(("slug", "changed", "why"), NEVER)
def test_what_could_never_fire_is_refused(
    manager: Client, slug: str, changed: dict[str, str], why: str
) -> None:
    changed = {"limit-share": "0.2"} | changed if slug == "failed_hooks" and changed else changed
    answer = manager.post(f"/rules/{slug}/edit/", form_of(slug, **changed))
    assert answer.status_code in (200, 422)
    assert why in text_of(answer)
    assert RuleVersion.objects.filter(rule__slug=slug).count() == 1


def test_what_would_have_fired_nearly_all_the_time_is_asked_twice(manager: Client, checkout: Service) -> None:
    now = timezone.now()
    for hours in range(0, 7 * 24, 6):
        machine = make_machine(service=checkout)
        one = make_interruption(machine=machine, started_at=now - timedelta(hours=hours + 1))
        make_hook(one, outcome="failed")
    given = form_of("failed_hooks", **{"limit-least": "1"})
    answer = text_of(manager.post("/rules/failed_hooks/edit/", given))
    assert "It would have held nearly all the time" in answer
    assert "nearly all the time for 1: checkout (14 of 14 looks)" in answer
    assert manager.post("/rules/failed_hooks/edit/", given | {"sure": "yes"}).status_code == 302
    look = text_of(
        manager.post("/rules/failed_hooks/edit/", form_of("failed_hooks", do="look", **{"limit-least": "50"}))
    )
    assert "it would have held for 0 of 1" in look


def test_looking_back_at_cascades_counts_the_waves_that_would_have_opened() -> None:
    pool = make_pool()
    for n, machine in enumerate(make_running(pool, 20)[:5]):
        make_interruption(machine=machine, pool=pool, started_at=NOON + timedelta(seconds=n))
    version = RuleVersion.objects.get(rule__slug="cascade")
    past = past_of(version, now=NOON + timedelta(hours=1))
    assert (past.words, past.is_constant) == ("5 reclaims of the last 7 days would have been 1 wave.", False)


def test_a_further_rule_is_for_a_part_of_the_services(manager: Client, checkout: Service) -> None:
    answer = manager.post("/rules/new/", {"name": "Payments hooks", "detector": "failed_hooks"})
    assert answer["Location"] == "/rules/payments-hooks/edit/"
    given = form_of("payments-hooks", **{"scope-team": "pay", "limit-least": "1"})
    assert manager.post("/rules/payments-hooks/edit/", given).status_code == 302
    fail_hooks(checkout, 1)
    tick(0, 1)
    assert AlertGroup.objects.get().key == "payments-hooks:checkout"
    about = {"name": "Payments", "team": checkout.team_id, "runbook": ""}
    manager.post("/rules/payments-hooks/describe/", about)
    assert Rule.objects.get(slug="payments-hooks").team == checkout.team


def test_no_default_rule_has_a_fault() -> None:
    for version in RuleVersion.objects.select_related("rule"):
        assert faults(version) == [], version


@pytest.mark.parametrize("state", ["noticed", "at_risk"])
def test_why_nobody_was_told_stands_on_every_quiet_reclaim(
    manager: Client, checkout: Service, state: str
) -> None:
    one = make_reclaim(make_machine(service=checkout), state=state)
    alert(5)
    with CaptureQueriesContext(connection) as context:
        page = text_of(manager.get(f"/interruptions/{one.pk}/why/"))
    assert len(context) <= MOST_QUERIES
    if state == "at_risk":
        assert "hints are in no group" in page
        return
    assert "Nobody was told. Handled without anybody: shown on the board" in page
    assert "replicas not reported" in page
    assert "It looks once a minute, and has not yet." in page
    assert "page or ticket" in page
    assert f"/interruptions/{one.pk}/why/" in text_of(manager.get(f"/interruptions/{one.pk}/"))


@pytest.mark.parametrize(
    "path", ["/rules/", "/rules/cascade/", "/rules/failed_hooks/", "/rules/failed_hooks/edit/"]
)
def test_pages_of_rules_cost_few_queries_whatever_is_there(manager: Client, path: str) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as context:
            assert manager.get(path).status_code == 200
        return len(context)

    before = cost()
    for n in range(6):
        fail_hooks(make_service(slug=f"s-{n}", team=make_team()))
        make_reclaim(make_machine(service=Service.objects.get(slug=f"s-{n}")), at=n)
    tick(0, 1)
    alert(10)
    assert before <= MOST_QUERIES
    assert cost() <= before + 1


def test_rules_and_receipts_are_read_by_programs(client: Client, checkout: Service) -> None:
    fail_hooks(checkout)
    tick(0, 1)
    read = {"headers": {"Authorization": f"Bearer {make_token()[1]}"}}
    rules = {row["slug"]: row for row in client.get("/api/v1/rules?limit=100", **read).json()["items"]}
    assert (rules["failed_hooks"]["firing"], rules["failed_hooks"]["state"]) == (1, "firing")
    assert rules["cascade"]["version"]["thresholds"]["large"] == 10
    (state,) = client.get("/api/v1/rules/failed_hooks/states", **read).json()["items"]
    assert (state["scope"], state["standing"], state["in_a_row"]) == ("checkout", "firing", 2)
    group = AlertGroup.objects.get()
    (receipt,) = client.get(f"/api/v1/alert-groups/{group.pk}/receipts", **read).json()["items"]
    assert (receipt["decision"], receipt["rule"], receipt["rule_version"]) == ("ticket", "failed_hooks", 1)
    assert receipt["windows"]["long"]["value"] == 3
    (version,) = client.get("/api/v1/rules/failed_hooks/versions", **read).json()["items"]
    assert (version["number"], version["cooldown_s"]) == (1, 1800)
    assert client.get("/api/v1/rules?colour=red", **read).status_code == 422
    assert b"failed_hooks" in b"".join(client.get("/api/v1/rules?format=csv", **read).streaming_content)
    assert client.get("/api/v1/rules/nothing", **read).status_code == 404


def test_one_team_is_the_platforms(manager: Client) -> None:
    one, two = make_team(slug="one"), make_team(slug="two")
    for team in (one, two):
        manager.post(f"/services/teams/{team.slug}/platform/", {"is": "yes"})
    assert list(Team.objects.filter(is_platform=True)) == [two]
    manager.post("/services/teams/one/platform/", {"is": "no"})
    manager.post("/services/teams/two/platform/", {"is": "no"})
    assert not Team.objects.filter(is_platform=True).exists()
    assert AuditEntry.objects.filter(action="team.platform").count() == 3
