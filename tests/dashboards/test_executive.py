"""The executive board: what it says with nothing, with little, and with a lot."""

from __future__ import annotations

import csv
import json
import re
from datetime import datetime, timedelta
from typing import Any

import plotly.graph_objects as go
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console.accounts.models import Role
from console.interruptions.models import RollupState
from console.interruptions.rollups import roll_up
from tests.make_accounts import make_user
from tests.make_fleet import make_interval, make_machine, make_pool, make_service, make_team
from tests.make_interruptions import make_hook, make_interruption, make_move

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer(client: Client) -> Client:
    client.force_login(make_user("charlie", role=Role.VIEWER))
    return client


def page(client: Client, query: str = "") -> str:
    response = client.get(f"/executive/{query}")
    assert response.status_code == 200
    return response.content.decode()


def figure(html: str, name: str) -> dict[str, Any]:
    found = re.search(rf'<script id="{name}" type="application/json">(.*?)</script>', html, re.S)
    assert found is not None
    drawn: dict[str, Any] = json.loads(found[1])
    return drawn


def fleet(now: datetime, *, machines: int = 30) -> None:
    """Two teams on two providers; every machine ran for a week, every third was reclaimed."""
    for slug, provider, region in (("shop", "aws", "eu-west-1"), ("data", "gcp", "europe-west4")):
        service = make_service(slug=f"{slug}-service", name=f"{slug} service", team=make_team(slug=slug))
        pool = make_pool(provider=provider, region=region, zone=f"{region}a")
        for number in range(machines):
            machine = make_machine(
                service=service, pool=pool, heartbeat_at=now, provider=provider, region=region
            )
            make_interval(machine=machine, started_at=now - timedelta(days=7))
            if number % 3 == 0:
                at = now - timedelta(hours=2 + 3 * number)
                interruption = make_interruption(machine=machine, started_at=at)
                make_hook(interruption)
                make_move(interruption, seconds=10 + number)


def test_strangers_are_sent_to_sign_in(client: Client) -> None:
    assert client.get("/executive/").status_code == 302


def test_before_the_first_roll_up_it_says_that_it_is_computing(viewer: Client) -> None:
    html = page(viewer)
    assert "being computed for the first time" in html
    assert "On target" not in html


def test_with_nothing_every_figure_is_grey_and_none_is_zero(viewer: Client) -> None:
    roll_up(now=timezone.now())
    html = page(viewer)
    assert html.count("No verdict") == 11
    assert html.count("not known") == 4
    assert 'href="/services/import/inventory/">Import the inventory</a>' in html
    assert 'data-tone="ok"' not in html.split('id="figures"')[1]


def test_without_billing_files_it_says_how_they_get_here(viewer: Client) -> None:
    roll_up(now=timezone.now())
    html = page(viewer)
    assert html.count("no billing data yet") == 3
    assert "FOCUS export" in html


def test_figures_come_with_range_verdict_and_age(viewer: Client) -> None:
    now = timezone.now()
    fleet(now)
    roll_up(now=now)
    html = page(viewer)
    assert "33.3" in html
    assert "95 %: " in html
    assert "Off target" in html
    assert "Data as of" in html
    assert "20 of 20 reclaims in the last 7 days shut down in time" in html
    assert "100.0" in html


def test_every_figure_opens_to_its_rows(viewer: Client) -> None:
    now = timezone.now()
    fleet(now)
    roll_up(now=now)
    html = page(viewer, "?team=shop")
    links = set(re.findall(r'href="(/interruptions/\?[^"]+)"', html))
    assert len(links) >= 6
    for link in links:
        assert "team=shop" in link
        assert viewer.get(link.replace("&amp;", "&")).status_code == 200


def test_charts_are_valid_and_have_their_tables(viewer: Client) -> None:
    now = timezone.now()
    fleet(now)
    roll_up(now=now)
    html = page(viewer)
    for name in ("trend", "shutdowns", "by-service", "by-pool", "by-region"):
        go.Figure(figure(html, name))
    assert figure(html, "by-region")["data"][0]["x"] == [10, 10]
    assert html.count("<summary>Table</summary>") == 5


def test_team_and_provider_narrow_every_figure(viewer: Client) -> None:
    now = timezone.now()
    fleet(now)
    roll_up(now=now)
    for query in ("?team=data", "?provider=gcp", "?team=data&provider=gcp"):
        html = page(viewer, query)
        assert figure(html, "by-service")["layout"]["yaxis"]["ticktext"] == ["data service"]
        assert "10 of 10 reclaims" in html
    assert "No reclaim is known in this period" in page(viewer, "?team=data&provider=aws")


def test_an_unknown_filter_shows_nothing_rather_than_everything(viewer: Client) -> None:
    now = timezone.now()
    fleet(now, machines=3)
    roll_up(now=now)
    assert "not known" in page(viewer, "?team=nobody")
    assert page(viewer, "?period=fortnight")


def test_drill_data_is_never_in_a_figure(viewer: Client) -> None:
    now = timezone.now()
    fleet(now)
    for _ in range(30):
        make_interruption(origin="drill", started_at=now - timedelta(hours=5))
    roll_up(now=now)
    assert sum(figure(page(viewer), "by-region")["data"][0]["x"]) == 20
    assert sum(figure(page(viewer, "?origin=drill"), "by-region")["data"][0]["x"]) == 30


def test_hostile_names_stay_text(viewer: Client) -> None:
    now = timezone.now()
    service = make_service(slug="bad", name="</script><b>bad</b>")
    machine = make_machine(service=service, pool=make_pool())
    make_interval(machine=machine, started_at=now - timedelta(days=7))
    make_interruption(machine=machine, started_at=now - timedelta(days=1))
    roll_up(now=now)
    html = page(viewer)
    assert "</script><b>" not in html
    assert figure(html, "by-service")["layout"]["yaxis"]["ticktext"] == [
        "&lt;/script&gt;&lt;b&gt;bad&lt;/b&gt;"
    ]


def test_figures_that_stopped_moving_say_so(viewer: Client) -> None:
    now = timezone.now()
    roll_up(now=now)
    assert "stopped moving" not in page(viewer)
    RollupState.objects.update(rolled_up_at=now - timedelta(minutes=11))
    assert "stopped moving" in page(viewer)


def test_the_csv_holds_every_figure(viewer: Client) -> None:
    now = timezone.now()
    fleet(now)
    roll_up(now=now)
    response = viewer.get("/executive/?format=csv&team=shop")
    rows = list(csv.DictReader(b"".join(response.streaming_content).decode().splitlines()))
    names = [row["name"] for row in rows]
    assert [name for name in names if name in ("m1", "m1b", "m2", "m3")] == [
        "m1", "m1b", "m2", "m3", "m3", "m1", "m1", "m1"]  # fmt: skip
    assert {"m4", "m6", "m8"} <= set(names)
    assert rows[0]["n"] == "10"


def test_its_region_is_answered_alone_and_204_when_nothing_differs(viewer: Client) -> None:
    roll_up(now=timezone.now())
    headers = {"HX-Request": "true", "HX-Target": "figures"}
    first = viewer.get("/executive/", headers=headers)
    assert first.content.decode().lstrip().startswith('<div id="figures"')
    again = viewer.get("/executive/", headers=headers | {"X-Region-Digest": first["X-Region-Digest"]})
    assert again.status_code == 204


@pytest.mark.parametrize("machines", [3, 60])
def test_it_costs_at_most_twenty_queries_however_much_there_is(viewer: Client, machines: int) -> None:
    now = timezone.now()
    fleet(now, machines=machines)
    roll_up(now=now)
    for query in ("", "?team=shop&provider=aws&period=13w"):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            page(viewer, query)
        assert len(queries) <= 20
        assert not any('FROM "interruptions_interruption"' in query["sql"] for query in queries)
