"""`/api/v1/measures/…` as a program sees it, and the rows that its links open."""

from __future__ import annotations

import csv
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from console.interruptions.models import RollupState
from console.interruptions.queries import ReclaimFilters, reclaims
from console.interruptions.rollups import roll_up
from tests.make_accounts import make_token
from tests.make_fleet import make_interval, make_machine, make_pool, make_service
from tests.make_interruptions import make_hook, make_interruption, make_move

pytestmark = pytest.mark.django_db


@pytest.fixture
def get(client: Client) -> Any:
    _, secret = make_token()

    def call(path: str, **query: Any) -> Any:
        return client.get(f"/api/v1/measures/{path}", query, headers={"Authorization": f"Bearer {secret}"})

    return call


@pytest.fixture(autouse=True)
def fleet() -> None:
    now = timezone.now()
    for slug, count in (("checkout", 2), ("search", 1)):
        machine = make_machine(service=make_service(slug=slug), pool=make_pool())
        make_interval(machine=machine, started_at=now - timedelta(days=7))
        for number in range(count):
            interruption = make_interruption(machine=machine, started_at=now - timedelta(hours=5 + number))
            make_hook(interruption, outcome="complete" if number else "failed")
            make_move(interruption, seconds=12 + number)
    make_interruption(state="cancelled", started_at=now - timedelta(hours=3))
    roll_up(now=now)


def test_the_rate_comes_with_everything_that_makes_it_honest(get: Any) -> None:
    rate, share = get("m1").json()["items"]
    assert (rate["name"], rate["n"], rate["status"], rate["target"]) == ("m1", 3, "grey", 5.0)
    assert rate["value"] == pytest.approx(150, rel=0.01)
    assert rate["interval"]["low"] < rate["value"] < rate["interval"]["high"]
    assert rate["window"]["until"] == rate["as_of"]
    assert rate["reason"].endswith("needs 20.")
    assert (share["name"], share["figures"]["ran"]) == ("m1b", 2)


def test_its_link_opens_exactly_the_rows_counted(get: Any) -> None:
    for item in get("m1", by="service").json()["items"]:
        query = {name: values[0] for name, values in parse_qs(urlsplit(item["rows_url"]).query).items()}
        rows = reclaims(origin="live", filters=ReclaimFilters.of(query))
        if item["name"] == "m1":
            assert rows.count() == item["n"]
        else:
            assert len({row.machine_id for row in rows}) == item["figures"]["interrupted"]


def test_the_parts_of_m2_open_their_rows(get: Any) -> None:
    (item,) = get("m2").json()["items"]
    query = {name: values[0] for name, values in parse_qs(urlsplit(item["rows_url"]).query).items()}
    for part in ("complete", "partial", "failed", "no_report", "no_notice"):
        rows = reclaims(origin="live", filters=ReclaimFilters.of(query | {"outcome": part}))
        assert rows.count() == item["figures"][part]
    assert item["figures"]["failed"] == 2


def test_latency_answers_a_class_each(get: Any) -> None:
    stateless, batch = get("m3").json()["items"]
    assert (stateless["n"], stateless["value"], stateless["target"]) == (3, 13, 30)
    assert (batch["n"], batch["value"], batch["target"]) == (0, None, 300)


def test_filters_and_groups_combine(get: Any) -> None:
    items = get("m1", by="provider", service="checkout").json()["items"]
    assert [(item["key"], item["n"]) for item in items if item["name"] == "m1"] == [("aws", 2)]
    assert get("m1", region="nowhere").json()["items"][0]["n"] == 0


def test_a_past_window_leaves_out_what_came_later(get: Any) -> None:
    until = (timezone.now() - timedelta(hours=10)).isoformat()
    assert get("m1", until=until).json()["items"][0]["n"] == 0


def test_as_csv_the_columns_are_the_fields(get: Any) -> None:
    response = get("m1", by="service", format="csv")
    rows = list(csv.DictReader(b"".join(response.streaming_content).decode().splitlines()))
    assert {row["key"] for row in rows} == {"checkout", "search"}
    assert response["Content-Type"].startswith("text/csv")


def test_an_origin_without_a_roll_up_says_so(client: Client) -> None:
    RollupState.objects.filter(origin="drill").delete()
    _, secret = make_token(origin="drill")
    response = client.get("/api/v1/measures/m1", headers={"Authorization": f"Bearer {secret}"})
    (item,) = response.json()["items"]
    assert (item["value"], item["status"], item["as_of"]) == (None, "grey", None)


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("m5", {}, 501),
        ("m11", {}, 404),
        ("m1", {"window": "a fortnight"}, 422),
        ("m1", {"window": "9999d"}, 422),
        ("m1", {"by": "moon"}, 422),
        ("m1", {"until": "2026-03-11T12:00:00"}, 422),
    ],
)
def test_what_cannot_be_answered_is_a_problem(
    get: Any, path: str, query: dict[str, str], status: int
) -> None:
    response = get(path, **query)
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"


def test_without_a_token_nothing_is_told(client: Client) -> None:
    assert client.get("/api/v1/measures/m1").status_code == 401
