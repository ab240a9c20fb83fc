"""Whatever stands in an address, a page answers; it never fails."""

from __future__ import annotations

import pytest
from django.test import Client

from console.accounts.models import Role
from tests.make_accounts import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(make_user("alice", role=Role.ADMIN))
    return client


@pytest.mark.parametrize(
    "address",
    [
        "/oncall/?service=%00",
        "/executive/?team=%00",
        "/debug/?q=%00",
        "/interruptions/?service=%00",
        "/interruptions/by-key/a%00",
        "/alerts/?service=%00",
        "/audit/?q=%00",
        "/settings/?q=%00",
    ],
)
def test_a_nul_byte_in_an_address_is_the_senders_mistake(admin: Client, address: str) -> None:
    answer = admin.get(address)
    assert answer.status_code in (200, 400)
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("path", ["/debug/", "/interruptions/", "/alerts/", "/audit/", "/instances/"])
def test_a_worn_out_cursor_leads_to_the_first_page(admin: Client, path: str) -> None:
    answer = admin.get(f"{path}?q=web&cursor=worn-out", follow=True)
    assert answer.status_code == 200
    assert answer.request["QUERY_STRING"].startswith("q=web")
