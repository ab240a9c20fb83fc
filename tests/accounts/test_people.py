"""Roles, leaving, coming back: there is always an administrator."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.test import Client

from console.accounts.audit import Actor
from console.accounts.models import AuditEntry, Role
from console.accounts.people import LastAdministrator, change_role, deactivate, reactivate
from tests.make_accounts import PASSWORD, make_user

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 11, 12, tzinfo=UTC)
BY = Actor.console("a test")


def test_a_new_role_is_kept_with_who_gave_it(client: Client) -> None:
    alice, bob = make_user("alice", role=Role.ADMIN), make_user("bob")
    client.force_login(alice)
    client.post(f"/settings/people/{bob.pk}/role/", {"role": "manager"})
    bob.refresh_from_db()
    assert bob.role == Role.MANAGER
    entry = AuditEntry.objects.get(action="user.role")
    assert (entry.actor_label, entry.subject_label, entry.address) == (
        "alice@example.com",
        "Bob",
        "127.0.0.1",
    )
    assert (entry.before, entry.after) == ({"role": "responder"}, {"role": "manager"})


def test_the_same_role_again_is_no_change() -> None:
    bob = make_user("bob")
    change_role(bob, role=Role.RESPONDER, by=BY, now=NOON)
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("verb", ["role", "deactivate"])
def test_the_last_administrator_stays(client: Client, verb: str) -> None:
    alice = make_user("alice", role=Role.ADMIN)
    make_user("bob", role=Role.ADMIN, is_active=False)
    client.force_login(alice)
    page = client.post(f"/settings/people/{alice.pk}/{verb}/", {"role": "viewer"}, follow=True)
    alice.refresh_from_db()
    assert (alice.role, alice.is_active) == (Role.ADMIN, True)
    assert "last active administrator" in page.content.decode()


def test_one_of_two_administrators_may_go() -> None:
    alice, bob = make_user("alice", role=Role.ADMIN), make_user("bob", role=Role.ADMIN)
    deactivate(alice, by=BY, now=NOON)
    with pytest.raises(LastAdministrator):
        change_role(bob, role=Role.VIEWER, by=BY, now=NOON)


def test_a_deactivated_person_is_out_at_once(client: Client) -> None:
    bob = make_user("bob")
    client.force_login(bob)
    assert client.get("/me/").status_code == 200
    deactivate(bob, by=BY, now=NOON)
    assert client.get("/me/").status_code == 302


def test_a_deactivated_person_cannot_sign_in(client: Client) -> None:
    bob = make_user("bob", password=PASSWORD)
    deactivate(bob, by=BY, now=NOON)
    client.post("/accounts/login/", {"login": bob.email, "password": PASSWORD})
    assert client.get("/me/").status_code == 302


def test_a_reactivated_person_has_the_role_they_had() -> None:
    bob = make_user("bob", role=Role.MANAGER)
    deactivate(bob, by=BY, now=NOON)
    reactivate(bob, by=BY, now=NOON)
    bob.refresh_from_db()
    assert (bob.is_active, bob.role) == (True, Role.MANAGER)
    assert list(AuditEntry.objects.order_by("pk").values_list("action", flat=True)) == [
        "user.deactivate",
        "user.reactivate",
    ]


@pytest.mark.parametrize(
    "address", ["/settings/", "/settings/invitations/", "/settings/tokens/", "/settings/sign-in/"]
)
def test_settings_are_for_administrators(client: Client, address: str) -> None:
    assert client.get(address).headers["location"] == f"/accounts/login/?next={address}"
    client.force_login(make_user("bob", role=Role.MANAGER))
    assert client.get(address).status_code == 403
    client.force_login(make_user("alice", role=Role.ADMIN))
    assert client.get(address).status_code == 200


def test_a_region_asked_for_signed_out_sends_the_whole_page_to_sign_in(client: Client) -> None:
    headers = {
        "hx-request": "true",
        "hx-target": "people",
        "hx-current-url": "http://testserver/settings/?q=a",
    }
    response = client.get("/settings/?q=a", headers=headers)
    assert response.headers["hx-redirect"] == "/accounts/login/?next=%2Fsettings%2F%3Fq%3Da"


def test_people_are_found_by_name_or_address(client: Client) -> None:
    client.force_login(make_user("alice", role=Role.ADMIN))
    make_user("bob")
    page = client.get("/settings/?q=BOB@")
    assert [str(row.user) for row in page.context["people"]] == ["Bob"]


def test_a_password_link_lets_a_person_choose_a_new_password(client: Client) -> None:
    bob = make_user("bob", password=PASSWORD)
    client.force_login(make_user("alice", role=Role.ADMIN))
    link = client.post(f"/settings/people/{bob.pk}/password/").context["link"]
    client.logout()
    form = client.get(link, follow=True).redirect_chain[-1][0]
    new = "another-horse-staple"
    client.post(form, {"password1": new, "password2": new})
    bob.refresh_from_db()
    assert bob.check_password(new)
    assert AuditEntry.objects.filter(action="user.password_link", subject_label="Bob").exists()
    assert AuditEntry.objects.filter(action="user.password_reset", subject_label="Bob").exists()


def test_what_a_person_chooses_for_themselves_is_kept(client: Client) -> None:
    alice = make_user("alice")
    client.force_login(alice)
    chosen = {"name": "Alice A.", "time_zone": "Europe/Berlin", "theme": "dark", "shown_origin": "sample"}
    assert client.post("/me/", chosen).status_code == 302
    alice.refresh_from_db()
    assert (alice.name, alice.time_zone, alice.theme, alice.shown_origin) == tuple(chosen.values())
    assert not alice.has_single_keys
    entry = AuditEntry.objects.get(action="user.settings")
    assert entry.before is not None
    assert entry.before["time_zone"] == "UTC"


def test_a_zone_that_does_not_exist_is_refused_with_a_hint(client: Client) -> None:
    client.force_login(make_user("alice"))
    response = client.post(
        "/me/", {"name": "A", "time_zone": "Mars/Base", "theme": "dark", "shown_origin": "live"}
    )
    assert response.status_code == 422
    assert "Use a name such as Europe/Berlin" in response.content.decode()
