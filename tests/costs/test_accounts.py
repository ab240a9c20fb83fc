"""Accounts that say whose their charges are."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from console.accounts.models import AuditEntry
from console.costs.models import AccountService, Charge
from tests.make_costs import bring_in_rows, focus_row
from tests.make_fleet import make_service

pytestmark = pytest.mark.django_db


def test_an_account_is_given_listed_used_and_taken_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_service(name="Checkout", slug="checkout")
    for _ in range(2):
        call_command("bill_account", "set", "aws", "111122223333", "checkout")
    call_command("bill_account", "list")
    assert capsys.readouterr().out == "aws 111122223333: checkout\n"
    bring_in_rows(tmp_path, [focus_row(Tags="")])
    assert Charge.objects.get().service == "checkout"

    call_command("bill_account", "remove", "aws", "111122223333")
    assert not AccountService.objects.exists()
    assert AuditEntry.objects.filter(action="billing.account").count() == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("set", "aws", "1", "nobody"), "There is no service nobody"),
        (("remove", "aws", "1"), "given to no service"),
    ],
)
def test_what_cannot_be_is_said(words: tuple[str, ...], told: str) -> None:
    with pytest.raises(CommandError, match=told):
        call_command("bill_account", *words)
