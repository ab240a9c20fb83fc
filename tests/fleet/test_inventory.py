"""Inventory may come late, twice, in parts and with bad rows; the intervals come out right."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from console.accounts.models import ApiToken, Scope
from console.fleet.models import Machine, Pool, RunningInterval
from tests.make_fleet import make_service

pytestmark = pytest.mark.django_db
START = datetime.fromisoformat("2026-03-01T10:00:00+00:00")


@pytest.fixture
def push() -> Any:
    _, secret = ApiToken.issue("agent", scopes=[Scope.FACTS])
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    return lambda rows: client.put("/api/v1/inventory", data=rows, content_type="application/json")


def row(**fields: Any) -> dict[str, Any]:
    known = {
        "provider": "aws",
        "account": "111122223333",
        "region": "eu-west-1",
        "zone": "eu-west-1a",
        "instance_id": "i-1",
        "instance_type": "m7i.large",
        "os": "linux",
        "lifecycle": "spot",
        "started_at": START.isoformat(),
    }
    return known | fields


def at(hours: float) -> str:
    return (START + timedelta(hours=hours)).isoformat()


def intervals() -> list[tuple[float, float | None, str]]:
    def hours(moment: datetime | None) -> float | None:
        return None if moment is None else (moment - START) / timedelta(hours=1)

    found = RunningInterval.objects.order_by("started_at")
    return [(hours(each.started_at) or 0.0, hours(each.ended_at), each.lifecycle) for each in found]


def test_a_push_makes_machine_pool_and_open_interval_and_a_repeat_changes_nothing(push: Any) -> None:
    first, again = push([row()]).json(), push([row()]).json()
    assert (first["stored"], first["unchanged"]) == (1, 0)
    assert (again["stored"], again["unchanged"]) == (0, 1)
    assert Machine.objects.get().pool == Pool.objects.get()
    assert intervals() == [(0.0, None, "spot")]


def test_an_older_report_does_not_open_a_closed_interval_again(push: Any) -> None:
    push([row(ended_at=at(2), end_cause="spot")])
    push([row()])
    assert intervals() == [(0.0, 2.0, "spot")]
    assert RunningInterval.objects.get().end_cause == "spot"


def test_a_new_start_after_an_end_opens_the_next_interval(push: Any) -> None:
    push([row(ended_at=at(2))])
    push([row(started_at=at(3), replaces="i-0", lifecycle="on-demand")])
    assert intervals() == [(0.0, 2.0, "spot"), (3.0, None, "on-demand")]
    assert RunningInterval.objects.get(ended_at=None).replaces == "i-0"


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_a_start_that_was_overtaken_is_closed_where_the_next_begins(push: Any, order: list[int]) -> None:
    rows = [row(), row(started_at=at(5))]
    for index in order:
        push([rows[index]])
    assert intervals() == [(0.0, 5.0, "spot"), (5.0, None, "spot")]


def test_two_lives_in_one_push_are_two_intervals(push: Any) -> None:
    assert push([row(started_at=at(5)), row()]).json()["stored"] == 2
    assert intervals() == [(0.0, 5.0, "spot"), (5.0, None, "spot")]


def test_an_end_without_a_start_closes_what_is_open(push: Any) -> None:
    push([row()])
    push([row(started_at=None, ended_at=at(4), lifecycle=None)])
    push([row(started_at=None, ended_at=at(4), lifecycle=None)])
    assert intervals() == [(0.0, 4.0, "spot")]


def test_a_running_machine_is_noted_as_listed_and_an_ended_one_is_not(push: Any) -> None:
    push([row(), row(instance_id="i-2", ended_at=at(1))])
    listed = dict(Machine.objects.values_list("instance_id", "listed_at"))
    assert listed["i-1"] is not None
    assert listed["i-2"] is None


def test_bad_rows_are_listed_and_the_good_one_is_taken(push: Any) -> None:
    answer = push(
        [
            row(instance_id=None),
            row(),
            "text",
            row(lifecycle="cheap"),
            row(ended_at=at(-1)),
            row(colour="red"),
            row(started_at="2999-01-01T00:00:00Z"),
            row(instance_id="i-\x00"),
            row(started_at="2026-03-01T10:00:00"),
        ]
    )
    told = answer.json()
    assert (answer.status_code, told["stored"], told["rejected"]) == (200, 1, 8)
    assert [(error["index"], error["field"]) for error in told["errors"]] == [
        (0, "instance_id"),
        (2, ""),
        (3, "lifecycle"),
        (4, "ended_at"),
        (5, "colour"),
        (6, "started_at"),
        (7, "instance_id"),
        (8, "started_at"),
    ]
    assert all(error["detail"] for error in told["errors"])


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("[{]", 400, "not_json"),
        ('{"a": 1}', 422, "not_a_list"),
        ('[{"provider": 1}]', 422, "no_valid_rows"),
        ("[" * 10_000, 400, "not_json"),
        ("[" + ",".join(["{}"] * 10_001) + "]", 413, "too_many_rows"),
        ('"' + "x" * (10 * 2**20) + '"', 413, "body_too_large"),
        (b"\xff\xfe", 400, "not_json"),
    ],
)
def test_a_body_that_cannot_be_taken_is_a_problem_with_its_code(
    push: Any, body: str, status: int, code: str
) -> None:
    answer = push(body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert Machine.objects.count() == 0


def test_an_empty_list_is_no_error(push: Any) -> None:
    assert push([]).json()["stored"] == 0


def test_tags_decide_the_service_and_follow_when_they_change(push: Any) -> None:
    web, batch = make_service(slug="web"), make_service(slug="batch")
    web.attribution_rules.create(position=1, tags={"app": "web"})
    batch.attribution_rules.create(position=2, tags={"app": "batch"})
    push([row(tags={"app": "web", "x": "y"})])
    assert RunningInterval.objects.get().service == web
    push([row(tags={"app": "batch"})])
    assert RunningInterval.objects.get().service == Machine.objects.get().service == batch


def test_a_declared_service_wins_over_the_tags(push: Any) -> None:
    make_service(slug="web").attribution_rules.create(position=1, tags={"app": "web"})
    make_service(slug="chosen")
    push([row(tags={"app": "web"}, service="chosen")])
    assert Machine.objects.get().service.slug == "chosen"


def test_a_thousand_rows_cost_as_many_statements_as_ten(push: Any) -> None:
    push([row(instance_id="warm-up")])
    counts = []
    for count in (10, 1000):
        rows = [row(instance_id=f"i-{count}-{n}", instance_type=f"t{n % 7}") for n in range(count)]
        with CaptureQueriesContext(connection) as queries:
            assert push(rows).json()["stored"] == count
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert RunningInterval.objects.count() == 1011


def test_a_token_without_the_scope_may_not_push() -> None:
    _, secret = ApiToken.issue("reader", scopes=[Scope.READ])
    answer = Client(headers={"Authorization": f"Bearer {secret}"}).put(
        "/api/v1/inventory", data=[row()], content_type="application/json"
    )
    assert answer.status_code == 403


def test_what_a_drill_token_pushes_is_drill_data() -> None:
    _, secret = ApiToken.issue("drill", scopes=[Scope.FACTS], origin="drill")
    Client(headers={"Authorization": f"Bearer {secret}"}).put(
        "/api/v1/inventory", data=[row()], content_type="application/json"
    )
    assert set(Machine.objects.values_list("origin", "intervals__origin", "service__origin")) == {
        ("drill", "drill", "drill")
    }


@pytest.mark.parametrize("unset", ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z"])
def test_a_time_that_stands_for_none_is_refused_and_the_other_rows_are_taken(push: Any, unset: str) -> None:
    answer = push([row(), row(instance_id="i-2", started_at=unset)]).json()
    assert [(error["index"], error["field"]) for error in answer["errors"]] == [(1, "started_at")]
    assert intervals() == [(0.0, None, "spot")]
