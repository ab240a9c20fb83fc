"""Objectives in a real Chromium: drawn, accessible in light and dark, fitting a phone, set with the keyboard."""

from __future__ import annotations

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, expect

from console.accounts.models import Role
from console.interruptions.rollups import roll_up
from console.slo.episodes import sum_episodes
from console.slo.models import Objective
from tests.browsing import PHONE, Sit
from tests.make_fleet import make_service
from tests.make_slo import MINUTE, make_counts, make_episode, make_objective

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
DRAWN = (
    "document.querySelectorAll('[data-chart]').length === document.querySelectorAll('[data-drawn]').length"
)
SIDEWAYS = "document.documentElement.scrollWidth - window.innerWidth"


def fill() -> Objective:
    now = timezone.now().replace(second=0, microsecond=0)
    one = make_objective(service=make_service(slug="web", name="Web front", criticality="critical"))
    make_counts(one.service, now - timedelta(days=30), 30 * 1440, bad=0.4, total=1000)
    make_counts(one.service, now - timedelta(days=3), 240, bad=100, total=1000)
    make_episode(one.service, now - timedelta(days=3))
    make_episode(one.service, now - timedelta(hours=5))
    make_counts(one.service, now - timedelta(hours=5), 4, bad=9, total=1000)
    sum_episodes(now=now + MINUTE)
    roll_up(now=now)
    return one


def faults(page: Page) -> list[str]:
    return [violation["id"] for violation in Axe().run(page).response["violations"]]


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_every_page_is_drawn_accessible_and_fits(sit: Sit, look: str) -> None:
    one = fill()
    options = {"viewport": PHONE} if look == "phone" else {}
    desk = sit(role=Role.ADMIN, color_scheme="dark" if look == "dark" else "light", **options)
    for path in (
        "",
        f"{one.pk}/",
        f"{one.pk}/minutes/",
        f"{one.pk}/edit/",
        "new/",
        "spikes/",
        "burns/",
        "servers/",
    ):
        page = desk.page(f"/slo/{path}")
        page.wait_for_function(DRAWN)
        assert page.evaluate(SIDEWAYS) <= 0, path
        assert faults(page) == [], path
        page.close()


def test_a_manager_sets_an_objective_with_the_keyboard_alone(sit: Sit) -> None:
    make_service(slug="web", name="Web front", criticality="user_facing")
    page = sit(role=Role.MANAGER).page("/slo/new/")
    page.get_by_label("Service").focus()
    page.keyboard.type("Web front")
    page.keyboard.press("Tab")
    page.keyboard.type("Pages answer")
    for _ in range(2):
        page.keyboard.press("Tab")
    page.keyboard.type("99.9")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Does Web front keep its promise?")
    expect(page.get_by_text("No request was counted in these 30 days.")).to_be_visible()
