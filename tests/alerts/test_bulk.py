"""One verb on many groups: what is asked first, what is done, and what could not be."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from console.accounts.models import User
from console.alerts.models import AlertGroup, Undo
from tests.make_accounts import make_user
from tests.make_escalations import make_group

pytestmark = pytest.mark.django_db
HX = {"HX-Request": "true", "HX-Target": "bulk-answer"}


@pytest.fixture
def alice() -> User:
    user: User = make_user("alice")
    return user


@pytest.fixture
def desk(alice: User, client: Client) -> Client:
    client.force_login(alice)
    return client


def send(desk: Client, verb: str, groups: list[AlertGroup], **more: str) -> Any:
    return desk.post("/alerts/bulk/", {"verb": verb, "group": [g.pk for g in groups], **more}, headers=HX)


def toast(answer: Any) -> dict[str, str]:
    told: dict[str, str] = json.loads(answer["HX-Trigger"])["spot:toast"]
    return told


def held_by(name: str, **fields: Any) -> AlertGroup:
    person = User.objects.filter(email__startswith=name).first() or make_user(name)
    return make_group(status="acknowledged", acknowledged_at=timezone.now(), acknowledged_by=person, **fields)


def statuses() -> list[str]:
    return list(AlertGroup.objects.order_by("pk").values_list("status", flat=True))


def test_all_alike_are_done_at_once_and_taken_back_at_once(desk: Client) -> None:
    groups = [make_group() for _ in range(3)]
    answer = send(desk, "acknowledge", groups)
    assert toast(answer)["text"] == "3 acknowledged."
    assert statuses() == ["acknowledged"] * 3
    assert Undo.objects.count() == 1
    undone = desk.post(toast(answer)["undo"], headers=HX)
    assert toast(undone)["text"] == "Undone for 3."
    assert statuses() == ["triggered"] * 3


def test_a_mixed_state_is_asked_about_before_anything_happens(desk: Client) -> None:
    groups = [*(held_by("ana") for _ in range(3)), *(make_group() for _ in range(4))]
    question = send(desk, "acknowledge", groups).content.decode()
    assert "3 of 7 are already acknowledged by Ana." in question
    assert "Acknowledge the other 4" in question
    assert statuses().count("acknowledged") == 3
    answer = send(desk, "acknowledge", groups[3:], asked="rest")
    assert toast(answer)["text"] == "4 acknowledged."
    assert {group.acknowledged_by.name for group in AlertGroup.objects.order_by("pk")[:3]} == {"Ana"}


def test_those_that_lose_machines_are_resolved_only_where_it_is_said_to_be_meant(desk: Client) -> None:
    still, quiet = make_group(running_out_count=2), make_group()
    question = send(desk, "resolve", [still, quiet]).content.decode()
    assert "1 of 2 is still losing machines." in question
    assert "Resolve the other 1" in question
    assert "Resolve all 2 all the same" in question
    answer = send(desk, "resolve", [quiet], other=str(still.pk), asked="all")
    assert toast(answer)["text"] == "2 resolved."


def test_failures_are_listed_with_their_reason_while_the_rest_goes_through(desk: Client) -> None:
    fine, began_to_fire = make_group(), make_group(title="Reclaims of Search", running_out_count=1)
    answer = send(desk, "resolve", [fine, began_to_fire], asked="rest")
    text = answer.content.decode()
    assert "1 not resolved" in text
    assert "Reclaims of Search" in text
    assert "1 machine is still running out." in text
    assert toast(answer)["text"] == "1 resolved. 1 could not be."
    assert statuses() == ["resolved", "triggered"]
    desk.post(toast(answer)["undo"], headers=HX)
    assert statuses() == ["triggered", "triggered"]


def test_twice_is_harmless(desk: Client) -> None:
    groups = [make_group(), make_group()]
    send(desk, "silence", groups, minutes="30", asked="rest")
    before = list(AlertGroup.objects.values_list("silenced_until", "version"))
    second = send(desk, "silence", groups, minutes="30")
    assert "2 of 2 are already silenced until" in second.content.decode()
    assert list(AlertGroup.objects.values_list("silenced_until", "version")) == before


def test_giving_asks_to_whom_and_names_only_people_who_may_act(desk: Client, alice: User) -> None:
    make_user("vera", role="viewer")
    bob = make_user("bob")
    group = make_group()
    question = send(desk, "assign", [group]).content.decode()
    assert "Give 1 group to" in question
    assert "Bob" in question
    assert "Vera" not in question
    answer = send(desk, "assign", [group], asked="rest", person=str(bob.pk))
    assert toast(answer)["text"] == "1 given."
    group.refresh_from_db()
    assert group.acknowledged_by == bob


def test_a_viewer_may_not(client: Client) -> None:
    client.force_login(make_user("vera", role="viewer"))
    assert send(client, "acknowledge", [make_group()]).status_code == 403
    assert statuses() == ["triggered"]


def test_without_script_the_question_is_a_page_of_its_own(desk: Client) -> None:
    ids = [held_by("ana").pk, make_group().pk]
    page = desk.post("/alerts/bulk/", {"verb": "acknowledge", "group": ids})
    assert "<html" in page.content.decode()
    assert "1 of 2 is already acknowledged by Ana." in page.content.decode()
