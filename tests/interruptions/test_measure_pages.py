"""The pages of M4, M6 and M8: figure, places and rows agree, as page and as file, and say what is missing."""

from __future__ import annotations

import csv
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console.interruptions import kept
from console.interruptions.rollups import roll_up
from tests.make_accounts import make_token, make_user
from tests.make_fleet import make_machine, make_service
from tests.make_interruptions import make_interruption
from tests.make_records import make_replica, make_sample, make_volume, make_work

pytestmark = pytest.mark.django_db
PATHS = ("/interruptions/lost-work/", "/interruptions/gaps/", "/interruptions/recovery/")


@pytest.fixture
def viewer(client: Client) -> Client:
    client.force_login(make_user("alice"))
    return client


def fill(now: datetime, *, count: int = 5) -> None:
    """A batch service that lost a machine every two hours, with everything it reports."""
    service = make_service(slug="etl", name="Nightly ETL", statefulness="batch")
    for number in range(count):
        at = now - timedelta(hours=2 * number + 2)
        one = make_interruption(machine=make_machine(service=service), started_at=at)
        make_work(one, useful=900, lost=100, job=f"job-{number}", restart_seconds=7)
        make_sample(at + timedelta(seconds=100), machine=one.machine, replica=f"r{number}")
        make_sample(at + timedelta(seconds=160 + number), service=service, replica=f"r{number}")
        make_volume(one, detached_at=at + timedelta(seconds=60), attached_at=at + timedelta(seconds=80))
        make_replica(one, seconds=100 + number, name=f"db-{number}")
    make_interruption(machine=make_machine(service=service), started_at=now - timedelta(hours=15))
    roll_up(now=now)


def lines(client: Client, path: str, **query: str) -> list[dict[str, str]]:
    answer = client.get(path, {"format": "csv", **query})
    return list(csv.DictReader(b"".join(answer.streaming_content).decode().splitlines()))


def test_before_the_first_sums_and_without_reports_nothing_is_zero(viewer: Client) -> None:
    for path in PATHS:
        assert "computed for the first time" in viewer.get(path).content.decode()
    roll_up(now=timezone.now())
    for path, snippet in zip(PATHS, ("last_checkpoint_at", "shard-3", "ready_at"), strict=True):
        page = viewer.get(path).content.decode()
        assert "not reported" in page
        assert snippet in page
    assert viewer.get("/interruptions/unheard-of/").status_code == 404


def test_figure_places_and_rows_agree(viewer: Client) -> None:
    fill(timezone.now())
    page = viewer.get(PATHS[0]).content.decode()
    for words in (
        "10.0",
        "8 min 20 s of 1 h 23 min of work were lost",
        "Nightly ETL",
        "no job reported",
        "35 s more",
    ):
        assert words in page, words
    rows = lines(viewer, PATHS[0], table="rows")
    assert sum(float(row["lost"]) for row in rows) == 500
    assert [row["how"] for row in rows].count("unreported") == 1
    (place,) = lines(viewer, PATHS[0])
    assert (place["key"], place["value"], place["n"]) == ("etl", "0.1", "5")

    page = viewer.get(PATHS[1]).content.decode()
    for words in ("1 min 04 s", "telemetry of r4", "not reported", "1 reclaims left out"):
        assert words in page, words
    assert [float(row["took"]) for row in lines(viewer, PATHS[1], table="rows")] == [64, 63, 62, 61, 60]

    page = viewer.get(PATHS[2]).content.decode()
    for words in ("1 min 44 s", "1 min 00 s until the loss is plain", "20 s to attach the volume", "db-4"):
        assert words in page, words
    parts = [(row["detect"], row["attach"], row["catch_up"]) for row in lines(viewer, PATHS[2], table="rows")]
    assert parts[0] == ("60.0", "20.0", "24.0")


def test_the_link_of_a_figure_opens_the_rows_it_counted(viewer: Client) -> None:
    now = timezone.now()
    fill(now)
    _, secret = make_token()
    for name, field in (("m4", "lost"), ("m6", "took"), ("m8", "took")):
        answer = viewer.get(
            f"/api/v1/measures/{name}", {"by": "service"}, headers={"Authorization": f"Bearer {secret}"}
        )
        item = next(item for item in answer.json()["items"] if item["n"])
        link = urlsplit(item["rows_url"])
        told = viewer.get(f"{link.path}?{link.query}&format=csv&table=rows")
        rows = list(csv.DictReader(b"".join(told.streaming_content).decode().splitlines()))
        assert len([row for row in rows if row[field] not in ("", "0.0")]) == item["n"], name


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?by=pool&period=28d",
        "?service=etl",
        "?service=none",
        "?by=moon&period=ever&since=x&until=y&pool=1'--",
    ],
)
def test_each_page_stands_whatever_is_asked(viewer: Client, query: str) -> None:
    fill(timezone.now(), count=2)
    for path in (*PATHS, "/interruptions/coverage/", "/interruptions/rebalance/"):
        answer: Any = viewer.get(path + query)
        assert answer.status_code == 200, path


def test_ten_times_the_reclaims_ask_no_more_of_the_database(viewer: Client) -> None:
    paths = (*PATHS, "/interruptions/coverage/", "/interruptions/rebalance/")
    now = timezone.now()
    fill(now, count=1)
    few = {}
    for path in paths:
        viewer.get(path)
        kept.forget()
        with CaptureQueriesContext(connection) as told:
            viewer.get(path)
        few[path] = len(told)
    for number in range(12):
        service = make_service(slug=f"s{number}")
        one = make_interruption(machine=make_machine(service=service), started_at=now - timedelta(hours=3))
        make_replica(one, seconds=9)
        make_work(one, useful=9, lost=9)
    roll_up(now=now)
    for path in paths:
        kept.forget()
        with CaptureQueriesContext(connection) as told:
            viewer.get(path)
        assert len(told) <= few[path] <= 20, path
