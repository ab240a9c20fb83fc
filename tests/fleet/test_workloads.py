"""The newest state of a workload wins, whenever it arrives."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from console.accounts.models import ApiToken, Scope
from console.fleet.models import WorkloadStatus
from tests.make_fleet import make_service

pytestmark = pytest.mark.django_db


@pytest.fixture
def push() -> Any:
    _, secret = ApiToken.issue("agent", scopes=[Scope.FACTS])
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    return lambda rows: client.put("/api/v1/workloads", data=rows, content_type="application/json").json()


def row(**fields: Any) -> dict[str, Any]:
    known = {
        "cluster": "prod",
        "namespace": "shop",
        "workload": "cart",
        "at": "2026-03-11T12:00:00Z",
        "wanted": 5,
        "ready": 4,
        "by_zone": {"eu-west-1a": 4},
    }
    return known | fields


def test_the_newest_state_wins_in_any_order(push: Any) -> None:
    push([row(ready=3, at="2026-03-11T12:05:00Z")])
    assert push([row(ready=5)])["stored"] == 0
    assert WorkloadStatus.objects.get().ready == 3


def test_within_one_push_the_newest_state_wins(push: Any) -> None:
    push([row(ready=3, at="2026-03-11T12:05:00Z"), row(ready=5)])
    assert WorkloadStatus.objects.get().ready == 3


def test_a_named_service_that_exists_wins_else_the_namespace_else_unattributed(push: Any) -> None:
    make_service(slug="shop").attribution_rules.create(position=1, namespace="shop")
    make_service(slug="cart")
    told = push(
        [
            row(workload="a", service="cart"),
            row(workload="b", service="missing"),
            row(workload="c"),
            row(workload="d", namespace="other"),
        ]
    )
    services = dict(WorkloadStatus.objects.values_list("workload", "service__slug"))
    assert services == {"a": "cart", "b": "shop", "c": "shop", "d": "unattributed"}
    assert [(note["index"], note["field"]) for note in told["warnings"]] == [(1, "service")]


def test_nonsense_is_refused_by_row(push: Any) -> None:
    told = push([row(), row(ready=-1), row(at="2999-01-01T00:00:00Z"), row(by_zone={"a": "x"})])
    assert [error["index"] for error in told["errors"]] == [1, 2, 3]
