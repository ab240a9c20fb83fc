"""Who is next, seen and hurried at three in the morning; and a policy written by hand."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import transaction
from playwright.sync_api import expect

from console.accounts.models import Role
from console.alerts.escalation import beginning, firing
from console.alerts.models import Receipt
from console.notifications.models import Notification
from console.oncall.models import EscalationPolicy
from tests.browsing import PHONE, Sit, barriers, scrolls_sideways
from tests.make_accounts import make_user
from tests.make_escalations import make_channel, make_group, make_policy, use_policy
from tests.make_fleet import make_service

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("options", [{}, {"viewport": PHONE, "color_scheme": "dark"}], ids=["wide", "phone"])
def test_who_is_next_is_seen_hurried_and_stopped(sit: Sit, options: dict[str, object]) -> None:
    now = datetime.now(UTC)
    bob, service = make_user("bob"), make_service(name="Checkout")
    use_policy(make_policy((5, [bob]), (10, [make_channel("#payments")]), name="Payments"), service=service)
    group = make_group(service=service, triggered_at=now, last_news_at=now)
    receipt = Receipt.objects.create(
        group=group, trigger="x", rule="capacity", decision="page", reason="Too few replicas", at=now
    )
    with transaction.atomic():
        beginning.begin([receipt], now=now)
    firing.escalate(now=now)
    page = sit(**options).page(f"/alerts/{group.pk}/")
    plan = page.locator("#plan")
    expect(plan).to_contain_text("Level 2 of Payments")
    page.keyboard.press("e")
    page.locator("#confirm").get_by_role("button", name="Escalate").click()
    expect(plan).to_contain_text("Level 2 of 2 was told last")
    expect(page.locator("#receipts")).to_contain_text("#payments")
    plan.get_by_role("button", name="Not actionable").click()
    expect(plan.get_by_role("button", name="Not actionable")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("a")
    expect(plan).to_contain_text("Alice: still on it?")
    assert set(Notification.objects.values_list("state", flat=True)) == {"called_off"}
    assert barriers(page) == []
    assert not scrolls_sideways(page)
    for path in ("/tickets/", "/alerts/forgotten/", "/alerts/noise/"):
        page.goto(page.url.split("/alerts/")[0].split("/tickets/")[0] + path)
        assert barriers(page) == []
        assert not scrolls_sideways(page)


def test_a_policy_is_written_with_another_level_and_an_order(sit: Sit) -> None:
    make_user("bob")
    page = sit(role=Role.MANAGER).page("/schedules/policies/new/")
    page.get_by_label("Name", exact=True).fill("Payments")
    page.get_by_label("Whom level 1 tells, 1").select_option(label="Alice")
    page.get_by_label("Whom level 2 tells, 1").select_option(label="Bob")
    page.get_by_role("button", name="Level 2 earlier").click()
    expect(page.get_by_label("Whom level 1 tells, 1")).to_contain_text("Bob")
    assert barriers(page) == []
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_role("heading", name="Payments")).to_be_visible()
    levels = EscalationPolicy.objects.get().levels.order_by("position")
    assert [str(level.targets.get().named) for level in levels] == ["Bob", "Alice"]
    assert barriers(page) == []
