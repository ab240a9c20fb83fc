"""Signing in by password: second steps, pauses after wrong tries, and what the trail keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.core import mail
from django.core.cache import cache
from django.test import Client

from console.accounts.models import AuditEntry, User
from tests.make_accounts import PASSWORD, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_tries_from_before() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def alice() -> User:
    return make_user("alice", password=PASSWORD)


def code_of(secret: str) -> str:
    """What the app shows now."""
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def enter(client: Client, password: str, *, email: str = "alice@example.com") -> str:
    """What the page says after a try; empty when it led on."""
    response = client.post("/accounts/login/", {"login": email, "password": password})
    return response.content.decode() if response.status_code != 302 else ""


def is_in(client: Client) -> bool:
    return client.get("/me/").status_code == 200


def test_signing_in_is_kept_in_the_trail(client: Client, alice: User) -> None:
    enter(client, PASSWORD)
    assert is_in(client)
    entry = AuditEntry.objects.get(action="session.start")
    assert (entry.actor_label, entry.address) == ("alice@example.com", "127.0.0.1")


def test_the_address_is_written_in_any_case(client: Client, alice: User) -> None:
    enter(client, PASSWORD, email="Alice@Example.COM")
    assert is_in(client)


def test_five_wrong_passwords_pause_the_account_even_for_the_right_one(client: Client, alice: User) -> None:
    for _ in range(5):
        enter(client, "wrong-horse")
    assert "Too many failed login attempts" in enter(Client(), PASSWORD)
    assert not is_in(client)


def test_the_pause_of_one_account_leaves_the_others_alone(client: Client, alice: User) -> None:
    make_user("bob", password=PASSWORD)
    for _ in range(5):
        enter(client, "wrong-horse")
    enter(client, PASSWORD, email="bob@example.com")
    assert is_in(client)


def test_an_unknown_address_gets_the_same_answer_as_a_wrong_password(client: Client, alice: User) -> None:
    sorry = "are not correct"
    assert sorry in enter(client, "wrong-horse")
    assert sorry in enter(client, "wrong-horse", email="nobody@example.com")


def test_a_password_alone_does_not_pass_the_second_step(client: Client, alice: User) -> None:
    TOTP.activate(alice, generate_totp_secret())
    enter(client, PASSWORD)
    assert not is_in(client)


def test_the_code_of_the_app_passes_once(client: Client, alice: User) -> None:
    secret = generate_totp_secret()
    TOTP.activate(alice, secret)
    code = code_of(secret)
    enter(client, PASSWORD)
    client.post("/accounts/2fa/authenticate/", {"code": code})
    assert is_in(client)
    second = Client()
    enter(second, PASSWORD)
    second.post("/accounts/2fa/authenticate/", {"code": code})
    assert not is_in(second)


def test_the_secrets_of_second_steps_are_unreadable_in_the_database(alice: User) -> None:
    secret = generate_totp_secret()
    TOTP.activate(alice, secret)
    stored = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret not in stored
    assert TOTP(Authenticator.objects.get(type="totp")).validate_code(code_of(secret))


def test_a_recovery_code_passes_once(client: Client, alice: User) -> None:
    TOTP.activate(alice, generate_totp_secret())
    code = RecoveryCodes.activate(alice).get_unused_codes()[0]
    enter(client, PASSWORD)
    client.post("/accounts/2fa/authenticate/", {"code": code})
    assert is_in(client)
    second = Client()
    enter(second, PASSWORD)
    second.post("/accounts/2fa/authenticate/", {"code": code})
    assert not is_in(second)


def test_the_second_step_is_set_up_after_confirming_the_password(
    client: Client,
    alice: User,
    django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[object]],
) -> None:
    enter(client, PASSWORD)
    address = "/accounts/2fa/totp/activate/"
    assert client.get(address).headers["location"].startswith("/accounts/reauthenticate/")
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    secret = client.get(address).context["form"].secret
    with django_capture_on_commit_callbacks(execute=True):
        client.post(address, {"code": code_of(secret)})
    kinds = set(Authenticator.objects.filter(user=alice).values_list("type", flat=True))
    assert kinds == {"totp", "recovery_codes"}
    assert AuditEntry.objects.filter(action="user.totp_add", actor_label="alice@example.com").exists()


def test_a_changed_password_ends_the_other_sessions(client: Client, alice: User) -> None:
    enter(client, PASSWORD)
    elsewhere = Client()
    enter(elsewhere, PASSWORD)
    new = "another-horse-staple"
    answer = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    client.post("/accounts/password/change/", answer)
    assert is_in(client)
    assert not is_in(elsewhere)
    assert AuditEntry.objects.filter(action="user.password").exists()


def test_other_sessions_are_ended_from_the_list(client: Client, alice: User) -> None:
    enter(client, PASSWORD)
    elsewhere = Client()
    enter(elsewhere, PASSWORD)
    client.post("/accounts/sessions/")
    assert is_in(client)
    assert not is_in(elsewhere)


def test_a_forgotten_password_is_reset_by_mail(client: Client, alice: User) -> None:
    client.post("/accounts/password/reset/", {"email": alice.email})
    link = next(word for word in mail.outbox[0].body.split() if word.startswith("http"))
    form = client.get(link, follow=True).redirect_chain[-1][0]
    new = "another-horse-staple"
    client.post(form, {"password1": new, "password2": new})
    alice.refresh_from_db()
    assert alice.check_password(new)


def test_a_forgotten_password_of_nobody_sends_nothing_and_says_the_same(client: Client, alice: User) -> None:
    known = client.post("/accounts/password/reset/", {"email": alice.email}, follow=True)
    unknown = client.post("/accounts/password/reset/", {"email": "nobody@example.com"}, follow=True)
    assert known.redirect_chain == unknown.redirect_chain
    assert [message.to for message in mail.outbox] == [["alice@example.com"]]


def test_after_signing_in_nobody_is_sent_to_another_site(client: Client, alice: User) -> None:
    response = client.post(
        "/accounts/login/?next=https://evil.example",
        {"login": alice.email, "password": PASSWORD, "next": "https://evil.example/"},
    )
    assert response.headers["location"] == "/"
