"""What a program can narrow reclaims, observations and groups by."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from console.accounts.models import Scope
from console.alerts.models import AlertGroup
from tests.make_accounts import make_token
from tests.make_feeds import NOON
from tests.make_fleet import make_machine, make_pool, make_service, make_team
from tests.make_interruptions import make_interruption

pytestmark = pytest.mark.django_db


@pytest.fixture
def program() -> Client:
    _, secret = make_token(Scope.READ)
    return Client(headers={"Authorization": f"Bearer {secret}"})


def found(program: Client, path: str, name: str, **query: Any) -> set[Any]:
    answer = program.get(f"/api/v1/{path}", query)
    assert answer.status_code == 200, answer.content
    return {item[name] for item in answer.json()["items"]}


@pytest.fixture
def reclaims() -> None:
    """Two reclaims that differ in everything that can be asked for."""
    web = make_service(slug="web", team=make_team(slug="shop"))
    pool = make_pool(region="eu-west-1", zone="eu-west-1a", instance_type="m7i.large")
    machine = make_machine(instance_id="i-1", service=web, pool=pool)
    make_interruption(key="one", service=web, machine=machine, pool=pool, state="presumed", started_at=NOON)
    other = make_machine(instance_id="i-11", service=make_service(slug="db"))
    make_interruption(
        key="two", region="us-east-1", service=other.service, machine=other, state="noticed", ended_at=None,
        started_at=NOON + timedelta(days=1),
    )  # fmt: skip


@pytest.mark.usefixtures("reclaims")
@pytest.mark.parametrize(
    "query",
    [
        {"state": "presumed"},
        {"service": "web"},
        {"team": "shop"},
        {"region": "eu-west-1"},
        {"zone": "eu-west-1a"},
        {"instance_type": "m7i.large"},
        {"instance_id": "i-1"},
        {"key": "one"},
        {"until": "2026-03-12"},
        {"since": "2026-03-11", "until": "2026-03-11T12:00:01Z"},
        {"q": "one"},
    ],
)
def test_reclaims_are_narrowed_by_each_of_their_traits(program: Client, query: dict[str, str]) -> None:
    assert found(program, "interruptions", "key", **query) == {"one"}


@pytest.mark.usefixtures("reclaims")
def test_a_name_that_leads_nowhere_is_an_empty_list(program: Client) -> None:
    assert found(program, "interruptions", "key", instance_id="i-2") == set()
    assert found(program, "interruptions", "key", state="at_risk") == set()
    assert found(program, "interruptions", "key") == {"one", "two"}


def test_groups_are_narrowed_by_kind_team_severity_and_time(program: Client) -> None:
    web = make_service(slug="web", team=make_team(slug="shop"))
    for key, service, severity, days in (("service:1", web, "error", 0), ("wave:x", None, "warning", 1), ("feed:y", None, "critical", 2)):  # fmt: skip
        at = NOON + timedelta(days=days)
        AlertGroup.objects.create(
            key=key, service=service, severity=severity, title=key, triggered_at=at, last_news_at=at
        )
    assert found(program, "alert-groups", "key", kind="service") == {"service:1"}
    assert found(program, "alert-groups", "key", kind="wave") == {"wave:x"}
    assert found(program, "alert-groups", "key", kind="finding") == {"feed:y"}
    assert found(program, "alert-groups", "kind") == {"service", "wave", "finding"}
    assert found(program, "alert-groups", "key", team="shop") == {"service:1"}
    assert found(program, "alert-groups", "key", severity="critical") == {"feed:y"}
    assert found(program, "alert-groups", "key", since="2026-03-12", until="2026-03-13") == {"wave:x"}
    assert found(program, "alert-groups", "key", status="acknowledged") == set()
