"""Services and instances for programs: read by filter, changed with an audit entry."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from console.accounts.models import AuditEntry, Scope
from console.fleet.models import Service
from tests.make_accounts import make_token, make_user
from tests.make_fleet import NOON, make_interval, make_machine, make_service, make_team

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> Client:
    _, secret = make_token(Scope.READ, Scope.MANAGE)
    return Client(headers={"Authorization": f"Bearer {secret}"})


def put(api: Client, slug: str, **fields: Any) -> Any:
    return api.put(f"/api/v1/services/{slug}", fields, content_type="application/json")


def test_a_service_is_created_then_changed_and_what_is_left_out_stays(api: Client) -> None:
    make_user("olga", email="olga@example.com")
    made = put(api, "web", name="Web", team="payments", owner="olga@example.com", kind="ci_runners")
    again = put(api, "web", criticality="critical")
    assert (made.status_code, again.status_code) == (201, 200)
    told = api.get("/api/v1/services/web").json()
    assert (told["name"], told["team"], told["owner"], told["criticality"]) == (
        "Web",
        "payments",
        "olga@example.com",
        "critical",
    )
    assert AuditEntry.objects.get(action="service.update").after == {"criticality": "critical"}


def test_saying_the_same_again_is_no_change(api: Client) -> None:
    put(api, "web", name="Web")
    put(api, "web", name="Web")
    assert AuditEntry.objects.filter(subject_kind="service").count() == 1


@pytest.mark.parametrize(
    ("slug", "fields", "field"),
    [
        ("web", {"kind": "spaceship"}, "kind"),
        ("web", {"log_url": "ftp://x/"}, "log_url"),
        ("web", {"owner": "nobody@example.com"}, "owner"),
        ("web", {"colour": "red"}, "colour"),
        ("web", {"name": "a\x00b"}, "name"),
        ("rules", {}, "slug"),
        ("a b", {}, "slug"),
    ],
)
def test_a_wrong_service_is_refused_with_the_field(
    api: Client, slug: str, fields: dict[str, str], field: str
) -> None:
    answer = put(api, slug, **fields)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    assert not Service.objects.exists()


def test_a_reader_may_not_change_services() -> None:
    _, secret = make_token(Scope.READ)
    assert put(Client(headers={"Authorization": f"Bearer {secret}"}), "web").status_code == 403


def test_services_are_filtered_and_say_what_runs(api: Client) -> None:
    web = make_service(slug="web", team=make_team(slug="payments"))
    make_service(slug="other")
    make_interval(machine=make_machine(service=web))
    make_interval(machine=make_machine(service=web), ended_at=NOON)
    web.workloads.create(namespace="n", workload="w", at=NOON, wanted=3, ready=2, pending=1)
    (found,) = api.get("/api/v1/services?team=payments").json()["items"]
    assert (found["running_instances"], found["workloads_ready"], found["workloads_wanted"]) == (1, 2, 3)
    other = api.get("/api/v1/services/other").json()
    assert (other["running_instances"], other["workloads_ready"]) == (None, None)


def test_a_missing_service_is_a_problem(api: Client) -> None:
    answer = api.get("/api/v1/services/nothing")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_instances_are_filtered_newest_first_with_their_newest_interval(api: Client) -> None:
    old = make_machine(instance_id="i-old", last_seen_at=NOON.replace(hour=1))
    make_interval(machine=old, ended_at=NOON, end_cause="spot")
    make_interval(machine=make_machine(instance_id="i-new"), lifecycle="on-demand")
    make_machine(instance_id="j-3", region="us-east-1", last_seen_at=NOON.replace(hour=2))
    every = api.get("/api/v1/instances").json()["items"]
    assert [(each["instance_id"], each["is_running"], each["end_cause"]) for each in every] == [
        ("i-new", True, ""),
        ("j-3", None, ""),
        ("i-old", False, "spot"),
    ]
    for query, expected in (
        ("q=i-", ["i-new", "i-old"]),
        ("running=yes", ["i-new"]),
        ("lifecycle=on-demand", ["i-new"]),
        ("region=us-east-1", ["j-3"]),
        ("service=unattributed&limit=1", ["i-new"]),
    ):
        items = api.get(f"/api/v1/instances?{query}").json()["items"]
        assert [each["instance_id"] for each in items] == expected, query


@pytest.mark.parametrize("path", ["services?q=%00", "instances?q=%00", "services/a%00b"])
def test_a_nul_byte_in_a_question_is_refused(api: Client, path: str) -> None:
    answer = api.get(f"/api/v1/{path}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
