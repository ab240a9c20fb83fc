"""The pages of objectives: what they show agrees with what was counted, and what they refuse says what to do."""

from __future__ import annotations

import csv
import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console.accounts.models import AuditEntry, Role, Scope
from console.interruptions.rollups import roll_up
from console.slo.episodes import sum_episodes
from console.slo.models import Objective, PrometheusServer
from tests.make_accounts import make_token, make_user
from tests.make_fleet import make_interval, make_machine, make_service
from tests.make_slo import MINUTE, make_counts, make_episode, make_objective

pytestmark = pytest.mark.django_db
NOW = timezone.now().replace(second=0, microsecond=0)
FORM = {
    "name": "Checkout answers",
    "objective_class": "",
    "target_percent": "",
    "planned_burn": "1",
    "source": "pushed",
}


def signed_in(role: Role = Role.MANAGER) -> Client:
    client = Client()
    client.force_login(make_user(role=role))
    return client


def text(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return answer.content.decode()


def lines(client: Client, path: str) -> list[dict[str, str]]:
    answer = client.get(path)
    return list(csv.DictReader(b"".join(answer.streaming_content).decode().splitlines()))


def fill(one: Objective, *, days: float = 30, bad: float = 0.5) -> None:
    """Some minutes more on either side: a page that is asked for a minute later shows the same."""
    make_counts(
        one.service, NOW - timedelta(days=days) - 5 * MINUTE, round(days * 1440) + 10, bad=bad, total=1000
    )


def test_an_empty_list_says_what_would_fill_it() -> None:
    page = text(signed_in(), "/slo/")
    assert "Nothing is promised yet" in page
    assert "/api/v1/requests" in page
    assert "Set the first objective" in page
    assert "Set the first objective" not in text(signed_in(Role.VIEWER), "/slo/")


def test_list_page_file_and_api_agree() -> None:
    one = make_objective(service=make_service(slug="web", name="Web", criticality="user_facing"))
    fill(one)
    make_episode(one.service, NOW - timedelta(days=2))
    sum_episodes(now=NOW)
    client = signed_in()
    page = text(client, "/slo/")
    for words in ("Web", "99.9 %", "99.950 %", "+21.6 min", "100.0 %", "0.5×", "On target"):
        assert words in page, words
    detail = text(client, f"/slo/{one.pk}/")
    for words in (
        "+21.6 min",
        "of 43.2 min",
        "50.0 % used",
        "21,600 of 43,200,000 failed",
        "Fast burn",
        "14.4×",
    ):
        assert words in detail, words
    (row,) = lines(client, "/slo/?format=csv")
    _, secret = make_token(Scope.READ)
    api = Client(headers={"Authorization": f"Bearer {secret}"})
    (item,) = api.get("/api/v1/objectives").json()["items"]
    assert float(row["remaining_minutes"]) == pytest.approx(21.6)
    assert item["remaining_minutes"] == pytest.approx(21.6)
    assert (item["burn_1h"], item["coverage"], item["status"]) == (pytest.approx(0.5), 1.0, "green")
    assert api.get(f"/api/v1/objectives/{one.pk}").json() == item | {"as_of": item["as_of"]}


def test_what_was_not_reported_is_grey_and_said() -> None:
    one = make_objective()
    page = text(signed_in(), f"/slo/{one.pk}/")
    for words in ("No verdict", "No minute was counted yet", "not reported", "No request was counted"):
        assert words in page, words
    fill(one, days=3)
    page = text(signed_in(), "/slo/")
    assert "10% of the minutes are reported; a verdict needs 90%" in page
    assert "+41.0 min" in page


def test_an_overspent_budget_is_below_zero() -> None:
    one = make_objective()
    fill(one, bad=2)
    page = text(signed_in(), "/slo/")
    assert "−43.2 min" in page
    assert "The budget is spent." in page
    assert '"range": [-' in text(signed_in(), f"/slo/{one.pk}/")


def test_a_critical_service_on_spot_is_warned_of() -> None:
    one = make_objective(service=make_service(criticality="critical"))
    machines = [make_machine(service=one.service) for _ in range(4)]
    for machine, lifecycle in zip(machines, ("spot", "on-demand", "on-demand", "on-demand"), strict=True):
        make_interval(machine=machine, lifecycle=lifecycle)
    assert "25% of its machines are spot" in text(signed_in(), f"/slo/{one.pk}/")


def test_a_manager_sets_changes_and_ends_an_objective_and_the_trail_tells_each() -> None:
    client, service = signed_in(), make_service(criticality="critical")
    assert client.post("/slo/new/", FORM | {"service": service.pk}).status_code == 302
    one = Objective.objects.get()
    assert (one.slug, one.objective_class, one.target_text) == ("checkout-answers", "critical", "99.9 %")
    changed = FORM | {"target_percent": "99.95", "objective_class": "batch"}
    for _ in range(2):
        assert client.post(f"/slo/{one.pk}/edit/", changed).status_code == 302
    one.refresh_from_db()
    assert (one.target_text, one.version) == ("99.95 %", 2)
    for _ in range(2):
        client.post(f"/slo/{one.pk}/end/")
    assert "Nothing is promised yet" in text(client, "/slo/")
    assert one.name in text(client, "/slo/?ended=yes")
    client.post(f"/slo/{one.pk}/revive/")
    trail = AuditEntry.objects.filter(subject_kind="objective").order_by("pk")
    words = [entry.action for entry in trail]
    assert words == ["objective.create", "objective.change", "objective.end", "objective.revive"]
    assert trail[1].before == {"class": "critical", "target_percent": "99.9"}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"target_percent": "90"}, "the rule fast could never fire. Set the target to 93.1 % or above"),
        ({"target_percent": "100"}, "100 % leaves no budget at all"),
        ({"target_percent": "99", "planned_burn": "40"}, "plan a slower burn"),
        ({"source": "prometheus"}, "need a server and both queries"),
        ({"name": ""}, "This field is required"),
        ({"service": ""}, "This field is required"),
    ],
)
def test_what_could_never_ring_or_is_not_whole_is_refused(changed: dict[str, str], said: str) -> None:
    service = make_service(criticality="user_facing")
    answer = signed_in().post("/slo/new/", FORM | {"service": service.pk} | changed)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not Objective.objects.exists()


def test_two_objectives_of_a_service_have_two_names() -> None:
    one = make_objective(slug="checkout-answers")
    answer = signed_in().post("/slo/new/", FORM | {"service": one.service_id})
    assert "has an objective called checkout-answers already" in answer.content.decode()


@pytest.mark.parametrize("path", ["/slo/new/", "/slo/{}/edit/", "/slo/{}/end/", "/slo/{}/revive/"])
def test_a_responder_changes_nothing(path: str) -> None:
    one = make_objective()
    assert signed_in(Role.RESPONDER).post(path.format(one.pk), FORM).status_code == 403


def test_figures_open_down_to_their_minutes() -> None:
    one = make_objective()
    make_counts(one.service, NOW - timedelta(days=2), 2880, bad=0, total=100)
    make_counts(one.service, NOW - 30 * MINUTE, 5, bad=7, total=100)
    client = signed_in(Role.VIEWER)
    since, until = (at.isoformat().replace("+00:00", "Z") for at in (NOW - 60 * MINUTE, NOW))
    page = text(client, f"/slo/{one.pk}/minutes/?since={since}&until={until}")
    assert page.count("70.0×") == 5
    rows = lines(client, f"/slo/{one.pk}/minutes/?since={since}&until={until}&format=csv")
    assert (len(rows), sum(float(row["total"]) - float(row["good"]) for row in rows)) == (60, 35)
    failing = text(client, f"/slo/{one.pk}/minutes/?since={since}&until={until}&only=failing")
    assert failing.count("<tr>") == 6
    hours = lines(client, f"/slo/{one.pk}/minutes/?by=hour&format=csv&since={long_ago(3)}&until={until}")
    assert sum(float(row["total"]) for row in hours) == 288_000
    assert "Nothing was counted" in text(
        client, f"/slo/{one.pk}/minutes/?since={long_ago(20)}&until={long_ago(19)}"
    )


def long_ago(days: int) -> str:
    at: datetime = NOW - timedelta(days=days)
    return at.isoformat().replace("+00:00", "Z")


def test_the_pages_of_m7_and_m9_show_figure_places_and_rows() -> None:
    one = make_objective(service=make_service(slug="web", name="Web"))
    client = signed_in(Role.VIEWER)
    for path in ("/slo/spikes/", "/slo/burns/"):
        assert "computed for the first time" in text(client, path)
    t0 = NOW - timedelta(hours=5)
    make_counts(one.service, t0 - 65 * MINUTE, 60, bad=1, total=2000)
    make_counts(one.service, t0, 60, bad=2.4, total=2000)
    make_episode(one.service, t0)
    roll_up(now=NOW)
    sum_episodes(now=NOW)
    spikes = text(client, "/slo/spikes/")
    for words in ("2.48×", "1.35 to 4.56×", "At risk", "12 of 10,000", "60 of 120,000", "Web"):
        assert words in spikes, words
    burns = text(client, "/slo/burns/")
    for words in ("1.20×", "Off target", "1.02 to 1.41×", "144 of 120,000"):
        assert words in burns, words
    (place,) = lines(client, "/slo/spikes/?format=csv")
    assert (place["key"], place["n"], place["status"]) == ("web", "1", "amber")
    (row,) = lines(client, "/slo/spikes/?format=csv&table=rows")
    assert (row["during_bad"], row["before_total"]) == ("12.0", "120000.0")
    _, secret = make_token(Scope.READ)
    api = Client(headers={"Authorization": f"Bearer {secret}"})
    for name, value in (("m7", 2.479), ("m9", 1.2)):
        for query in ("", "?by=service", "?by=zone", "?service=web&window=24h"):
            answer = api.get(f"/api/v1/measures/{name}{query}")
            assert answer.status_code == 200, answer.content
        (item,) = api.get(f"/api/v1/measures/{name}").json()["items"]
        assert item["value"] == pytest.approx(value, abs=2e-3)
        assert item["interval"]["low"] < value < item["interval"]["high"]


def test_objectives_are_set_by_the_api() -> None:
    make_service(slug="web", criticality="batch")
    _, secret = make_token(Scope.READ, Scope.MANAGE)
    client = Client(headers={"Authorization": f"Bearer {secret}"}, content_type="application/json")

    def send(method: str, path: str, **body: Any) -> Any:
        return client.generic(method, path, data=json.dumps(body), content_type="application/json")

    made = send("POST", "/api/v1/objectives", service="web", name="Jobs on time")
    assert (made.status_code, made.json()["slug"], made.json()["target_percent"]) == (
        201,
        "jobs-on-time",
        99.0,
    )
    refused = send("POST", "/api/v1/objectives", service="web", name="Low", target_percent=50)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "target_percent")
    assert send("POST", "/api/v1/objectives", service="gone", name="x").status_code == 422
    pk = made.json()["id"]
    put = send("PUT", f"/api/v1/objectives/{pk}", service="web", name="Jobs on time", target_percent=99.5)
    assert (put.json()["target_percent"], put.json()["id"]) == (99.5, pk)
    assert send("DELETE", f"/api/v1/objectives/{pk}").json()["is_active"] is False
    assert client.get("/api/v1/objectives").json()["items"] == []
    assert len(client.get("/api/v1/objectives?ended=true").json()["items"]) == 1
    assert client.get("/api/v1/objectives/999999").status_code == 404


def test_a_list_costs_the_same_however_long_it_is() -> None:
    client = signed_in(Role.VIEWER)
    counts = []
    for number in (1, 8):
        for _ in range(number):
            make_objective()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            text(client, "/slo/")
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert counts[1] <= 20
    one = Objective.objects.first()
    assert one is not None
    with CaptureQueriesContext(connection) as queries:
        text(client, f"/slo/{one.pk}/")
    assert len(queries) <= 20


def test_a_servers_key_is_sealed() -> None:
    server = PrometheusServer.made(name="main", base_url="https://p.example.com", token="s3cret", now=NOW)
    server.save()
    assert "s3cret" not in server.sealed_token
    assert PrometheusServer.objects.get().token == "s3cret"
