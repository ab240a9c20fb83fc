"""In a real Chromium: a wave on the board opens in place to its groups, and they to their machines."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from console.accounts.models import Role
from console.alerts.models import AlertGroup, SetAside
from console.interruptions.rollups import roll_up
from tests.make_accounts import make_user
from tests.make_fleet import NOON, make_pool, make_service, make_team
from tests.make_reclaims import alert, make_reclaim, make_running

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-sync",
    "--no-first-run",
]
SCREENSHOTS = os.environ.get("SCREENSHOTS", "")


@pytest.fixture(scope="module", autouse=True)
def database_from_the_browser_thread() -> Iterator[None]:
    """Playwright's loop makes Django think it is in async code; the tests are not."""
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    yield
    os.environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE") if before is None else None


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser, live_server: LiveServer) -> Iterator[Page]:
    """A responder's page, signed in."""
    client = Client()
    client.force_login(make_user(role=Role.RESPONDER))
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=live_server.url)
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
    yield context.new_page()
    context.close()


@pytest.fixture
def wave() -> AlertGroup:
    """Three services lose eleven machines of one pool, now; one machine goes elsewhere."""
    now = (timezone.now() - NOON).total_seconds()
    pool = make_pool(region="us-east-1", zone="us-east-1b", instance_type="m6i.large")
    make_running(make_pool(region="us-east-1", zone="us-east-1b", instance_type="c6i.large"), 3)
    team = make_team(name="Payments")
    for name, count in (("Checkout", 6), ("Search", 3), ("Thumbnails", 2)):
        service = make_service(name=name, slug=name.lower(), team=team, criticality="user_facing")
        for n, machine in enumerate(make_running(pool, count + 2, service=service)[:count]):
            make_reclaim(machine, at=now - 40 + 5 * n)
    elsewhere = make_service(name="Billing", team=team)
    make_reclaim(make_running(make_pool(), 9, service=elsewhere)[0], at=now - 30)
    alert(now)
    roll_up(now=timezone.now())
    return AlertGroup.objects.get(key__startswith="wave:")


def shoot(page: Page, name: str) -> None:
    """Pictures in light, dark and at 390 px, where they are asked for."""
    if not SCREENSHOTS:
        return
    for mode, width, scheme in (("light", 1440, "light"), ("dark", 1440, "dark"), ("390", 390, "light")):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(300)
        page.screenshot(path=Path(SCREENSHOTS) / f"{name}-{mode}.png", full_page=True)
    page.set_viewport_size({"width": 1440, "height": 900})


def assert_is_sound(page: Page) -> None:
    found = Axe().run(page, options={"resultTypes": ["violations"]})
    assert found.violations_count == 0, found.generate_report()
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        spill = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert spill <= 0, f"{page.url} is {spill} px too wide at {width}"
    page.set_viewport_size({"width": 1440, "height": 900})


def test_a_wave_opens_in_place_to_its_groups_and_they_to_their_machines(page: Page, wave: AlertGroup) -> None:
    page.goto("/oncall/")
    row = page.locator(f"#group-{wave.pk}")
    expect(row.get_by_role("link", name=wave.title)).to_be_visible()
    expect(page.get_by_role("link", name="Reclaims of Checkout")).to_have_count(0)
    row.get_by_role("button", name="3 groups").click()
    child = page.get_by_role("link", name="Reclaims of Checkout")
    expect(child).to_be_visible()
    checkout = wave.children.get(service__slug="checkout")
    page.locator(f"#group-{checkout.pk}").get_by_role("button", name="6 machines").click()
    expect(page.locator(f"#group-{checkout.pk}-members [id^=interruption-]")).to_have_count(6)
    page.evaluate("spot.refreshAll()")
    page.wait_for_timeout(1_000)
    expect(page.locator(f"#group-{checkout.pk}-members [id^=interruption-]")).to_have_count(6)
    assert_is_sound(page)
    page.set_viewport_size({"width": 390, "height": 900})
    page.wait_for_timeout(500)
    shown = page.locator(f"#group-{checkout.pk}-detail").bounding_box()
    assert shown is not None
    assert shown["height"] > 6 * 32, "the machines are cut off on a phone"
    shoot(page, "oncall-wave")


def test_the_pages_of_a_wave_and_of_a_service_it_hits_are_sound(page: Page, wave: AlertGroup) -> None:
    page.goto(f"/alerts/{wave.pk}/")
    expect(page.get_by_text("were reclaimed within 3 min, of 17 running").first).to_be_visible()
    assert_is_sound(page)
    shoot(page, "wave")
    page.goto("/services/checkout/")
    expect(page.get_by_role("heading", name="Newest reclaims")).to_be_visible()
    expect(page.get_by_role("link", name=wave.title)).to_be_visible()
    assert_is_sound(page)
    shoot(page, "service")


def test_a_waves_page_fills_its_checklist_and_its_history_tells_of_it(page: Page, wave: AlertGroup) -> None:
    page.goto(f"/alerts/{wave.pk}/")
    chooser = page.get_by_label("Filled in for", exact=True)
    second = chooser.locator("option").nth(1).get_attribute("value")
    chooser.select_option(second)
    page.get_by_role("button", name="Fill in").click()
    expect(page).to_have_url(f"{page.url.partition('?')[0]}?member={second}")
    expect(chooser).to_have_value(second or "")
    page.locator("#step-1-box").click()
    expect(page.locator("#step-1")).to_have_attribute("data-state", "done")
    page.reload()  # this server has no live stream
    expect(chooser).to_have_value(second or "")
    expect(page.locator("#timeline")).to_contain_text("Step 1 ticked")
    assert_is_sound(page)
    shoot(page, "wave-page")


def test_what_alerting_set_aside_stands_above_the_quarantine(page: Page, wave: AlertGroup) -> None:
    member = wave.members.order_by("pk")[0].interruption
    now = timezone.now()
    SetAside.objects.create(
        interruption=member, detail="ValueError: cannot read the pool of this machine", at=now, last_at=now
    )
    SetAside.objects.create(group=wave, detail="KeyError: 'zone'", at=now, last_at=now, failed_count=3)
    page.goto("/quarantine/")
    expect(page.locator("#quarantine-set-aside")).to_contain_text("ValueError: cannot read the pool")
    assert_is_sound(page)
    shoot(page, "set-aside")
    page.get_by_role("button", name="Try all again").click()
    expect(page.locator("#quarantine-set-aside")).not_to_contain_text("ValueError")
