"""Invitation only: a link works once, for one address, and not for ever."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from console.accounts.models import AuditEntry, Invitation, Role, User
from tests.make_accounts import PASSWORD, make_user

pytestmark = pytest.mark.django_db
ACCEPTANCE = {"name": "Bob", "password": PASSWORD, "repeated": PASSWORD}


@pytest.fixture
def alice(client: Client) -> User:
    user = make_user("alice", role=Role.ADMIN)
    client.force_login(user)
    return user


def invited(client: Client, email: str = "bob@example.com", role: str = "responder") -> str:
    """The link that the page shows once."""
    response = client.post("/settings/invitations/", {"email": email, "role": role})
    assert response.status_code == 200
    return str(response.context["link"])


def test_an_invited_person_chooses_a_password_and_is_in(client: Client, alice: User) -> None:
    link = invited(client, "Bob@Example.com", "manager")
    stranger = Client()
    assert "bob@example.com" in stranger.get(link).content.decode()
    assert stranger.post(link, ACCEPTANCE).status_code == 302
    bob = User.objects.get(email="bob@example.com")
    assert (bob.role, bob.name) == (Role.MANAGER, "Bob")
    assert stranger.get("/me/").status_code == 200
    entry = AuditEntry.objects.get(action="invitation.accept")
    assert (entry.actor_label, entry.after["invited_by"]) == ("bob@example.com", "Alice")  # type: ignore[index]


def test_the_person_can_sign_in_again_with_that_password(client: Client, alice: User) -> None:
    Client().post(invited(client), ACCEPTANCE)
    later = Client()
    later.post("/accounts/login/", {"login": "bob@example.com", "password": PASSWORD})
    assert later.get("/me/").status_code == 200


def test_a_link_works_once(client: Client, alice: User) -> None:
    link = invited(client)
    Client().post(link, ACCEPTANCE)
    assert Client().get(link).status_code == 410
    assert Client().post(link, ACCEPTANCE).status_code == 410
    assert User.objects.count() == 2


def test_an_expired_link_says_what_to_do(client: Client, alice: User) -> None:
    link = invited(client)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    response = Client().get(link)
    assert response.status_code == 410
    assert "Ask an administrator" in response.content.decode()


def test_a_withdrawn_link_is_over(client: Client, alice: User) -> None:
    link = invited(client)
    client.post(f"/settings/invitations/{Invitation.objects.get().pk}/withdraw/")
    assert Client().post(link, ACCEPTANCE).status_code == 410
    assert AuditEntry.objects.filter(action="invitation.withdraw").exists()


def test_inviting_again_ends_the_first_link(client: Client, alice: User) -> None:
    first, second = invited(client), invited(client)
    assert Client().get(first).status_code == 410
    assert Client().get(second).status_code == 200


def test_somebody_who_has_an_account_is_not_invited(client: Client, alice: User) -> None:
    response = client.post("/settings/invitations/", {"email": "ALICE@example.com", "role": "viewer"})
    assert response.status_code == 422
    assert "has an account" in response.content.decode()


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"password": "short", "repeated": "short"}, "too short"),
        ({"repeated": "something-else"}, "differ"),
        ({"password": "bob@example.com", "repeated": "bob@example.com"}, "too similar"),
        ({"name": ""}, "required"),
    ],
)
def test_a_weak_answer_is_refused_and_the_link_still_works(
    client: Client, alice: User, fields: dict[str, str], says: str
) -> None:
    link = invited(client)
    response = Client().post(link, ACCEPTANCE | fields)
    assert response.status_code == 422
    assert says in response.content.decode()
    assert Client().post(link, ACCEPTANCE).status_code == 302


def test_the_link_is_mailed_where_there_is_a_mail_server(
    client: Client, alice: User, settings: Settings
) -> None:
    settings.HAS_MAIL_SERVER = True
    link = invited(client)
    assert mail.outbox[0].to == ["bob@example.com"]
    assert link in mail.outbox[0].body


def test_a_mail_server_that_fails_does_not_lose_the_invitation(
    client: Client, alice: User, settings: Settings
) -> None:
    settings.HAS_MAIL_SERVER = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    link = invited(client)
    assert Client().get(link).status_code == 200


def test_a_link_opened_by_somebody_signed_in_is_not_used_up(client: Client, alice: User) -> None:
    link = invited(client)
    assert client.get(link).status_code == 409
    assert Client().get(link).status_code == 200


def test_nobody_signs_up_without_an_invitation(client: Client) -> None:
    page = client.get("/accounts/signup/")
    assert "invitation" in page.content.decode()
    answer = {"email": "eve@example.com", "password1": PASSWORD, "password2": PASSWORD}
    client.post("/accounts/signup/", answer)
    assert not User.objects.exists()
