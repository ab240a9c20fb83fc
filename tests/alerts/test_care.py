"""Nothing is forgotten: what is held too long, what was not worth a page, and what stands on every board."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils.html import strip_tags

from console.accounts.models import Role, Scope, User
from console.alerts import handling, noise
from console.alerts.models import Feedback
from console.notifications.models import Notification
from tests.make_accounts import make_token, make_user
from tests.make_escalations import by, decide, make_group, make_policy, minute, run, use_policy
from tests.make_fleet import NOON, make_service

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice(client: Client) -> User:
    user = make_user("alice")
    client.force_login(user)
    use_policy(make_policy((5, [user]), repeats=0, name="Everything"))
    return user


def read(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return " ".join(strip_tags(answer.content.decode()).split())


def test_what_somebody_has_is_listed_by_how_long_they_have_had_it(client: Client, alice: User) -> None:
    assert "Nobody holds anything" in read(client, "/alerts/forgotten/")
    young, old = make_group(title="Young"), make_group(title="Old")
    handling.acknowledge(old.pk, by=by(alice), now=minute(0))
    handling.acknowledge(young.pk, by=by(alice), now=minute(20))
    run(31)
    page = read(client, "/alerts/forgotten/")
    assert page.index("Old") < page.index("Young")
    assert "No answer yet" in page
    client.post(f"/alerts/{old.pk}/keep/")
    assert "No answer yet" not in read(client, "/alerts/forgotten/")


def test_one_click_says_whether_a_page_was_worth_it_and_the_week_adds_them_up(
    client: Client, alice: User
) -> None:
    service = make_service(name="Checkout")
    groups = [make_group(service=service) for _ in range(3)]
    for group in groups:
        decide(group)
    run(0)
    for group, verdict in zip(groups, ("noise", "noise", "good"), strict=True):
        client.post(f"/alerts/{group.pk}/judge/", {"verdict": verdict})
    client.post(f"/alerts/{groups[1].pk}/judge/", {"verdict": "good"})
    assert sorted(Feedback.objects.values_list("verdict", flat=True)) == ["good", "good", "noise"]
    found = noise.report(noise.week_of(NOON), origin="live")
    assert found.sentence == "3 alerts paged somebody. Of 3 judgements 2 say that it was worth it."
    assert [(line.name, line.groups, line.useless) for line in found.rules] == [("capacity", 3, 1)]
    assert [(line.name, line.pages, line.judged) for line in found.people] == [("Alice", 3, 3)]
    page = read(client, f"/alerts/noise/?week={NOON:%Y-%m-%d}")
    assert "1 of 3 few" in page
    rows = client.get(f"/alerts/noise/?week={NOON:%Y-%m-%d}&format=csv").getvalue().decode().splitlines()
    assert "2026-03-09,rule,capacity,0,3,2,0,1" in rows
    assert "Nobody was paged in this week" in read(client, "/alerts/noise/?week=2020-01-01")
    quiet = make_group()
    refused = client.post(f"/alerts/{quiet.pk}/judge/", {"verdict": "noise"}, headers={"HX-Request": "true"})
    assert "Nobody was paged for this." in refused["HX-Trigger"]
    assert Feedback.objects.count() == 3


def test_managers_get_the_noise_report_on_monday_once(alice: User) -> None:
    make_user("mona", role="manager")
    decide(make_group())
    run(0)
    monday = noise.week_of(NOON) + noise.WEEK
    assert noise.send_weekly(now=monday.replace(hour=7)) == 0
    for hour in (8, 9):
        noise.send_weekly(now=monday.replace(hour=hour))
    message = Notification.objects.get(kind="report")
    assert (str(message.person), message.key) == ("Mona", f"noise:2026-W11:person-{message.person_id}")


def test_the_page_of_a_group_says_who_is_next_and_every_board_says_when_nobody_answered(
    client: Client, alice: User, django_assert_max_num_queries: Any
) -> None:
    make_user("dora", role=Role.ADMIN)
    group = make_group(service=make_service(name="Checkout"))
    decide(group)
    run(0)
    with django_assert_max_num_queries(20):
        assert "Who is next" in read(client, f"/alerts/{group.pk}/")
    with django_assert_max_num_queries(20):
        page = read(client, f"/alerts/{group.pk}/plan/")
    assert "Every administrator, and a banner on every board" in page
    assert "Level 1 of 1 was told last. Everything, version 1: the platform&#x27;s default policy" in page
    assert "Was it worth a page?" in page
    client.post(f"/alerts/{group.pk}/page/", {"person": alice.pk, "text": "Come"})
    assert "Paged Alice by name: Come" in read(client, f"/alerts/{group.pk}/")
    run(5)
    for board in ("/oncall/", "/executive/", "/tickets/"):
        assert "Nobody answered an alert" in read(client, board)
    client.post(f"/alerts/{group.pk}/acknowledge/")
    run(6)
    assert "Nobody answered an alert" not in read(client, "/tickets/")


def test_programs_read_the_plan_and_escalate(client: Client, alice: User) -> None:
    group = make_group()
    headers = {"Authorization": f"Bearer {make_token(Scope.READ, Scope.ACT)[1]}"}
    path = f"/api/v1/alert-groups/{group.pk}"
    assert client.get(f"{path}/escalation", headers=headers).json()["state"] is None
    answer = client.post(f"{path}/escalate", {}, content_type="application/json", headers=headers)
    assert answer.status_code == 200
    found = client.get(f"{path}/escalation", headers=headers).json()
    assert (found["state"], found["policy"], found["level"]) == ("running", "Everything", 1)
    assert [step["to"] for step in found["steps"]] == ["Alice"]
    assert found["ahead"][-1]["what"] == "Nobody answered"
    given = {"person": "nobody@example.com"}
    refused = client.post(f"{path}/page", given, content_type="application/json", headers=headers)
    assert refused.status_code == 409
