"""The first person: made once, with a password that is told once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.test import Client

from console.accounts.first_administrator import UnusableAdministrator, ensure_first_administrator
from console.accounts.models import Role, User
from tests.make_accounts import PASSWORD, make_user

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 11, 12, tzinfo=UTC)


def test_an_empty_console_gets_an_administrator_with_a_generated_password(client: Client) -> None:
    made = ensure_first_administrator(email="", password="", now=NOON)
    assert made is not None
    assert made.generated_password is not None
    client.post("/accounts/login/", {"login": made.email, "password": made.generated_password})
    assert client.get("/settings/").status_code == 200


def test_a_given_password_is_not_told_back() -> None:
    made = ensure_first_administrator(email="alice@example.com", password=PASSWORD, now=NOON)
    assert made is not None
    assert made.generated_password is None
    assert User.objects.get(email="alice@example.com", role=Role.ADMIN).check_password(PASSWORD)


def test_a_second_start_makes_nobody() -> None:
    ensure_first_administrator(email="", password="", now=NOON)
    assert ensure_first_administrator(email="", password="", now=NOON) is None
    assert User.objects.count() == 1


def test_a_console_with_people_is_left_alone() -> None:
    make_user("bob")
    assert ensure_first_administrator(email="a@example.com", password=PASSWORD, now=NOON) is None
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("email", "password", "says"),
    [
        ("alice@example.com", "short", "CONSOLE_ADMIN_PASSWORD: This password is too short"),
        ("nobody", "", "CONSOLE_ADMIN_EMAIL: nobody is not an e-mail address"),
    ],
)
def test_unusable_settings_are_named(email: str, password: str, says: str) -> None:
    with pytest.raises(UnusableAdministrator, match=says):
        ensure_first_administrator(email=email, password=password, now=NOON)
    assert not User.objects.exists()
