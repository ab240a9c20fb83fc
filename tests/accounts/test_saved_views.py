"""Filters that are remembered, and views that are kept: private, shared, and opened with."""

from __future__ import annotations

import pytest
from django.test import Client

from console.accounts.models import ApiToken, AuditEntry, Role, SavedView, User
from tests.make_accounts import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> User:
    user: User = make_user("alice", role=Role.RESPONDER)
    return user


@pytest.fixture
def desk(alice: User, client: Client) -> Client:
    client.force_login(alice)
    return client


def seat(name: str, role: Role = Role.RESPONDER) -> Client:
    client = Client()
    client.force_login(make_user(name, role=role))
    return client


def keep(desk: Client, name: str, query: str = "service=checkout", **more: str) -> SavedView | None:
    desk.post("/views/", {"board": "oncall", "name": name, "query": query, **more})
    return SavedView.objects.filter(name=name).first()


def test_a_board_opens_again_with_the_filters_used_last_and_says_so(desk: Client) -> None:
    assert desk.get("/oncall/").status_code == 200
    page = desk.get("/oncall/?service=checkout&nonsense=1").content.decode()
    assert "Filters are remembered: clear" in page
    again = desk.get("/oncall/")
    assert (again.status_code, again["Location"]) == (302, "/oncall/?service=checkout")
    assert desk.get("/oncall/?view=all").status_code == 200
    assert desk.get("/oncall/").status_code == 200


def test_boards_and_people_remember_each_their_own(desk: Client, alice: User) -> None:
    desk.get("/alerts/?severity=critical&status=open")
    assert desk.get("/oncall/").status_code == 200
    assert desk.get("/alerts/")["Location"] == "/alerts/?severity=critical"
    desk.force_login(make_user("bob"))
    assert desk.get("/alerts/").status_code == 200


def test_a_region_that_looks_again_neither_goes_elsewhere_nor_forgets(desk: Client) -> None:
    desk.get("/oncall/?service=checkout")
    answer = desk.get("/oncall/", headers={"HX-Request": "true", "HX-Target": "groups"})
    assert answer.status_code == 200
    assert desk.get("/oncall/").status_code == 302


def test_an_address_that_names_filters_is_taken_at_its_word(desk: Client) -> None:
    keep(desk, "Mine", is_default="on")
    assert desk.get("/oncall/")["Location"] == "/oncall/?service=checkout"
    assert desk.get("/oncall/?service=search").status_code == 200
    assert desk.get("/oncall/?origin=sample")["Location"] == "/oncall/?service=checkout&origin=sample"


def test_a_private_view_is_its_owners_alone_and_leaves_no_audit_entry(desk: Client) -> None:
    view = keep(desk, "Mine", "region=eu&cursor=abc&q=")
    assert view is not None
    assert (view.query, view.path, view.is_shared) == ("region=eu", "/oncall/?region=eu", False)
    assert "Mine" in desk.get("/oncall/").content.decode()
    bob = seat("bob", Role.ADMIN)
    assert "Mine" not in bob.get("/oncall/").content.decode()
    assert bob.post(f"/views/{view.pk}/delete/").status_code == 404
    assert not AuditEntry.objects.filter(action__startswith="saved_view").exists()


def test_a_shared_view_is_everybodys_with_its_owners_name_and_each_change_is_in_the_audit_trail(
    desk: Client,
) -> None:
    view = keep(desk, "Payments", is_shared="on")
    assert view is not None
    bob, manager = seat("bob"), seat("mia", Role.MANAGER)
    board = bob.get("/oncall/").content.decode()
    assert "Payments" in board
    assert "Alice" in board
    bob.post(f"/views/{view.pk}/rename/", {"name": "Bob's"})
    view.refresh_from_db()
    assert view.name == "Payments", "only its owner and managers change it"
    manager.post(f"/views/{view.pk}/rename/", {"name": "Payments team"})
    desk.post(f"/views/{view.pk}/delete/")
    told = AuditEntry.objects.filter(action__startswith="saved_view").order_by("pk")
    assert [(one.action, one.actor_label.partition("@")[0]) for one in told] == [
        ("saved_view.create", "alice"),
        ("saved_view.change", "mia"),
        ("saved_view.delete", "alice"),
    ]


def test_a_view_that_is_no_longer_shared_opens_nobody_elses_board(desk: Client) -> None:
    view = keep(desk, "Payments", is_shared="on")
    assert view is not None
    bob = seat("bob")
    bob.post(f"/views/{view.pk}/open-with/")
    assert bob.get("/oncall/").status_code == 302
    desk.post(f"/views/{view.pk}/unshare/")
    assert bob.get("/oncall/").status_code == 200


def test_a_name_is_kept_once_and_what_was_given_is_not_lost(desk: Client) -> None:
    keep(desk, "Mine")
    again = desk.post("/views/", {"board": "oncall", "name": "mine", "query": "service=search"})
    assert again.status_code == 422
    assert "There is a view called mine already. Choose another name." in again.content.decode()
    assert 'name="query" value="service=search"' in again.content.decode()


def test_viewers_keep_views_for_themselves_and_share_none(client: Client) -> None:
    client.force_login(make_user("vera", role=Role.VIEWER))
    assert keep(client, "Shared", is_shared="on") is None
    assert keep(client, "Own") is not None


def test_programs_read_and_keep_shared_views(desk: Client) -> None:
    keep(desk, "Mine")
    _, secret = ApiToken.issue("terraform", scopes=["read", "manage"])
    headers = {"Authorization": f"Bearer {secret}"}
    made = Client().post(
        "/api/v1/saved-views",
        {"board": "alerts", "name": "Critical", "query": "severity=critical&x=1"},
        content_type="application/json",
        headers=headers,
    )
    assert (made.status_code, made.json()["path"]) == (201, "/alerts/?severity=critical")
    listed = Client().get("/api/v1/saved-views", headers=headers).json()
    assert [(one["name"], one["owner"]) for one in listed["items"]] == [("Critical", "terraform")]
    url = f"/api/v1/saved-views/{made.json()['id']}"
    patched = Client().patch(url, {"name": "Grave"}, content_type="application/json", headers=headers)
    assert patched.json()["name"] == "Grave"
    assert Client().delete(url, headers=headers).status_code == 204
    assert AuditEntry.objects.filter(action__startswith="saved_view").count() == 3
