"""The palette's look-up: names, numbers and acts, within what the person may see and do."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.make_accounts import make_user
from tests.make_escalations import make_group
from tests.make_fleet import make_machine, make_service
from tests.make_interruptions import make_interruption

pytestmark = pytest.mark.django_db


def find(client: Client, q: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("/palette/", {"q": q}).json()
    return found


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(make_user("alice"))
    return client


def test_a_number_finds_its_group_and_a_verb_before_it_acts_on_it(desk: Client) -> None:
    group = make_group()
    assert [one["url"] for one in find(desk, f"#{group.pk}")] == [f"/alerts/{group.pk}/"]
    (act,) = find(desk, f"acknowledge {group.pk}")
    assert act["post"] == f"/alerts/{group.pk}/acknowledge/"
    assert act["label"] == f"Acknowledge: #{group.pk} Reclaims of Checkout"
    desk.post(act["post"], headers={"HX-Request": "true"})
    group.refresh_from_db()
    assert group.status == "acknowledged"
    assert find(desk, f"ack {group.pk}") == [], "what is done already is not offered"


def test_an_act_finds_open_groups_by_their_words(desk: Client) -> None:
    make_group()
    make_group(title="Reclaims of Search", impact="search: 1 of 2")
    assert [one["label"].partition(": ")[2].partition(" ")[2] for one in find(desk, "ack check")] == [
        "Reclaims of Checkout"
    ]


def test_resolving_what_still_loses_machines_asks_first(desk: Client) -> None:
    group = make_group(running_out_count=2)
    (act,) = find(desk, f"resolve {group.pk}")
    assert act["ask"] == "2 of its machines still run out. Resolve all the same?"
    assert act["values"] == {"sure": "yes"}


def test_services_machines_and_reclaims_are_found_by_their_names(desk: Client) -> None:
    service = make_service(name="Checkout", slug="checkout")
    machine = make_machine(service=service, instance_id="i-0abc1234")
    reclaim = make_interruption(machine=machine, service=service)
    assert "/services/checkout/" in [one["url"] for one in find(desk, "chec")]
    urls = [one["url"] for one in find(desk, "i-0abc")]
    assert urls == [f"/interruptions/{reclaim.pk}/", "/instances/?q=i-0abc1234"]
    assert find(desk, "nothing-of-that-name") == []
    assert find(desk, "c") == []


def test_a_viewer_is_offered_no_acts_and_sees_the_same_names(client: Client) -> None:
    client.force_login(make_user("vera", role="viewer"))
    group = make_group()
    assert find(client, f"acknowledge {group.pk}") == []
    assert len(find(client, str(group.pk))) == 1


def test_nothing_of_another_data_origin_is_found(desk: Client) -> None:
    group = make_group(origin="sample")
    make_service(name="Elsewhere", origin="sample")
    assert find(desk, str(group.pk)) == find(desk, "elsewhere") == []


def test_whoever_is_signed_out_finds_nothing(client: Client) -> None:
    assert client.get("/palette/", {"q": "checkout"}).status_code == 302


def test_it_takes_few_queries_however_much_there_is(desk: Client) -> None:
    for number in range(8):
        make_group(title=f"Reclaims of Checkout {number}")
        make_service(name=f"Checkout {number}")
    with CaptureQueriesContext(connection) as context:
        assert len(find(desk, "checkout")) == 10
    assert len(context) <= 10
