"""Board work by keyboard: many groups at once, undo, groups under a wave, the palette, views and addresses."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from console.alerts.models import AlertGroup
from console.runbooks.models import StepMark
from tests.browsing import PHONE, Desk, Sit, barriers, scrolls_sideways
from tests.make_accounts import make_user
from tests.make_escalations import make_group
from tests.make_fleet import make_service
from tests.make_runbooks import make_execution, make_step

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LIVE = '[data-live-state="live"]'
SCREENSHOTS = os.environ.get("SCREENSHOTS", "")


def shot(page: Page, name: str) -> None:
    if SCREENSHOTS:
        page.screenshot(path=str(Path(SCREENSHOTS) / f"{name}.png"))


def fresh(name: str, **fields: object) -> AlertGroup:
    """An open group of a service, with a checklist of two steps."""
    now = timezone.now()
    service = make_service(slug=name.lower(), name=name)
    execution = make_execution(make_step("Cordon it"), make_step("Scale up"), service=service)
    known = {
        "key": f"service:{service.pk}",
        "title": f"Reclaims of {name}",
        "impact": f"{name}: 3 of 12 replicas, zone c empty, needs 9",
        "service": service,
        "execution": execution,
        "triggered_at": now,
        "last_news_at": now,
    }
    return make_group(**(known | fields))


@pytest.fixture
def groups(transactional_db: None) -> list[AlertGroup]:
    ana, now = make_user("ana"), timezone.now()
    held = {"status": "acknowledged", "acknowledged_at": now, "acknowledged_by": ana}
    taken = [fresh(name, **held) for name in ("Payments", "Search", "Ledger")]
    return taken + [fresh(name) for name in ("Checkout", "Basket", "Mail", "Thumbs")]


@pytest.fixture
def wave(transactional_db: None) -> AlertGroup:
    now = timezone.now()
    wave = make_group(
        key="wave:aws/eu/a", title="m6i in use1-az2: 41 of 60 gone", triggered_at=now, last_news_at=now
    )
    for name in ("Checkout", "Basket"):
        fresh(name, parent=wave)
    return wave


def open_board(desk: Desk, path: str = "/oncall/") -> Page:
    page = desk.page(path)
    expect(page.locator(LIVE)).to_be_visible()
    return page


def test_a_mixed_selection_asks_and_is_undone_by_a_key(sit: Sit, groups: list[AlertGroup]) -> None:
    page = open_board(sit())
    page.locator("#groups [data-select-all]").first.check()
    expect(page.locator("#bulk")).to_contain_text("7 selected")
    page.keyboard.press("a")
    asked = page.locator("#bulk-answer dialog")
    expect(asked).to_contain_text("3 of 7 are already acknowledged by Ana.")
    shot(page, "bulk-ask")
    page.keyboard.press("Tab")
    asked.get_by_role("button", name="Acknowledge the other 4").press("Enter")
    toast = page.locator(".toast", has_text="4 acknowledged.")
    expect(toast).to_be_visible()
    expect(asked).to_be_hidden()
    expect(page.locator("#bulk")).to_be_hidden()
    expect(page.locator("#groups .c-who", has_text="Alice")).to_have_count(4)
    shot(page, "bulk-toast")
    page.locator("body").press("u")
    expect(page.locator(".toast", has_text="Undone for 4.")).to_be_visible()
    expect(page.locator("#groups .c-who", has_text="Ana")).to_have_count(3)
    assert AlertGroup.objects.filter(status="triggered").count() == 4


def test_a_range_is_selected_with_shift(sit: Sit, groups: list[AlertGroup]) -> None:
    page = open_board(sit())
    boxes = page.locator("#groups [data-select]")
    boxes.nth(1).click()
    boxes.nth(4).click(modifiers=["Shift"])
    expect(page.locator("#bulk")).to_contain_text("4 selected")


def test_those_that_could_not_be_resolved_are_listed(sit: Sit, groups: list[AlertGroup]) -> None:
    desk = sit()
    page = open_board(desk)
    page.locator("#groups [data-select-all]").first.check()
    page.keyboard.press("t")
    asked = page.locator("#bulk-answer dialog")
    expect(asked).to_contain_text("Give 7 groups to")
    expect(asked).to_contain_text("3 of 7 are already acknowledged by Ana.")
    shot(page, "bulk-give")
    assert barriers(page) == []
    AlertGroup.objects.filter(service__slug="mail").update(status="resolved", resolved_at=timezone.now())
    asked.get_by_role("button", name="Give all 7 all the same").click()
    expect(page.locator("#bulk-answer dialog")).to_contain_text("1 not given")
    expect(page.locator("#bulk-answer dialog")).to_contain_text("The group is resolved. Re-open it first.")
    shot(page, "bulk-failures")
    expect(page.locator(".toast", has_text="6 given. 1 could not be.")).to_be_visible()


def test_groups_under_a_wave_are_worked_in_the_list(sit: Sit, wave: AlertGroup) -> None:
    page = open_board(sit())
    page.get_by_role("button", name="2 groups").click()
    child = page.locator(".groups .groups [data-key]", has_text="Checkout")
    expect(child).to_be_visible()
    child.locator("[data-open]").focus()
    page.keyboard.press("a")
    expect(child.locator(".c-who").first).to_have_text("Alice")
    child.locator("[data-open]").focus()
    page.keyboard.press("c")
    step = child.get_by_role("checkbox", name="1. Cordon it")
    expect(step).to_be_visible()
    step.click()
    expect(child.get_by_role("checkbox", name="1. Cordon it")).to_have_attribute("aria-checked", "true")
    expect(child.locator("button.steps-done")).to_have_text("1/2")
    shot(page, "children")
    assert StepMark.objects.count() == 1
    assert AlertGroup.objects.get(service__slug="checkout").status == "acknowledged"
    assert AlertGroup.objects.get(pk=wave.pk).status == "triggered"
    child.locator("[data-select]").check()
    page.keyboard.press("s")
    expect(child.locator(".c-state").first).to_have_text("Silenced")
    assert page.url.endswith("/oncall/")
    assert barriers(page) == []


def test_the_palette_acts_and_opens_by_keyboard_alone(sit: Sit, groups: list[AlertGroup]) -> None:
    page = open_board(sit())
    mine = groups[-1]
    page.keyboard.press("Control+k")
    page.keyboard.type(f"acknowledge {mine.pk}")
    page.keyboard.press("Enter")  # before the answer is there
    expect(page.locator(".toast", has_text="You have it.")).to_be_visible()
    expect(page.locator(f"#group-{mine.pk} .c-who").first).to_have_text("Alice")
    page.keyboard.press("Control+k")
    page.keyboard.type("nothing like it")
    expect(page.locator("[data-palette-empty]")).to_be_visible()
    page.locator("#palette input").fill("checko")
    expect(page.locator("#palette [role=option]", has_text="service")).to_have_count(1)
    shot(page, "palette")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(page.url.split("/oncall/")[0] + "/services/checkout/")


def test_the_palette_says_that_it_cannot_look_up_names(sit: Sit, groups: list[AlertGroup]) -> None:
    desk = sit()
    page = open_board(desk)
    desk.may_fail = True
    page.route("**/palette/**", lambda route: route.abort())
    page.keyboard.press("Control+k")
    page.keyboard.type("debug")
    expect(page.locator("[data-palette-state]")).to_contain_text("Names could not be looked up")
    expect(page.locator("#palette [role=option]", has_text="Debug")).to_be_visible()


def test_filters_are_kept_as_a_view_and_remembered(sit: Sit, groups: list[AlertGroup]) -> None:
    page = open_board(sit())
    page.locator("select[name=service]").select_option("checkout")
    expect(page.locator("#groups [data-group]")).to_have_count(1)
    expect(page.get_by_text("Filters are remembered: clear")).to_be_visible()
    page.goto(page.url.split("?")[0])
    expect(page).to_have_url(page.url.split("?")[0] + "?service=checkout")
    page.get_by_role("button", name="Views").click()
    shot(page, "views-menu")
    page.get_by_role("button", name="Keep these filters").click()
    page.get_by_label("Name").fill("My checkout")
    shot(page, "views-save")
    page.keyboard.press("Enter")
    expect(page.locator(".toast", has_text="My checkout is kept.")).to_be_visible()
    page.get_by_text("Filters are remembered: clear").click()
    expect(page.locator("#groups [data-group]")).to_have_count(7)
    page.get_by_role("button", name="Views").click()
    page.get_by_role("link", name="My checkout").click()
    expect(page.locator("#groups [data-group]")).to_have_count(1)
    page.goto(page.url.split("/oncall/")[0] + "/views/")
    shot(page, "views-page")
    assert barriers(page) == []


def test_an_address_opens_with_the_focus_there(
    sit: Sit, groups: list[AlertGroup], wave_child: AlertGroup
) -> None:
    page = open_board(sit(), f"/oncall/#group-{groups[3].pk}")
    expect(page.locator(f"#group-{groups[3].pk} [data-open]").first).to_be_focused()
    page.goto(page.url.split("/oncall/")[0] + f"/oncall/?at=group-{wave_child.pk}")
    expect(page.locator("h1")).to_contain_text("Reclaims of Parcel")


@pytest.fixture
def wave_child(transactional_db: None) -> AlertGroup:
    now = timezone.now()
    wave = make_group(key="wave:aws/eu/a", title="A wave", triggered_at=now, last_news_at=now)
    return fresh("Parcel", parent=wave)


def test_all_of_it_fits_a_phone_and_the_dark(sit: Sit, wave: AlertGroup) -> None:
    page = open_board(sit(viewport=PHONE, color_scheme="dark", has_touch=True))
    page.get_by_role("button", name="2 groups").click()
    expect(page.locator(".groups .groups [data-key]").first).to_be_visible()
    page.locator("#groups [data-select]").first.check()
    shot(page, "phone-children")
    assert not scrolls_sideways(page)
    page.locator("#bulk").get_by_role("button", name="Give to").click()
    expect(page.locator("#bulk-answer dialog")).to_be_visible()
    shot(page, "phone-give")
    page.goto(page.url.split("/oncall/")[0] + "/views/")
    assert not scrolls_sideways(page)
    shot(page, "phone-views")
