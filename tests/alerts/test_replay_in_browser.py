"""The replay lab by hand: from the editor of a rule over the bar to the result, and into force."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from console.accounts.models import Role
from console.alerts.models import Replay
from console.alerts.replay import working
from console.alerts.rules_in_force import read_rules
from tests.alerts.test_replay import fail
from tests.browsing import PHONE, Sit, barriers, scrolls_sideways
from tests.make_fleet import make_service, make_team

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(
    "options", [{}, {"color_scheme": "dark"}, {"viewport": PHONE}], ids=["light", "dark", "phone"]
)
def test_a_draft_is_replayed_and_published_from_its_result(sit: Sit, options: dict[str, object]) -> None:
    now = timezone.now()
    read_rules(now=now)
    fail(make_service(slug="checkout", name="Checkout", team=make_team()), 4, at=now - timedelta(days=2))
    page = sit(role=Role.MANAGER, **options).page("/rules/failed_hooks/edit/")
    page.get_by_label("At least").first.fill("9")
    page.get_by_role("button", name="Replay this draft, 30 days").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    assert barriers(page) == []
    working.work(clock=timezone.now)
    expect(page.locator("#replay")).to_contain_text("1 ticket fewer")
    expect(page.locator("#episodes")).to_contain_text("Shutdown hooks of Checkout fail")
    assert barriers(page) == []
    assert not scrolls_sideways(page)
    page.get_by_label("What changes, in a sentence").fill("Only when it is bad")
    page.get_by_role("button", name="Publish").click()
    expect(page.locator(".toast")).to_contain_text("Version 2 is in force")


def test_a_replay_is_cancelled_while_it_waits(sit: Sit) -> None:
    read_rules(now=timezone.now())
    page = sit(role=Role.MANAGER).page("/rules/cascade/edit/")
    page.get_by_role("button", name="90 days").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#replay")).to_contain_text("There is no result")
    assert Replay.objects.get().state == "called_off"
