"""In a real Chromium: taking over and undoing it, the editor of a layer by keyboard, and every page for everybody."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from console.accounts.models import Role
from console.oncall.models import Layer, Override
from tests.browsing import PHONE, Sit, barriers, scrolls_sideways
from tests.make_accounts import make_user
from tests.make_fleet import make_team
from tests.make_oncall import BY, make_layer, make_override, make_rotation

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
HOUR = timedelta(hours=1)


def test_on_a_phone_one_press_takes_over_and_another_takes_it_back(sit: Sit) -> None:
    make_rotation(make_user("bob"), slug="checkout")
    page = sit(viewport=PHONE).page("/schedules/checkout/")
    page.get_by_role("button", name="Take over now").click()
    expect(page.locator(".toast")).to_contain_text("You are on call for Checkout now.")
    expect(page.locator(".now-name")).to_contain_text("Alice")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".now-name")).to_contain_text("Bob")
    assert not Override.objects.standing().exists()


def test_a_layer_is_written_by_keyboard_with_its_next_turns_beside_it(sit: Sit) -> None:
    make_rotation(slug="checkout")
    make_user("bob")
    page = sit(role=Role.MANAGER).page("/schedules/checkout/layers/new/")
    page.get_by_label("Person 1", exact=True).select_option(label="Alice")
    page.get_by_label("Person 2", exact=True).select_option(label="Bob")
    page.get_by_role("button", name="Add a place").press("Enter")
    expect(page.get_by_label("Person 3", exact=True)).to_be_focused()
    page.get_by_role("button", name="Move person 2 up").press("Enter")
    expect(page.get_by_label("Person 1", exact=True).locator("option:checked")).to_have_text("Bob")
    page.get_by_role("button", name="Show").press("Enter")
    expect(page.get_by_label("Its next turns").locator("b")).to_have_text(["Bob", "Alice"] * 4)
    page.get_by_role("button", name="Save the layer").press("Enter")
    expect(page.get_by_text("The layer is saved.")).to_be_visible()
    assert [str(member.person) for member in Layer.objects.get().members.order_by("position")] == [
        "Bob",
        "Alice",
    ]


@pytest.mark.parametrize(
    "look",
    [{"color_scheme": "light"}, {"color_scheme": "dark", "viewport": PHONE}],
    ids=["light", "dark-phone"],
)
def test_every_page_is_accessible_and_fits(sit: Sit, look: dict[str, object]) -> None:
    now = timezone.now()
    alice, bob = make_user("alice", role=Role.MANAGER), make_user("bob")
    rotation = make_rotation(
        alice, bob, slug="checkout", kind="daily", weekdays=(0, 1, 2, 3, 4), team=make_team()
    )
    make_layer(rotation, bob, alice, name="Days", kind="weekly", weekdays=(0, 1))
    make_override(
        rotation, bob, started_at=now + HOUR, ended_at=now + 30 * HOUR, now=now, by=BY, reason="Dentist"
    )
    make_rotation(name="Search")
    desk = sit(alice, **look)
    page = desk.page()
    paths = ("", "checkout/", "mine/", "brief/", "fairness/", "new/", "checkout/edit/", "checkout/layers/1/",
             "checkout/override/", "checkout/swap/", "checkout/import/")  # fmt: skip
    for path in paths:
        answer = page.goto(f"{desk.address}/schedules/{path}")
        assert answer is not None
        assert answer.status == 200, path
        assert barriers(page) == [], path
        assert not scrolls_sideways(page), path
