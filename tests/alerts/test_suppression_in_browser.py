"""Quiet planned by hand: with the keyboard, read back while it is typed, then seen, made longer and let go."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from console.accounts.models import Role
from console.alerts.models import AlertGroup, Suppression
from tests.browsing import PHONE, Sit, barriers, scrolls_sideways
from tests.make_fleet import make_machine, make_service, make_team
from tests.make_reclaims import alert, make_reclaim, second
from tests.make_suppressions import falls_short, make_suppression, manager

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_window_is_planned_with_the_keyboard_and_let_go(sit: Sit) -> None:
    make_service(slug="checkout", name="Checkout", team=make_team(slug="payments"))
    page = sit(role=Role.MANAGER).page("/suppressions/new/")
    page.get_by_role("textbox", name="Name").fill("Upgrade")
    page.get_by_role("textbox", name="Why").fill("New kernel")
    box = page.get_by_role("combobox", name="Services, teams, pools and labels")
    box.press_sequentially("service:checkout")
    expect(page.get_by_role("button", name="Take off service:checkout")).to_be_visible()
    box.fill("team:nobody")
    box.press("Enter")
    expect(page.locator("#preview")).to_contain_text("There is no team nobody.")
    box.press("Backspace")
    expect(page.locator("#preview")).to_contain_text("Nothing of the last 30 days would have been hidden.")
    page.get_by_role("radio", name="Repeats").check()
    page.get_by_role("checkbox", name="Tue").check()
    page.get_by_role("checkbox", name="Sun").check()
    expect(page.locator("#preview")).to_contain_text("every Tuesday and Sunday 02:00–04:00")
    assert barriers(page) == []
    page.get_by_role("radio", name="From now on").check()
    page.get_by_role("button", name="Plan it").click()
    expect(page.get_by_role("heading", name="Upgrade")).to_be_visible()
    expect(page.locator("#status-strip")).to_contain_text("1 suppression active")
    assert barriers(page) == []
    page.get_by_role("button", name="Extend by").click()
    expect(page.locator(".toast")).to_contain_text("30 minutes longer")
    page.get_by_role("button", name="Cancel", exact=True).first.click()
    page.locator("#confirm").get_by_role("button", name="Cancel it").click()
    expect(page.locator("#suppression-head")).to_contain_text("cancelled by")
    assert Suppression.objects.get().duration == timedelta(minutes=90)


@pytest.mark.parametrize("options", [{"color_scheme": "dark"}, {"viewport": PHONE}], ids=["dark", "phone"])
def test_everybody_can_see_what_is_kept_quiet(sit: Sit, options: dict[str, object]) -> None:
    now = timezone.now()
    checkout = make_service(slug="checkout", name="Checkout", team=make_team(slug="payments"))
    made = make_suppression(
        "team:payments",
        "pool:aws/eu-west-1/eu-west-1a/m7i.large",
        now=now,
        starts_at=now,
        maker=manager("bob"),
    )
    make_suppression(
        now=now,
        starts_at=now + timedelta(hours=1),
        rrule="FREQ=DAILY",
        needs_signature=True,
        maker=manager("bob"),
    )
    falls_short(checkout, at=now)
    make_reclaim(make_machine(service=checkout), at=(now - second(0)).total_seconds())
    alert((now - second(0)).total_seconds() + 1)
    desk = sit(role=Role.VIEWER, **options)
    for path, words in (
        ("/suppressions/", "waits for a signature"),
        (f"/suppressions/{made.pk}/", "Reclaims of Checkout"),
        (f"/alerts/{AlertGroup.objects.get().pk}/", "suppressed until"),
    ):
        page = desk.page(path)
        expect(page.locator("main")).to_contain_text(words)
        assert (barriers(page), scrolls_sideways(page)) == ([], False)
