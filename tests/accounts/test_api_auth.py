"""Programs at the door: bearer tokens, scopes, expiry, revocation."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from console.accounts.models import ApiToken, Scope
from tests.make_accounts import make_token, make_user

pytestmark = pytest.mark.django_db


def status(client: Client, authorization: str) -> int:
    return client.get("/api/v1/audit", headers={"authorization": authorization}).status_code


def test_a_token_with_the_scope_is_let_in(client: Client) -> None:
    _, secret = make_token(Scope.AUDIT)
    assert status(client, f"Bearer {secret}") == 200


@pytest.mark.parametrize("authorization", ["", "Bearer ", "Bearer sct_wrong", "Basic c2N0Og==", "sct_wrong"])
def test_a_stranger_is_told_to_send_a_token(client: Client, authorization: str) -> None:
    make_token(Scope.AUDIT)
    assert status(client, authorization) == 401


def test_being_signed_in_is_no_token(client: Client) -> None:
    client.force_login(make_user("alice", role="admin"))
    assert client.get("/api/v1/audit").status_code == 401


def test_a_revoked_token_is_a_stranger(client: Client) -> None:
    token, secret = make_token(Scope.AUDIT)
    token.revoke(now=timezone.now())
    assert status(client, f"Bearer {secret}") == 401


def test_an_expired_token_is_a_stranger(client: Client) -> None:
    _, secret = make_token(Scope.AUDIT, expires_at=timezone.now() - timedelta(seconds=1))
    assert status(client, f"Bearer {secret}") == 401


def test_only_the_hash_of_a_secret_is_kept() -> None:
    token, secret = make_token()
    stored = ApiToken.objects.filter(pk=token.pk).values().get()
    assert secret not in str(stored)
    assert secret.startswith(token.prefix)


def test_use_is_noted_at_most_once_a_minute(client: Client) -> None:
    token, secret = make_token(Scope.AUDIT)
    status(client, f"Bearer {secret}")
    token.refresh_from_db()
    first = token.last_used_at
    assert first is not None
    status(client, f"Bearer {secret}")
    token.refresh_from_db()
    assert token.last_used_at == first
    ApiToken.objects.filter(pk=token.pk).update(last_used_at=first - timedelta(seconds=61))
    status(client, f"Bearer {secret}")
    token.refresh_from_db()
    assert token.last_used_at is not None
    assert token.last_used_at >= first
