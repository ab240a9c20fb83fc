"""Single sign-on against a real issuer on loopback: who gets in, as what, and what is linked to whom."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.http import HttpResponse
from django.test import Client
from pytest_django.fixtures import Settings

from console.accounts.models import ActorKind, AuditEntry, Role, User
from console.accounts.sign_on import groups_in
from tests.accounts.issuer import CLIENT_ID, CLIENT_SECRET, Issuer, running_issuer
from tests.make_accounts import PASSWORD, make_user

pytestmark = pytest.mark.django_db
ALICE = {"sub": "a-1", "email": "alice@example.com", "email_verified": True, "name": "Alice A."}


@pytest.fixture
def issuer(settings: Settings) -> Iterator[Issuer]:
    with running_issuer() as running:
        settings.OIDC_ISSUER = running.url
        settings.OIDC_GROUPS_CLAIM = "groups"
        settings.OIDC_GROUP_ROLES = {"sre": "responder", "platform": "admin", "leads": "manager"}
        settings.OIDC_DEFAULT_ROLE = ""
        app = {"provider_id": "oidc", "name": "Example ID", "client_id": CLIENT_ID, "secret": CLIENT_SECRET}
        app |= {"settings": {"server_url": running.url}}  # type: ignore[dict-item]
        settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [app]}}
        running.claims = ALICE | {"groups": ["sre", "everybody"]}
        yield running


def sign_on(client: Client, *, process: str = "login") -> HttpResponse:
    """What a browser does: the console's button, the issuer, back with the code."""
    away = client.post(f"/accounts/oidc/oidc/login/?process={process}")
    assert away.status_code == 302
    back = requests.get(away.headers["location"], allow_redirects=False, timeout=5).headers["location"]
    return client.get(back.removeprefix("http://testserver"))  # type: ignore[return-value]


def is_in(client: Client) -> bool:
    return client.get("/me/").status_code == 200


def test_a_newcomer_gets_the_role_of_their_group(client: Client, issuer: Issuer) -> None:
    assert sign_on(client).status_code == 302
    alice = User.objects.get()
    assert (alice.email, alice.name, alice.role) == ("alice@example.com", "Alice A.", Role.RESPONDER)
    assert is_in(client)
    assert not alice.has_usable_password()
    entry = AuditEntry.objects.get(action="user.create")
    assert (entry.actor_kind, entry.actor_label) == (ActorKind.SIGN_ON, "Example ID")


def test_the_highest_role_counts(client: Client, issuer: Issuer) -> None:
    issuer.claims["groups"] = ["leads", "sre"]
    sign_on(client)
    assert User.objects.get().role == Role.MANAGER


def test_groups_in_the_signed_token_count_too(client: Client, issuer: Issuer) -> None:
    del issuer.claims["groups"]
    issuer.id_token_claims = {"groups": ["leads"]}
    sign_on(client)
    assert User.objects.get().role == Role.MANAGER


def test_the_role_follows_the_groups_at_every_sign_in(client: Client, issuer: Issuer) -> None:
    make_user("charlie", role=Role.ADMIN)
    sign_on(client)
    issuer.claims["groups"] = ["platform"]
    sign_on(Client())
    alice = User.objects.get(email="alice@example.com")
    assert alice.role == Role.ADMIN
    issuer.claims["groups"] = ["sre"]
    sign_on(Client())
    alice.refresh_from_db()
    assert alice.role == Role.RESPONDER
    told = AuditEntry.objects.filter(action="user.role").order_by("pk").values_list("before", "after")
    assert list(told) == [
        ({"role": "responder"}, {"role": "admin"}),
        ({"role": "admin"}, {"role": "responder"}),
    ]


def test_somebody_without_a_group_does_not_get_in(client: Client, issuer: Issuer) -> None:
    issuer.claims["groups"] = ["everybody"]
    response = sign_on(client)
    assert response.status_code == 403
    assert "none of your groups" in response.content.decode()
    assert not User.objects.exists()


def test_somebody_who_left_all_groups_is_kept_out(client: Client, issuer: Issuer) -> None:
    sign_on(client)
    issuer.claims["groups"] = []
    later = Client()
    assert sign_on(later).status_code == 403
    assert not is_in(later)


def test_the_default_role_is_for_those_without_a_group(
    client: Client, issuer: Issuer, settings: Settings
) -> None:
    settings.OIDC_DEFAULT_ROLE = "viewer"
    issuer.claims["groups"] = []
    sign_on(client)
    assert User.objects.get().role == Role.VIEWER


def test_without_group_roles_a_role_given_by_hand_stays(
    client: Client, issuer: Issuer, settings: Settings
) -> None:
    settings.OIDC_GROUP_ROLES = {}
    alice = make_user("alice", role=Role.MANAGER)
    assert sign_on(client).status_code == 302
    alice.refresh_from_db()
    assert alice.role == Role.MANAGER
    assert is_in(client)


def test_the_last_administrator_stays_one_whatever_the_groups_say(client: Client, issuer: Issuer) -> None:
    issuer.claims["groups"] = ["platform"]
    sign_on(client)
    issuer.claims["groups"] = ["sre"]
    sign_on(Client())
    assert User.objects.get().role == Role.ADMIN
    assert AuditEntry.objects.get(action="user.role_kept").after["groups_say"] == "responder"  # type: ignore[index]


@pytest.mark.parametrize("proof", [True, "true"])
def test_a_proven_address_is_linked_to_the_account_it_has(
    client: Client, issuer: Issuer, proof: object
) -> None:
    issuer.claims["email_verified"] = proof
    alice = make_user("alice", password=PASSWORD)
    sign_on(client)
    assert User.objects.get() == alice
    assert is_in(client)
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


@pytest.mark.parametrize("claims", [{"email_verified": False}, {"email_verified": "false"}, {}])
def test_an_unproven_address_opens_nobodys_account(
    client: Client, issuer: Issuer, claims: dict[str, Any]
) -> None:
    del issuer.claims["email_verified"]
    issuer.claims |= claims
    make_user("alice", role=Role.ADMIN)
    response = sign_on(client)
    assert response.status_code == 403
    assert "does not vouch" in response.content.decode()
    assert not is_in(client)


def test_a_person_without_an_address_is_told_why(client: Client, issuer: Issuer) -> None:
    del issuer.claims["email"]
    response = sign_on(client)
    assert response.status_code == 403
    assert "e-mail address is missing" in response.content.decode()


def test_a_deactivated_person_does_not_get_in(client: Client, issuer: Issuer) -> None:
    sign_on(client)
    User.objects.update(is_active=False)
    later = Client()
    sign_on(later)
    assert not is_in(later)


def test_somebody_signed_in_connects_an_unproven_address_themselves(client: Client, issuer: Issuer) -> None:
    issuer.claims["email_verified"] = False
    alice = make_user("alice", role=Role.RESPONDER)
    client.force_login(alice)
    sign_on(client, process="connect")
    assert AuditEntry.objects.filter(action="user.sign_on_connect").exists()
    later = Client()
    sign_on(later)
    assert is_in(later)
    assert User.objects.count() == 1


def test_a_forged_state_is_refused(client: Client, issuer: Issuer) -> None:
    away = client.post("/accounts/oidc/oidc/login/").headers["location"]
    back = requests.get(away, allow_redirects=False, timeout=5).headers["location"]
    code = parse_qs(urlsplit(back).query)["code"][0]
    response = client.get("/accounts/oidc/oidc/login/callback/", {"code": code, "state": "forged"})
    assert "Single sign-on failed" in response.content.decode()
    assert not User.objects.exists()


def test_a_token_for_another_client_is_refused(client: Client, issuer: Issuer) -> None:
    issuer.audience = "somebody-else"
    assert "Single sign-on failed" in sign_on(client).content.decode()
    assert not User.objects.exists()


def test_an_issuer_that_is_down_says_so(client: Client, issuer: Issuer) -> None:
    issuer.is_down = True
    response = client.post("/accounts/oidc/oidc/login/")
    assert response.status_code == 503
    assert "Single sign-on failed" in response.content.decode()


def test_the_sign_in_page_offers_it(client: Client, issuer: Issuer) -> None:
    assert "Continue with Example ID" in client.get("/accounts/login/").content.decode()


@pytest.mark.parametrize(
    ("claims", "claim", "groups"),
    [
        ({"groups": ["a", "b"]}, "groups", ["a", "b"]),
        ({"groups": "a"}, "groups", ["a"]),
        ({"realm_access": {"roles": ["a"]}}, "realm_access.roles", ["a"]),
        ({"https://example.com/groups": ["a"]}, "https://example.com/groups", ["a"]),
        ({"groups": None}, "groups", []),
        ({"groups": 7}, "groups", []),
        ({}, "groups", []),
    ],
)
def test_groups_are_read_in_every_shape(claims: dict[str, Any], claim: str, groups: list[str]) -> None:
    assert groups_in(claims, claim) == groups
