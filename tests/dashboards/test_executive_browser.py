"""The executive board in a real Chromium: drawn, themed, accessible, fitting a phone and one sheet of paper."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from console.accounts.models import Role
from console.interruptions.rollups import roll_up
from tests.make_accounts import make_user
from tests.make_fleet import make_interval, make_machine, make_pool, make_service, make_team
from tests.make_interruptions import make_hook, make_interruption, make_move

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-sync",
    "--no-first-run",
]
DRAWN = (
    "document.querySelectorAll('[data-chart]').length === document.querySelectorAll('[data-drawn]').length"
)


@pytest.fixture(scope="module", autouse=True)
def database_from_the_browser_thread() -> Iterator[None]:
    """Playwright's loop makes Django think it is in async code; the tests are not."""
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    yield
    if before is None:
        os.environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def session(client: Client) -> str:
    client.force_login(make_user("charlie", role=Role.VIEWER))
    return client.cookies["session"].value


def open_board(
    browser: Browser, server: LiveServer, session: str, *, width: int, theme: str
) -> tuple[Page, list[str]]:
    scheme = "dark" if theme == "dark" else "light"
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    context.add_cookies([{"name": "session", "value": session, "url": server.url}])
    page, refused = context.new_page(), []
    page.on(
        "console",
        lambda message: refused.append(message.text) if "Content Security" in message.text else None,
    )
    page.goto(f"{server.url}/executive/")
    page.wait_for_function(DRAWN)
    return page, refused


def fleet() -> None:
    now = timezone.now()
    for number in range(12):
        service = make_service(team=make_team(), name=f"service with a rather long name {number}")
        machine = make_machine(service=service, pool=make_pool(zone=f"eu-west-1{number}"), heartbeat_at=now)
        make_interval(machine=machine, started_at=now - timedelta(days=30))
        for day in range(number + 1):
            interruption = make_interruption(
                machine=machine, started_at=now - timedelta(days=day / 2, hours=2)
            )
            make_hook(interruption, outcome="failed" if day == 3 else "complete")
            make_move(interruption, seconds=10 + day)
    roll_up(now=now)


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (1440, "dark"), (390, "light")])
def test_with_a_lot_it_is_drawn_accessible_and_fits(
    browser: Browser, live_server: LiveServer, session: str, width: int, theme: str
) -> None:
    fleet()
    page, refused = open_board(browser, live_server, session, width=width, theme=theme)
    assert page.locator("[data-drawn]").count() == 5
    assert page.locator("[data-failed]").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert refused == []
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.context.close()


def test_with_nothing_it_is_accessible_too(browser: Browser, live_server: LiveServer, session: str) -> None:
    roll_up(now=timezone.now())
    page, refused = open_board(browser, live_server, session, width=390, theme="dark")
    assert page.get_by_text("No reclaim is known in this period.").count() == 3
    assert refused == []
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.context.close()


def test_a_filter_changes_the_figures_in_place(
    browser: Browser, live_server: LiveServer, session: str
) -> None:
    fleet()
    page, _ = open_board(browser, live_server, session, width=1440, theme="light")
    page.get_by_label("Period").select_option("28d")
    page.get_by_text("In the last 28 days").first.wait_for()
    assert page.url.endswith("?period=28d")
    assert page.locator("[data-drawn]").count() == 5
    page.context.close()


def test_it_prints_on_one_sheet(browser: Browser, live_server: LiveServer, session: str) -> None:
    fleet()
    page, _ = open_board(browser, live_server, session, width=1440, theme="dark")
    sheet = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page[^s]", sheet)) == 1
    page.context.close()
