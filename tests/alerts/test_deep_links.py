"""What stands within a group's page has an address of its own, which also leads there after a sign-in."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from console.alerts import queries
from console.alerts.models import Decision, GroupMember, Receipt
from tests.make_accounts import make_user
from tests.make_escalations import make_group
from tests.make_interruptions import make_interruption

pytestmark = pytest.mark.django_db


def test_an_old_receipt_has_an_address_and_is_shown_there(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(make_user("vera", role="viewer"))
    group = make_group()
    now = timezone.now()
    receipts = [
        Receipt.objects.create(
            group=group, trigger=f"t:{n}", rule="capacity", decision=Decision.LOG, reason="", at=now
        )
        for n in range(8)
    ]
    monkeypatch.setattr(queries, "MOST_RECEIPTS", 3)
    oldest = receipts[0].pk
    assert f'id="receipt-{oldest}"' not in client.get(f"/alerts/{group.pk}/").content.decode()
    onward = client.get(f"/alerts/{group.pk}/receipts/{oldest}/")
    assert onward["Location"] == f"/alerts/{group.pk}/?at=receipt-{oldest}#receipt-{oldest}"
    assert f'id="receipt-{oldest}"' in client.get(onward["Location"]).content.decode()
    assert client.get(f"/alerts/{make_group().pk}/receipts/{oldest}/").status_code == 404


def test_a_member_that_is_far_down_has_an_address_and_is_shown_there(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(make_user("vera", role="viewer"))
    group = make_group(member_count=3)
    now = timezone.now()
    members = [make_interruption(ended_at=now - timedelta(hours=n), state="ended") for n in (1, 2, 3)]
    for one in members:
        GroupMember.objects.create(group=group, interruption=one, joined_at=now, reason="same service")
    monkeypatch.setattr(queries, "MOST_MEMBERS", 1)
    last = members[-1].pk
    onward = client.get(f"/alerts/{group.pk}/members/{last}/")
    assert onward["Location"] == f"/alerts/{group.pk}/?at=interruption-{last}#interruption-{last}"
    assert f'id="interruption-{last}"' in client.get(onward["Location"]).content.decode()


def test_a_sign_in_leads_on_to_the_very_place(client: Client) -> None:
    onward = client.get("/alerts/5/?at=receipt-9")
    assert onward.status_code == 302
    assert onward["Location"].endswith("next=/alerts/5/%3Fat%3Dreceipt-9")
