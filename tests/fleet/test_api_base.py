"""Every list of the API pages by cursor, streams CSV, and speaks problem JSON when it cannot."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.test import Client

from console.accounts.models import ApiToken, Scope
from tests.make_fleet import make_service

pytestmark = pytest.mark.django_db


def reader(*scopes: Scope, **fields: Any) -> Client:
    _, secret = ApiToken.issue("test", scopes=list(scopes or [Scope.READ]), **fields)
    return Client(headers={"Authorization": f"Bearer {secret}"})


def test_a_list_is_paged_without_gaps_while_rows_arrive() -> None:
    for number in range(5):
        make_service(slug=f"s{number}")
    client, seen, url = reader(), [], "/api/v1/services?limit=2"
    while url:
        page = client.get(url).json()
        seen += [item["slug"] for item in page["items"]]
        make_service(slug=f"a{len(seen)}")  # sorts before everything already shown
        url = f"/api/v1/services?limit=2&cursor={page['next']}" if page["next"] else ""
    assert seen == ["s0", "s1", "s2", "s3", "s4"]


@pytest.mark.parametrize("cursor", ["x", "WzFd:abc", "eyJhIjoxfQ:1:2", "\x00", "a" * 5000])
def test_a_forged_cursor_is_refused_with_what_to_do(cursor: str) -> None:
    answer = reader().get("/api/v1/services", {"cursor": cursor})
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "bad_cursor"


@pytest.mark.parametrize("limit", ["0", "501", "many"])
def test_a_page_size_out_of_bounds_is_refused(limit: str) -> None:
    answer = reader().get("/api/v1/services", {"limit": limit})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "limit")


def test_csv_carries_every_row_and_defuses_formulas() -> None:
    make_service(slug="calm", name="Calm, and quoted")
    make_service(slug="evil", name='=HYPERLINK("https://example.com")')
    answer = reader().get("/api/v1/services?format=csv&limit=1")
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))  # type: ignore[attr-defined]
    assert [row["name"] for row in rows] == ["Calm, and quoted", '\'=HYPERLINK("https://example.com")']


def test_a_token_reads_only_its_own_origin() -> None:
    make_service(slug="real")
    make_service(slug="drilled", origin="drill")
    items = reader(origin="drill").get("/api/v1/services").json()["items"]
    assert [item["slug"] for item in items] == ["drilled"]


def test_a_stranger_gets_401_and_a_lesser_token_403() -> None:
    stranger = Client().get("/api/v1/services")
    assert (stranger.status_code, stranger.json()["code"]) == (401, "unauthenticated")
    assert stranger["WWW-Authenticate"] == "Bearer"
    lesser = reader(Scope.FACTS).get("/api/v1/services")
    assert (lesser.status_code, lesser.json()["code"]) == (403, "forbidden")


def test_an_unknown_address_is_a_problem_not_a_page() -> None:
    answer = Client().get("/api/v1/nowhere/at/all")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


def test_the_description_is_readable_without_a_token() -> None:
    described = Client().get("/api/v1/openapi.json").json()
    assert "/api/v1/services" in described["paths"]
