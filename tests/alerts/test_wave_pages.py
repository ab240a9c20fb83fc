"""A wave on the pages: it stands for the groups under it, and each of them is shown once."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from console.accounts.models import Role
from console.alerts.models import AlertGroup
from tests.make_accounts import make_user
from tests.make_fleet import make_pool, make_service
from tests.make_reclaims import alert, make_reclaim, make_running, second

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice(client: Client) -> Client:
    client.force_login(make_user(role=Role.RESPONDER))
    return client


@pytest.fixture
def wave() -> AlertGroup:
    """Checkout and Search lose machines of one pool; Elsewhere loses one of another zone."""
    pool = make_pool()
    for name, count in (("Checkout", 4), ("Search", 2)):
        for machine in make_running(pool, 10, service=make_service(name=name, slug=name.lower()))[:count]:
            make_reclaim(machine)
    other = make_running(make_pool(zone="eu-west-1b"), 20, service=make_service(name="Elsewhere"))
    make_reclaim(other[0])
    alert(5)
    return AlertGroup.objects.get(key__startswith="wave:")


def region(client: Client, url: str, name: str) -> str:
    answer = client.get(url, headers={"HX-Request": "true", "HX-Target": name})
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize(("url", "name"), [("/oncall/", "groups"), ("/alerts/", "group-table")])
def test_lists_show_a_wave_first_in_place_of_the_groups_under_it(
    alice: Client, wave: AlertGroup, url: str, name: str
) -> None:
    html = region(alice, url, name)
    assert wave.title in html
    assert "2 groups" in html
    assert "Reclaims of Checkout" not in html
    assert "Reclaims of Elsewhere" in html
    if url == "/oncall/":
        assert html.index(wave.title) < html.index("Reclaims of Elsewhere")


def test_a_wave_opens_in_place_to_its_groups_and_machines(alice: Client, wave: AlertGroup) -> None:
    html = region(alice, f"/alerts/{wave.pk}/members/", f"group-{wave.pk}-members")
    assert html.index("Reclaims of Checkout") < html.index("Reclaims of Search")
    assert "All 6 machines of the wave" in html
    assert html.count('id="interruption-') == 6


def test_a_filter_for_one_service_shows_the_wave_that_holds_its_group(
    alice: Client, wave: AlertGroup
) -> None:
    html = region(alice, "/oncall/?service=checkout", "groups")
    assert wave.title in html
    assert "Reclaims of Checkout" not in html
    assert "Elsewhere" not in html


def test_the_groups_under_a_closed_wave_stand_for_themselves_again(alice: Client, wave: AlertGroup) -> None:
    AlertGroup.objects.filter(pk=wave.pk).update(
        status="resolved", resolution="by_hand", resolved_at=second(9)
    )
    assert "Reclaims of Checkout" in region(alice, "/oncall/", "groups")


def test_the_page_of_a_wave_says_why_it_is_one_and_its_children_lead_to_it(
    alice: Client, wave: AlertGroup
) -> None:
    page: Any = alice.get(f"/alerts/{wave.pk}/").content.decode()
    assert "6 machines of m7i.large in eu-west-1a were reclaimed within 3 min, of 20 running (30%)" in page
    assert "Reclaims of Search" in page
    child = wave.children.get(service__slug="search")
    assert f'href="/alerts/{wave.pk}/"' in alice.get(f"/alerts/{child.pk}/").content.decode()
