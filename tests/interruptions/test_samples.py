"""Samples are stored once a point, and belong to services that exist."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from console.accounts.models import Scope
from console.interruptions.models import Sample
from tests.make_accounts import make_token
from tests.make_fleet import make_service

pytestmark = pytest.mark.django_db


@pytest.fixture
def push() -> Any:
    _, secret = make_token(Scope.FACTS)
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    return lambda rows: client.put("/api/v1/samples", data=rows, content_type="application/json")


def row(**fields: Any) -> dict[str, Any]:
    return {"service": "web", "signal": "queue_depth", "at": "2026-03-11T12:00:00Z", "value": 7} | fields


def test_a_point_is_stored_once_and_takes_the_newer_value(push: Any) -> None:
    make_service(slug="web")
    assert push([row(), row()]).json()["stored"] == 1
    assert push([row()]).json()["stored"] == 0
    assert push([row(value=9), row(replica="b", value=None)]).json()["stored"] == 2
    assert sorted(Sample.objects.values_list("replica", "value"), key=str) == [("", 9.0), ("b", None)]


def test_points_of_a_service_that_does_not_exist_are_refused_by_row(push: Any) -> None:
    make_service(slug="web")
    told = push([row(), row(service="gone"), row(at="2999-01-01T00:00:00Z"), row(signal="")]).json()
    assert (told["stored"], [error["index"] for error in told["errors"]]) == (1, [1, 2, 3])
    refused = push([row(service="gone")])
    assert (refused.status_code, refused.json()["code"]) == (422, "no_valid_rows")
