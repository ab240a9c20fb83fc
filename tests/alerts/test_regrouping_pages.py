"""Arranging groups in the page, without script, and by program."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from django.utils import timezone

from console.accounts.models import Role, Scope
from console.alerts.models import AlertGroup, Regrouping
from console.fleet.models import Service
from console.interruptions.models import Interruption
from tests.make_accounts import make_token, make_user
from tests.make_fleet import make_machine, make_service
from tests.make_reclaims import alert, make_reclaim

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def root() -> None:
    make_user("root", role=Role.ADMIN)


@pytest.fixture
def responder(client: Client) -> Client:
    client.force_login(make_user("anna"))
    return client


def lose(slug: str, count: int) -> tuple[AlertGroup, list[Interruption]]:
    service = Service.objects.filter(slug=slug).first() or make_service(slug=slug, name=slug.capitalize())
    reclaims = [make_reclaim(make_machine(service=service)) for _ in range(count)]
    alert(5)
    return AlertGroup.objects.open().get(service=service), reclaims


@pytest.mark.parametrize("act", ["merge", "move", "split", "attach", "detach"])
def test_each_act_has_a_form_that_says_what_will_happen(act: str, responder: Client) -> None:
    group, _ = lose("search", 2)
    lose("checkout", 1)
    answer = responder.get(f"/alerts/regroup/{act}/?group={group.pk}")
    assert answer.status_code == 200
    text = answer.content.decode()
    assert ("#" + str(group.pk)) in text
    assert ("Reclaims of Checkout" in text) == (act in ("merge", "move"))
    assert (text.count('name="m"') == 2) == (act in ("move", "split"))


@pytest.mark.parametrize(
    ("asked", "found"), [("check", True), ("#{pk}", True), ("{pk}", True), ("video", False)]
)
def test_targets_are_found_by_title_service_and_number(asked: str, found: bool, responder: Client) -> None:
    group, _ = lose("search", 1)
    other, _ = lose("checkout", 1)
    query = {"group": str(group.pk), "q": asked.format(pk=other.pk)}
    answer = responder.get("/alerts/regroup/merge/", query)
    assert (f'value="{other.pk}" required' in answer.content.decode()) is found


def test_a_merge_without_script_leads_to_where_it_goes_on_with_the_way_back(responder: Client) -> None:
    group, _ = lose("search", 2)
    other, _ = lose("checkout", 1)
    answer = responder.post(
        "/alerts/regroup/merge/", {"group": group.pk, "into": other.pk, "reason": "one cause"}, follow=True
    )
    assert answer.redirect_chain == [(f"/alerts/{other.pk}/", 302)]
    text = answer.content.decode()
    act = Regrouping.objects.get()
    assert "Merged: 2 machines." in text
    assert text.count(f"/alerts/regroupings/{act.pk}/take-back/") >= 2, "in the toast and on the page"
    assert "Came with #" in text, "each machine says why it is here"

    back = responder.post(f"/alerts/regroupings/{act.pk}/take-back/", follow=True)
    assert back.redirect_chain == [(f"/alerts/{group.pk}/", 302)]
    assert "Taken back." in back.content.decode()
    group.refresh_from_db()
    assert group.is_open

    answer = responder.get(f"/alerts/{group.pk}/")
    assert "taken back" in answer.content.decode()


def test_a_refusal_keeps_what_was_filled_in(responder: Client) -> None:
    group, reclaims = lose("search", 2)
    answer = responder.post(
        "/alerts/regroup/split/",
        {"group": group.pk, "m": [one.pk for one in reclaims], "reason": "because", "title": "Part"},
    )
    assert answer.status_code == 409
    text = answer.content.decode()
    assert "These are all machines of" in text
    assert text.count(" checked") == 2
    assert 'value="because"' in text
    assert 'value="Part"' in text


def test_ticked_groups_are_merged_into_the_one_that_is_chosen(responder: Client) -> None:
    groups = [lose(slug, 1)[0] for slug in ("search", "checkout", "video")]
    ids = [group.pk for group in groups]
    answer = responder.post("/alerts/bulk/", {"verb": "merge", "group": ids}, headers={"HX-Request": "true"})
    where = answer["HX-Redirect"]
    assert where == "/alerts/regroup/merge/?" + "&".join(f"group={pk}" for pk in ids)
    assert "Merge 3 groups into one" in responder.get(where).content.decode()

    responder.post("/alerts/regroup/merge/", {"group": ids, "into": ids[1]})

    assert [AlertGroup.objects.get(pk=pk).is_open for pk in ids] == [False, True, False]
    assert AlertGroup.objects.get(pk=ids[1]).member_count == 3
    gone = responder.get(f"/alerts/{ids[0]}/").content.decode()
    assert f'goes on in <a href="/alerts/{ids[1]}/">' in gone
    assert "Re-open" not in gone


def test_a_merge_of_several_that_cannot_be_changes_nothing(responder: Client) -> None:
    first, second, into = (lose(slug, 1)[0] for slug in ("search", "checkout", "video"))
    AlertGroup.objects.filter(pk=second.pk).update(key="canary_late:console")
    ids = [first.pk, second.pk, into.pk]
    answer = responder.post("/alerts/regroup/merge/", {"group": ids, "into": into.pk})
    assert answer.status_code == 409
    assert "Nothing was changed" in answer.content.decode()
    first.refresh_from_db()
    assert first.is_open


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/alerts/regroup/merge/", 302),
        ("/alerts/regroupings/1/take-back/", 404),
        ("/alerts/regroup/spoil/", 404),
    ],
)
def test_a_viewer_arranges_nothing_and_nobody_what_is_not_there(
    path: str, status: int, client: Client
) -> None:
    client.force_login(make_user("vera", role=Role.VIEWER))
    assert client.post(path).status_code == 403
    client.force_login(make_user("anna"))
    assert client.post(path).status_code == status


def test_nothing_ticked_leads_back_to_the_list(responder: Client) -> None:
    answer = responder.get("/alerts/regroup/merge/?group=x&group=99999999999999999999")
    assert (answer.status_code, answer["Location"]) == (302, "/alerts/")


def test_a_program_arranges_and_takes_back(client: Client) -> None:
    group, reclaims = lose("search", 3)
    other, _ = lose("checkout", 1)
    _, secret = make_token(Scope.READ, Scope.ACT)
    headers = {"Authorization": f"Bearer {secret}"}

    def post(verb: str, body: dict[str, object]) -> tuple[int, dict[str, object]]:
        answer = client.post(
            f"/api/v1/alert-groups/{group.pk}/{verb}",
            json.dumps(body),
            content_type="application/json",
            headers=headers,
        )
        return answer.status_code, answer.json()

    status, told = post("move", {"into": other.pk, "interruptions": [reclaims[0].pk], "text": "its pods"})
    assert (status, told["members"]) == (200, 2)
    status, told = post("merge", {"into": other.pk})
    assert (status, told["merged_into"], told["resolution"]) == (200, other.pk, "merged")
    status, told = post("split", {"interruptions": [reclaims[1].pk]})
    assert status == 409
    assert told["detail"] == f"#{group.pk} was merged into #{other.pk}. Work that one."
    assert post("merge", {})[0] == 422

    listed = client.get(f"/api/v1/alert-groups/{group.pk}/regroupings", headers=headers).json()["items"]
    assert [(one["act"], one["target"], len(one["interruptions"])) for one in listed] == [
        ("merge", other.pk, 2),
        ("move", other.pk, 1),
    ]
    assert listed[1]["reason"] == "its pods"
    for one in listed:
        assert post("take-back", {"regrouping": one["id"]})[0] == 200
    assert post("take-back", {"regrouping": 99})[0] == 409
    group.refresh_from_db()
    assert (group.is_open, group.member_count) == (True, 3)
    assert group.last_news_at <= timezone.now()
