"""Issuing keys: by page and by command. The secret is seen once."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from console.accounts.models import ApiToken, AuditEntry, Role, Scope
from tests.make_accounts import make_token, make_user

pytestmark = pytest.mark.django_db
WANTED = {"name": "inventory push", "scopes": ["facts", "read"], "origin": "live", "expires": "30"}


def test_the_secret_is_shown_once(client: Client) -> None:
    client.force_login(make_user("alice", role=Role.ADMIN))
    response = client.post("/settings/tokens/", WANTED)
    secret = response.context["secret"]
    assert secret in response.content.decode()
    assert secret not in client.get("/settings/tokens/").content.decode()
    token = ApiToken.objects.get()
    assert token.scopes == ["facts", "read"]
    assert token.expires_at is not None
    assert AuditEntry.objects.get(action="token.create").subject_label == "inventory push"


def test_a_token_without_a_scope_is_refused(client: Client) -> None:
    client.force_login(make_user("alice", role=Role.ADMIN))
    assert client.post("/settings/tokens/", WANTED | {"scopes": []}).status_code == 422
    assert not ApiToken.objects.exists()


def test_revoking_is_for_good(client: Client) -> None:
    token, secret = make_token(Scope.AUDIT)
    client.force_login(make_user("alice", role=Role.ADMIN))
    client.post(f"/settings/tokens/{token.pk}/revoke/")
    client.post(f"/settings/tokens/{token.pk}/revoke/")
    assert client.get("/api/v1/audit", headers={"authorization": f"Bearer {secret}"}).status_code == 401
    assert AuditEntry.objects.filter(action="token.revoke").count() == 1


def test_the_command_prints_the_secret_alone() -> None:
    out, told = StringIO(), StringIO()
    arguments = [
        "create",
        "ci",
        "--scope",
        "read",
        "--scope",
        "facts",
        "--expires-in-days",
        "7",
        "--origin",
        "test",
    ]
    call_command("token", *arguments, stdout=out, stderr=told)
    token = ApiToken.objects.get()
    assert out.getvalue().strip().startswith(ApiToken.PREFIX)
    assert (token.name, token.scopes, token.origin) == ("ci", ["facts", "read"], "test")
    assert "ci" in told.getvalue()


@pytest.mark.parametrize("arguments", [["create", "ci"], ["create", "ci", "--scope", "root"], []])
def test_a_wrong_command_makes_nothing(arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        call_command("token", *arguments)
    assert not ApiToken.objects.exists()
