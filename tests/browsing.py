"""Fixtures of tests that use the whole console in a real Chromium, signed in as somebody of the cast."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright
from pytest_django.plugin import DjangoDbBlocker

from console.accounts.models import Role, User
from tests.make_accounts import make_user
from tests.make_board import Sender
from tests.serving import Worker, console_on_a_port, requests_under_way

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-sync",
    "--no-first-run",
]
WIDE = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
QUIET = 0.05
"""Seconds without a request: what was sent before its page was closed has arrived by then."""
EXPECTED = ("net::ERR", "401 (", "403 (", "404 (", "503 (")


@dataclass
class Desk:
    """One person in front of one browser: pages of the console, and what the browser complained of."""

    address: str
    user: User | None
    context: BrowserContext
    complaints: list[str] = field(default_factory=list)
    may_fail: bool = False
    """Set by tests that break something on purpose: then failed requests are no complaint."""

    def page(self, path: str = "") -> Page:
        opened = self.context.new_page()
        opened.on("console", self._hear)
        opened.on("pageerror", lambda error: self.complaints.append(str(error)))
        if path:
            opened.goto(self.address + path)
        return opened

    def _hear(self, told: ConsoleMessage) -> None:
        is_expected = self.may_fail and any(words in told.text for words in EXPECTED)
        if told.type in ("error", "warning") and not is_expected:
            self.complaints.append(told.text)


Sit = Callable[..., Desk]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Playwright's loop makes Django think it is in async code; the tests are not."""
    expect.set_options(timeout=12_000)
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield launched
        launched.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="module")
def console_port(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[int]:
    with django_db_blocker.unblock(), console_on_a_port() as port:
        yield port


@pytest.fixture
def sit(chromium: Browser, console_port: int, transactional_db: None) -> Iterator[Sit]:
    """Sits somebody down: `sit(role=…, width=…)`. Fails the test when a browser complained of anything."""
    desks: list[Desk] = []

    def seat(user: User | None = None, *, role: Role | None = Role.RESPONDER, **options: Any) -> Desk:
        context = chromium.new_context(**({"viewport": WIDE, "timezone_id": "Europe/Berlin"} | options))
        context.set_default_timeout(10_000)
        if user is None and role is not None:
            user = make_user("alice", role=role)
        address = f"http://127.0.0.1:{console_port}"
        if user is not None:
            client = Client()
            client.force_login(user)
            value = client.cookies[settings.SESSION_COOKIE_NAME].value
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": address}])
        desks.append(Desk(address, user, context))
        return desks[-1]

    yield seat
    for desk in desks:
        desk.context.close()
    let_requests_finish()
    assert [line for desk in desks for line in desk.complaints] == []


def let_requests_finish() -> None:
    """Tables are emptied after the test; a page that is still being computed would stand in the way."""
    quiet_since = time.monotonic()
    ends_at = quiet_since + 15
    while time.monotonic() < min(quiet_since + QUIET, ends_at):
        if requests_under_way():
            quiet_since = time.monotonic()
        time.sleep(0.01)


@pytest.fixture
def sender(console_port: int, transactional_db: None) -> Sender:
    return Sender(console_port)


@pytest.fixture
def worker(transactional_db: None) -> Iterator[Worker]:
    """A worker that records and alerts as long as the test lasts."""
    busy = Worker()
    busy.start()
    yield busy
    busy.stop()


def barriers(page: Page) -> list[str]:
    """What keeps people out, as axe finds it: serious and critical only, each with its first culprit."""
    found = Axe().run(page).response["violations"]
    return [
        f"{item['id']}: {item['nodes'][0]['html'][:200]}"
        for item in found
        if item["impact"] in {"serious", "critical"}
    ]


def scrolls_sideways(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))
