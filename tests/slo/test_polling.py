"""Prometheus is asked for every minute once, gaps are filled, and what goes wrong is said where it matters."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.test import Client

from console.accounts.audit import Actor
from console.accounts.models import AuditEntry, Role
from console.notifications.models import AllowedHost
from console.slo import objectives, polling
from console.slo.models import Objective, PrometheusServer, RequestHour, RequestMinute
from console.slo.objectives import Wanted
from console.slo.polling import poll, stretches
from console.slo.prometheus import ask
from tests.make_accounts import make_user
from tests.make_fleet import NOON
from tests.make_slo import MINUTE, make_objective
from tests.slo.prometheus_double import Double, double

pytestmark = pytest.mark.django_db
GOOD, TOTAL = "good[1m]", "total[1m]"
NOW = NOON + timedelta(seconds=40)


def values(query: str, at: datetime) -> float | None:
    """Ten requests a minute and one more for the minute of the hour, of which one fails at noon's minutes."""
    total = 10 + (at - MINUTE).minute
    return float(total if query == TOTAL else total - 1)


@pytest.fixture
def prometheus() -> Iterator[Double]:
    AllowedHost.objects.create(
        host="127.0.0.1", reason="tests", created_by=make_user("root"), created_at=NOON
    )
    with double(values) as told:
        yield told


@pytest.fixture
def one(prometheus: Double) -> Objective:
    server = PrometheusServer.made(name="main", base_url=prometheus.url + "/", token="s3cret", now=NOON)
    server.save()
    return make_objective(
        source="prometheus", server=server, good_query=GOOD, total_query=TOTAL, next_poll_at=NOON
    )


def kept(one: Objective) -> list[tuple[datetime, float, float]]:
    rows = RequestMinute.objects.filter(counted_for=one.pk).order_by("minute")
    return list(rows.values_list("minute", "good", "total"))


def test_the_first_time_thirty_days_are_asked_for_a_day_at_a_time(prometheus: Double, one: Objective) -> None:
    assert poll(now=NOW) == 1
    rows = kept(one)
    assert len(rows) == 30 * 24 * 60 + 65
    assert rows[0][0] == NOON - timedelta(days=30, minutes=65)
    assert rows[-1] == (NOON - MINUTE, 68.0, 69.0)
    assert all(total == 10 + at.minute and good == total - 1 for at, good, total in rows)
    assert len(prometheus.asked) == 2 * 31
    assert {form["path"] for form in prometheus.asked} == {"/api/v1/query_range"}
    assert set(prometheus.tokens) == {"Bearer s3cret"}
    one.refresh_from_db()
    assert (one.polled_until, one.next_poll_at) == (NOON, NOW + MINUTE)
    assert RequestHour.objects.filter(counted_for=one.pk, minute_count=60).count() == 721


def test_later_only_what_is_new_and_the_last_minutes_again(prometheus: Double, one: Objective) -> None:
    Objective.objects.update(polled_until=NOON - 10 * MINUTE)
    assert poll(now=NOW) == 1
    assert [at for at, _, _ in kept(one)] == [NOON - n * MINUTE for n in range(15, 0, -1)]
    assert poll(now=NOW) == 0
    assert poll(now=NOW + MINUTE) == 1
    assert len(kept(one)) == 16


def test_a_gap_is_filled_once_it_answers_again(prometheus: Double, one: Objective) -> None:
    Objective.objects.update(polled_until=NOON - 5 * MINUTE)
    poll(now=NOW)
    prometheus.refusal = (503, "starting")
    now = NOW
    waits = []
    for _ in range(6):
        one.refresh_from_db()
        assert one.next_poll_at is not None
        now = one.next_poll_at
        poll(now=now)
        one.refresh_from_db()
        waits.append((one.next_poll_at - now) // MINUTE)
    assert waits == [1, 2, 4, 8, 15, 15]
    assert (one.poll_failures, one.poll_failed_at) == (6, NOW + MINUTE)
    assert one.poll_error == "It answered 503: starting."
    client = Client()
    client.force_login(make_user("vera", role=Role.VIEWER))
    for path in ("/slo/", f"/slo/{one.pk}/", "/slo/servers/"):
        assert "It answered 503: starting." in client.get(path).content.decode(), path
    prometheus.refusal = None
    one.refresh_from_db()
    assert one.next_poll_at is not None
    poll(now=one.next_poll_at)
    minutes = [at for at, _, _ in kept(one)]
    assert minutes == [minutes[0] + n * MINUTE for n in range(len(minutes))]
    assert minutes[-1] == one.next_poll_at.replace(second=0) - MINUTE
    one.refresh_from_db()
    assert (one.poll_failures, one.poll_failed_at, one.poll_error) == (0, None, "")


def test_minutes_that_prometheus_does_not_know_stay_gaps(prometheus: Double, one: Objective) -> None:
    Objective.objects.update(polled_until=NOON - 5 * MINUTE)

    def patchy(query: str, at: datetime) -> float | None:
        if at.minute == 55:
            return None
        if at.minute == 56:
            return float("nan")
        if at.minute == 57 and query == GOOD:
            return None
        if at.minute == 58:
            return 10.3 if query == GOOD else 10.0
        return values(query, at)

    prometheus.values = patchy
    poll(now=NOW)
    found = {at.minute: (good, total) for at, good, total in kept(one)}
    assert sorted(found) == [50, 51, 52, 53, 57, 58, 59]
    assert found[57] == (10.0, 10.0)


@pytest.mark.parametrize(
    ("refusal", "body", "said"),
    [
        ((401, ""), None, "It answered 401: the bearer token is missing or not accepted."),
        ((403, ""), None, "the bearer token may not ask this"),
        ((404, "404 page not found"), None, "there is no /api/v1/query_range under this address"),
        ((400, '{"status": "error", "errorType": "bad_data", "error": "parse error: unexpected )"}'), None, "parse error"),
        ((302, ""), None, "It answered 302"),
        ((200, "<html>"), None, "It answered what no Prometheus does: <html>"),
        (None, {"status": "success", "data": {"resultType": "vector", "result": []}}, "It answered a vector"),
        (
            None,
            {"status": "success", "data": {"resultType": "matrix", "result": [{"values": []}, {"values": []}]}},
            "The query answers 2 series; wrap it in sum",
        ),
        (
            None,
            {"status": "success", "data": {"resultType": "matrix", "result": [{"values": [[1, "x"]]}]}},
            "no numbers",
        ),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_said_and_costs_no_count(
    prometheus: Double, one: Objective, refusal: Any, body: Any, said: str
) -> None:
    prometheus.refusal, prometheus.body = refusal, body
    poll(now=NOW)
    one.refresh_from_db()
    assert said in one.poll_error
    assert (one.polled_until, kept(one)) == (None, [])


def test_a_host_that_nobody_allowed_and_one_that_is_not_there_are_said(
    prometheus: Double, one: Objective
) -> None:
    AllowedHost.objects.all().delete()
    poll(now=NOW)
    one.refresh_from_db()
    assert "127.0.0.1 is called by https only, unless an administrator allows the host" in one.poll_error
    assert prometheus.asked == []


def test_a_claim_is_one_workers(one: Objective) -> None:
    first = polling._claim(one, now=NOW)
    assert first is not None
    assert polling._claim(one, now=NOW) is None
    assert poll(now=NOW) == 0
    later = NOW + polling.LEASE
    assert poll(now=later) == 1


def test_what_was_asked_with_other_queries_is_thrown_away(
    monkeypatch: pytest.MonkeyPatch, one: Objective
) -> None:
    Objective.objects.update(polled_until=NOON - 5 * MINUTE)
    user = make_user("mary", role=Role.MANAGER)

    def ask_and_change(*args: Any, **kwargs: Any) -> dict[datetime, float]:
        Objective.objects.filter(pk=one.pk).update(version=99)
        return ask(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(polling, "ask", ask_and_change)
        poll(now=NOW)
    assert kept(one) == []
    Objective.objects.update(version=1, next_poll_at=NOON)
    poll(now=NOW)
    assert kept(one)
    wanted = Wanted(
        slug=one.slug, name=one.name, objective_class=one.objective_class, target_percent=one.target_percent,
        source="prometheus", server=one.server, good_query="other[1m]", total_query=TOTAL,
    )  # fmt: skip
    objectives.change(one.pk, wanted, by=Actor.person(user), now=NOW)
    one.refresh_from_db()
    assert (kept(one), one.polled_until, one.next_poll_at) == ([], None, NOW)


def test_long_work_lets_others_have_their_turn(
    monkeypatch: pytest.MonkeyPatch, prometheus: Double, one: Objective
) -> None:
    monkeypatch.setattr(polling, "WORKS_FOR", -1.0)
    poll(now=NOW)
    one.refresh_from_db()
    assert (one.polled_until, one.next_poll_at) == (NOON - timedelta(days=29, minutes=65), NOW)


def test_what_is_asked_for() -> None:
    until = NOON
    assert list(stretches(NOON - MINUTE, now=NOW)) == [(NOON - 6 * MINUTE, until)]
    assert list(stretches(NOON + timedelta(days=1), now=NOW)) == [(NOON - 5 * MINUTE, until)]
    far = list(stretches(NOON - timedelta(days=400), now=NOW))
    assert far[0][0] == NOON - timedelta(days=30, minutes=65)
    assert all(a[1] == b[0] for a, b in pairwise(far))


def test_an_administrator_names_changes_tries_and_forgets_servers(prometheus: Double) -> None:
    admin, manager = Client(), Client()
    admin.force_login(make_user("ada", role=Role.ADMIN))
    manager.force_login(make_user("mary", role=Role.MANAGER))
    form = {"name": "main", "base_url": prometheus.url + "/", "token": "s3cret"}
    assert manager.post("/slo/servers/", form).status_code == 403
    assert admin.post("/slo/servers/", form).status_code == 302
    server = PrometheusServer.objects.get()
    assert (server.base_url, server.token) == (prometheus.url, "s3cret")
    page = admin.get("/slo/servers/").content.decode()
    assert "with a bearer token" in page
    assert "s3cret" not in page
    assert "main answers." in admin.post(f"/slo/servers/{server.pk}/try/", follow=True).content.decode()
    prometheus.refusal = (401, "")
    assert "It answered 401" in admin.post(f"/slo/servers/{server.pk}/try/", follow=True).content.decode()
    admin.post(f"/slo/servers/{server.pk}/edit/", form | {"token": ""})
    assert PrometheusServer.objects.get().token == "s3cret"
    moved = form | {"token": "", "base_url": "https://other.example.com"}
    assert admin.post(f"/slo/servers/{server.pk}/edit/", moved).status_code == 302
    assert PrometheusServer.objects.get().token == ""
    trail = AuditEntry.objects.filter(subject_kind="prometheus-server").order_by("pk")
    assert [entry.action for entry in trail] == ["prometheus_server.add", "prometheus_server.change"]
    assert "s3cret" not in str(list(trail.values("before", "after")))
    make_objective(
        source="prometheus", server=PrometheusServer.objects.get(), good_query="a", total_query="b"
    )
    assert "It is asked for" in admin.post(f"/slo/servers/{server.pk}/remove/", follow=True).content.decode()
    Objective.objects.all().delete()
    admin.post(f"/slo/servers/{server.pk}/remove/")
    assert not PrometheusServer.objects.exists()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://prometheus.example.com", "by https only"),
        ("https://10.0.0.7", "is a private address"),
        ("https://p.example.com/api/v1/query", "up to where /api/v1/ begins"),
        ("https://user:pw@p.example.com", "user name or password"),
        ("prometheus", "Write a whole address"),
    ],
)
def test_an_address_that_could_never_be_called_is_refused(url: str, said: str) -> None:
    admin = Client()
    admin.force_login(make_user("ada", role=Role.ADMIN))
    answer = admin.post("/slo/servers/", {"name": "main", "base_url": url})
    assert (answer.status_code, said in answer.content.decode()) == (422, True)
