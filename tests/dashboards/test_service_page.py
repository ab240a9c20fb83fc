"""One service's page: its open groups, figures, reclaims and episodes beside what the fleet knows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console.accounts.models import Role
from console.alerts.models import AlertGroup
from console.fleet.models import Service, WorkloadStatus
from console.interruptions.models import Episode, Interruption
from console.interruptions.rollups import roll_up
from tests.make_accounts import make_user
from tests.make_fleet import NOON, make_pool, make_service
from tests.make_interruptions import make_interruption
from tests.make_reclaims import alert, make_reclaim, make_running

pytestmark = pytest.mark.django_db
BUDGET = 20


@pytest.fixture
def viewer() -> Client:
    client = Client()
    client.force_login(make_user(role=Role.VIEWER))
    return client


def a_hurt_service(reclaims: int = 4) -> Service:
    """Checkout loses machines in a wave; Search does too, and is not to be seen on Checkout's page."""
    checkout, search = make_service(slug="checkout", name="Checkout"), make_service(slug="search")
    for service in (checkout, search):
        for machine in make_running(make_pool(), reclaims * 2, service=service)[:reclaims]:
            make_reclaim(machine)
    alert(5)
    return checkout


def page(client: Client, slug: str = "checkout") -> str:
    answer = client.get(f"/services/{slug}/")
    assert answer.status_code == 200
    return answer.content.decode()


def region(client: Client, name: str, slug: str = "checkout") -> str:
    answer = client.get(f"/services/{slug}/", headers={"HX-Request": "true", "HX-Target": name})
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_services_page_shows_its_open_group_its_wave_and_its_reclaims(viewer: Client) -> None:
    a_hurt_service()
    html = page(viewer)
    assert "Reclaims of Checkout" in html
    assert "m7i.large in eu-west-1a: 8 of 16 reclaimed" in html
    assert "Reclaims of Service" not in html
    assert html.count('id="interruption-') == 4


def test_episodes_of_the_last_thirteen_weeks_lead_to_their_rows(viewer: Client) -> None:
    checkout, now = make_service(slug="checkout"), timezone.now()
    for weeks, count in ((1, 3), (12, 2), (14, 9)):
        started_at = now - timedelta(weeks=weeks)
        Episode.objects.create(
            service=checkout,
            started_at=started_at,
            last_started_at=started_at,
            ended_at=started_at + timedelta(minutes=2),
            interruption_count=count,
        )
    html = page(viewer)
    assert "2 in 13 weeks, 5 reclaims" in html
    assert html.count("/interruptions/?service=checkout&amp;since=") == 2


def test_figures_of_the_last_week_say_when_too_little_is_known(viewer: Client) -> None:
    checkout = make_service(slug="checkout")
    assert "the first sums are not there yet" in region(viewer, "service-figures")
    make_interruption(service=checkout, started_at=timezone.now() - timedelta(hours=3))
    roll_up(now=timezone.now())
    html = region(viewer, "service-figures")
    assert "Interruption rate" in html
    assert "Graceful shutdowns" in html
    assert "as of" in html


def test_the_page_comes_without_its_figures_and_fetches_them_at_once(viewer: Client) -> None:
    make_service(slug="checkout")
    assert 'hx-get="/services/checkout/" hx-trigger="load"' in page(viewer)
    assert "hx-get" not in region(viewer, "service-figures")


def test_long_lists_are_cut_with_a_way_to_all_of_them(viewer: Client) -> None:
    checkout, now = make_service(slug="checkout"), timezone.now()
    for number in range(25):
        wave = AlertGroup.objects.create(
            key=f"wave:{number}", title="Wave", triggered_at=now, last_news_at=now
        )
        AlertGroup.objects.create(
            key=f"service:{number}",
            service=checkout,
            parent=wave,
            title="Mine",
            triggered_at=now,
            last_news_at=now,
        )
        WorkloadStatus.objects.create(
            service=checkout, namespace="shop", workload=f"w{number}", at=now, wanted=1, ready=1
        )
    html = page(viewer)
    assert "Show all open groups" in html
    assert html.count("shop/w") == 20
    everything = viewer.get("/services/checkout/?workloads=all").content.decode()
    assert everything.count("shop/w") == 25
    assert "Show all workloads" not in everything


def test_each_region_answers_by_itself(viewer: Client) -> None:
    a_hurt_service()
    for name in ("service-state", "service-machines", "service-groups", "service-figures",
                 "service-reclaims", "service-episodes"):  # fmt: skip
        answer = viewer.get("/services/checkout/", headers={"HX-Request": "true", "HX-Target": name})
        assert answer.status_code == 200
        assert f'id="{name}"' in answer.content.decode()
        assert "<html" not in answer.content.decode()


@pytest.mark.parametrize("path", ["/services/rules/", "/services/teams/", "/services/"])
def test_the_addresses_beside_it_still_lead_to_the_fleet(viewer: Client, path: str) -> None:
    assert viewer.get(path).status_code == 200


def test_a_service_of_another_origin_is_not_found(viewer: Client) -> None:
    make_service(slug="elsewhere", origin="sample")
    assert viewer.get("/services/elsewhere/").status_code == 404


@pytest.mark.parametrize("reclaims", [1, 25])
def test_the_page_and_each_region_keep_to_their_queries_however_much_happened(
    viewer: Client, reclaims: int
) -> None:
    a_hurt_service(reclaims=reclaims)
    gone = timezone.now()
    Interruption.objects.update(state="ended", ended_at=gone, evicted_at=gone)
    roll_up(now=NOON)
    with CaptureQueriesContext(connection) as context:
        page(viewer)
    assert len(context) <= BUDGET
    for name in ("service-figures", "service-groups", "service-reclaims", "service-episodes"):
        with CaptureQueriesContext(connection) as context:
            region(viewer, name)
        assert len(context) <= BUDGET // 2, name
