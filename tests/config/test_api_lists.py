"""Every list of the API refuses what it does not know. The lists are read from the API's own description."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from console.accounts.models import Scope
from console.alerts.models import AlertGroup, Replay, Rule, Suppression
from console.config.api import api
from tests.make_accounts import make_token
from tests.make_feeds import make_feed
from tests.make_fleet import make_service
from tests.make_oncall import make_rotation
from tests.make_reclaims import second
from tests.make_suppressions import make_suppression

pytestmark = pytest.mark.django_db
Described = dict[str, Any]
SCHEMA = api.get_openapi_schema(path_prefix="/api/v1/")
PLACES = {"{name}": "m1", "{slug}": "spot-incident"}
"""A value of each path parameter that a list can have; a runbook and a feed go by the same name."""
REFUSED = {
    "format": "xml",
    "limit": "501",
    "cursor": "x",
    "since": "yesterday",
    "until": "2026-03-11T14:00:00",
    "window": "7 days",
}


def lists() -> dict[str, Described]:
    """The calls that answer `{"items", "next"}`, by path."""
    found = {}
    for path, operations in SCHEMA["paths"].items():
        answer = operations.get("get", {}).get("responses", {}).get(200, {})
        reference = answer.get("content", {}).get("application/json", {}).get("schema", {}).get("$ref", "")
        properties = (
            SCHEMA["components"]["schemas"].get(reference.rsplit("/", 1)[-1], {}).get("properties", {})
        )
        if {"items", "next"} <= properties.keys():
            found[path] = operations["get"]
    return found


LISTS = lists()


def parameters(path: str) -> list[Described]:
    return [one for one in LISTS[path].get("parameters", []) if one["in"] == "query"]


def choices(parameter: Described) -> list[str]:
    """The words a parameter takes, or none where it takes any."""
    schema = parameter["schema"]
    for one in (schema, *schema.get("anyOf", []), *schema.get("allOf", [])):
        name = one.get("$ref", "").rsplit("/", 1)[-1]
        words = one.get("enum") or SCHEMA["components"]["schemas"].get(name, {}).get("enum")
        if words:
            return [str(word) for word in words]
    return []


def is_kind(parameter: Described, kind: str) -> bool:
    schema = parameter["schema"]
    return any(one.get("type") == kind for one in (schema, *schema.get("anyOf", [])))


def bad_values(path: str) -> list[tuple[str, str]]:
    bad = []
    for parameter in parameters(path):
        name = parameter["name"]
        if name in REFUSED:
            bad.append((name, REFUSED[name]))
        elif choices(parameter) or is_kind(parameter, "integer") or is_kind(parameter, "boolean"):
            bad.append((name, "misspelt"))
    return bad


def good_values(path: str) -> list[tuple[str, str]]:
    good = []
    for parameter in parameters(path):
        if parameter["name"] == "cursor":
            continue
        fixed = {"since": "2026-03-11", "until": "2026-03-11T14:00:00Z", "window": "7d"}.get(
            parameter["name"]
        )
        kinds = [("integer", "1"), ("boolean", "true")]
        plain = next((value for kind, value in kinds if is_kind(parameter, kind)), "x")
        good += [(parameter["name"], value) for value in choices(parameter) or [fixed or plain]]
    return good


@pytest.fixture
def program() -> Client:
    _, secret = make_token(*Scope)
    make_feed(slug=PLACES["{slug}"])
    make_rotation(slug=PLACES["{slug}"])
    rule = Rule.objects.create(slug=PLACES["{slug}"], name="Cascades", detector="cascade")
    times = {"since": second(-60), "until": second(0), "created_at": second(0)}
    Replay.objects.create(kind="rule", rule=rule, days=30, **times)
    make_service(slug="checkout")
    make_suppression()
    AlertGroup.objects.create(key="trial:1", title="Trial", triggered_at=second(0), last_news_at=second(0))
    return Client(headers={"Authorization": f"Bearer {secret}"})


def ask(program: Client, path: str, **query: Any) -> Any:
    if "{pk}" in path:
        places = {"/suppressions/": Suppression, "/replays/": Replay}
        one: Any = next((model for place, model in places.items() if place in path), AlertGroup)
        path = path.replace("{pk}", str(one.objects.latest("pk").pk))
    for place, value in PLACES.items():
        path = path.replace(place, value)
    return program.get(path, query)


def refusal(answer: Any) -> Described:
    assert (answer.status_code, answer["Content-Type"]) == (422, "application/problem+json"), answer.content
    told: Described = answer.json()
    assert told["detail"]
    return told


def test_the_lists_are_found_in_the_description() -> None:
    names = {path.removeprefix("/api/v1/") for path in LISTS}
    assert {
        "interruptions",
        "alert-groups",
        "instances",
        "deliveries",
        "quarantine",
        "measures/{name}",
    } <= names
    assert len(names) >= 13


@pytest.mark.parametrize("path", LISTS)
def test_every_list_refuses_a_parameter_it_does_not_know_and_names_those_it_does(
    program: Client, path: str
) -> None:
    told = refusal(ask(program, path, sirvice="web"))
    assert told["errors"][0]["field"] == "sirvice"
    assert told["known"] == sorted(parameter["name"] for parameter in parameters(path))
    assert all(name in told["detail"] for name in told["known"])


@pytest.mark.parametrize("path", LISTS)
def test_every_list_refuses_a_filter_given_twice(program: Client, path: str) -> None:
    assert "once" in refusal(ask(program, path, format=["json", "json"]))["detail"]


@pytest.mark.parametrize(("path", "name", "value"), [(p, *each) for p in LISTS for each in bad_values(p)])
def test_every_list_says_which_value_cannot_be(program: Client, path: str, name: str, value: str) -> None:
    told = refusal(ask(program, path, **{name: value}))
    assert name in told["detail"]


@pytest.mark.parametrize("path", LISTS)
def test_every_list_takes_each_filter_it_describes(program: Client, path: str) -> None:
    needs_times = {"since": "2026-03-11", "until": "2026-03-12"} if path.endswith("interruptions") else {}
    for name, value in good_values(path):
        answer = ask(program, path, **(needs_times | {name: value}))
        assert answer.status_code == 200, (name, value, answer.content)
        assert name in ("format", "limit") or answer.json()["next"] is None


@pytest.mark.parametrize(
    "path", [p for p in LISTS if {"since", "until"} <= {one["name"] for one in parameters(p)}]
)
def test_a_stretch_of_time_that_ends_before_it_begins_is_refused(program: Client, path: str) -> None:
    told = refusal(ask(program, path, since="2026-03-12", until="2026-03-11"))
    assert told["errors"][0]["field"] == "until"


@pytest.mark.parametrize("path", LISTS)
def test_every_list_describes_its_refusals(path: str) -> None:
    refused = LISTS[path]["responses"][422]["content"]["application/problem+json"]["schema"]["$ref"]
    assert "known" in SCHEMA["components"]["schemas"][refused.rsplit("/", 1)[-1]]["properties"]


def test_an_empty_filter_counts_as_left_out(program: Client) -> None:
    assert ask(program, "/api/v1/interruptions", state="", since="", pool="").status_code == 200


def test_a_stranger_is_not_told_what_there_is(client: Client) -> None:
    assert client.get("/api/v1/services?nothing=1").status_code == 401


def test_a_verdict_without_its_stretch_of_time_is_refused(program: Client) -> None:
    assert "since" in refusal(ask(program, "/api/v1/interruptions", outcome="complete"))["detail"]


def test_a_call_that_stores_does_not_overlook_a_parameter(program: Client) -> None:
    _, secret = make_token(Scope.FACTS)
    headers = {"Authorization": f"Bearer {secret}"}
    answer = program.put("/api/v1/inventory?dry_run=1", [], content_type="application/json", headers=headers)
    assert refusal(answer)["errors"][0]["field"] == "dry_run"
