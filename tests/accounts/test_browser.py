"""In a real Chromium: passkeys, second steps, and every page in light, dark and 390 px."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from console.accounts.audit import Actor, record
from console.accounts.invitations import invite
from console.accounts.models import Role, User
from console.accounts.people import change_role
from tests.make_accounts import PASSWORD, make_token, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-sync",
    "--no-first-run",
]
INLINE = re.compile(r"<script(?![^>]*(?: src=|application/json))|<style|<[^>]+ (?:style|on\w+)=")
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
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(viewport={"width": 1280, "height": 800})
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page whose test fails when the browser refused anything under the content security policy."""
    refused: list[str] = []
    opened = context.new_page()
    opened.on(
        "console", lambda told: refused.append(told.text) if "Content Security Policy" in told.text else None
    )
    opened.on("pageerror", lambda error: refused.append(str(error)))
    yield opened
    if SCREENSHOTS:
        opened.screenshot(path=Path(SCREENSHOTS) / "last.png")
    assert refused == []


@pytest.fixture
def alice() -> User:
    return make_user("alice", role=Role.ADMIN, password=PASSWORD)


@pytest.fixture
def address(live_server: LiveServer) -> str:
    return live_server.url.replace("127.0.0.1", "localhost")  # passkeys belong to names, not to numbers


def sign_in(page: Page, address: str, *, next_page: str = "/me/") -> None:
    page.goto(f"{address}/accounts/login/?next={next_page}")
    page.get_by_label("E-mail").fill("alice@example.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def confirm(page: Page) -> None:
    """Before a change to how one signs in, the console asks again, then not for five minutes."""
    expect(page.get_by_role("heading", name="Confirm it is you")).to_be_visible()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()


def add_authenticator(context: BrowserContext, page: Page) -> None:
    """A device that holds passkeys and whose owner always agrees."""
    session = context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
    }
    options |= {"isUserVerified": True, "automaticPresenceSimulation": True}  # type: ignore[dict-item]
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def sign_out(page: Page, address: str) -> None:
    page.goto(f"{address}/accounts/logout/")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_passkey_is_added_and_then_signs_in_by_itself(
    context: BrowserContext, page: Page, address: str, alice: User
) -> None:
    add_authenticator(context, page)
    sign_in(page, address, next_page="/accounts/2fa/webauthn/add/")
    confirm(page)
    page.get_by_label("Name").fill("Alice's laptop")
    page.get_by_role("button", name="Add the passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    page.goto(f"{address}/accounts/2fa/webauthn/")
    expect(page.get_by_text("Signs in by itself")).to_be_visible()
    sign_out(page, address)
    page.goto(f"{address}/accounts/login/?next=/me/")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Your settings")).to_be_visible()


def test_a_passkey_is_the_second_step_after_the_password(
    context: BrowserContext, page: Page, address: str, alice: User
) -> None:
    add_authenticator(context, page)
    sign_in(page, address, next_page="/accounts/2fa/webauthn/add/")
    confirm(page)
    page.get_by_role("button", name="Add the passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    sign_out(page, address)
    sign_in(page, address)
    expect(page.get_by_role("heading", name="Second step")).to_be_visible()
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Your settings")).to_be_visible()


def test_a_device_without_a_passkey_says_what_happened(
    context: BrowserContext, page: Page, address: str, alice: User
) -> None:
    add_authenticator(context, page)
    page.goto(f"{address}/accounts/login/")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("alert").filter(has_text="The passkey was not used")).to_be_visible()


def test_signing_in_needs_no_mouse(page: Page, address: str, alice: User) -> None:
    page.goto(f"{address}/accounts/login/?next=/me/")
    page.get_by_label("E-mail").focus()
    page.keyboard.type("alice@example.com")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your settings")).to_be_visible()


def test_a_person_is_deactivated_after_a_question(page: Page, address: str, alice: User) -> None:
    bob = make_user("bob")
    sign_in(page, address, next_page="/settings/")
    page.get_by_role("button", name="Deactivate Bob").click()
    page.get_by_role("dialog").get_by_role("button", name="Deactivate").click()
    expect(page.get_by_role("button", name="Reactivate Bob")).to_be_visible()
    bob.refresh_from_db()
    assert not bob.is_active


PAGES = {
    "me": "/me/",
    "people": "/settings/",
    "invitations": "/settings/invitations/",
    "tokens": "/settings/tokens/",
    "sign-in-state": "/settings/sign-in/",
    "audit": "/audit/",
    "audit-empty": "/audit/?actor=nobody",
    "second-step": "/accounts/2fa/",
    "totp": "/accounts/2fa/totp/activate/",
    "passkeys": "/accounts/2fa/webauthn/",
    "passkey-add": "/accounts/2fa/webauthn/add/",
    "sessions": "/accounts/sessions/",
    "password": "/accounts/password/change/",
    "sign-on": "/accounts/sign-on/",
}
SIGNED_OUT_PAGES = {
    "login": "/accounts/login/",
    "signup": "/accounts/signup/",
    "reset": "/accounts/password/reset/",
    "reset-done": "/accounts/password/reset/done/",
    "invitation-over": "/join/over/",
    "cancelled": "/accounts/sign-on/cancelled/",
}
LOOKS: list[dict[str, Any]] = [
    {"name": "light", "color_scheme": "light", "viewport": {"width": 1280, "height": 800}},
    {"name": "dark", "color_scheme": "dark", "viewport": {"width": 1280, "height": 800}},
    {"name": "phone", "color_scheme": "light", "viewport": {"width": 390, "height": 844}},
]


def furnish(alice: User) -> str:
    """A console somebody has used. Returns the secret of an open invitation."""
    now = timezone.now()
    actor = Actor.person(alice, address="192.0.2.7")
    change_role(make_user("bob"), role=Role.MANAGER, by=actor, now=now)
    make_user("charlie", is_active=False)
    _, secret = invite("dora@example.com", role=Role.VIEWER, by=alice, actor=actor, now=now)
    make_token(name="inventory push", created_by=alice, expires_at=now + timedelta(days=30))
    token, _ = make_token(name="old script")
    token.revoke(now=now)
    long_name = "a service whose name is much longer than anybody would ever choose for one"
    after = {"replicas": 4, "links": ["https://logs.example.com/" + "x" * 120]}
    entry = {"subject_kind": "service", "subject_id": 3, "subject_label": long_name, "now": now}
    record(actor, action="service.update", before={"replicas": 3}, after=after, **entry)  # type: ignore[arg-type]
    return secret


def inspect(page: Page, *, name: str) -> None:
    """No accessibility fault, no sideways scrolling, nothing inline."""
    if SCREENSHOTS:
        page.screenshot(path=Path(SCREENSHOTS) / f"{name}.png", full_page=True)
    found = Axe().run(page)
    assert found.violations_count == 0, f"{name}: {found.generate_report()}"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} scrolls sideways"
    sent = page.evaluate("fetch(location.href).then((answer) => answer.text())")
    assert not INLINE.search(sent), f"{name} has inline script or style"


@pytest.mark.parametrize("look", LOOKS, ids=[look["name"] for look in LOOKS])
def test_every_page_is_sound(browser: Browser, address: str, alice: User, look: dict[str, Any]) -> None:
    secret = furnish(alice)
    settings = {key: value for key, value in look.items() if key != "name"}
    context = browser.new_context(**settings)
    page = context.new_page()
    for name, path in {**SIGNED_OUT_PAGES, "join": f"/join/{secret}/"}.items():
        page.goto(address + path)
        inspect(page, name=f"{name}-{look['name']}")
    sign_in(page, address)
    expect(page.get_by_role("heading", name="Your settings")).to_be_visible()
    page.goto(f"{address}/accounts/2fa/totp/activate/")
    confirm(page)
    expect(page.get_by_role("heading", name="Set up an authenticator app")).to_be_visible()
    for name, path in PAGES.items():
        page.goto(address + path)
        inspect(page, name=f"{name}-{look['name']}")
    page.goto(f"{address}/audit/?action=service")
    page.get_by_text("2 fields").click()
    inspect(page, name=f"audit-difference-{look['name']}")
    page.goto(f"{address}/settings/tokens/")
    page.get_by_label("Name").fill("a script")
    page.get_by_role("button", name="Make the token").click()
    expect(page.get_by_role("status").filter(has_text="is made")).to_be_visible()
    inspect(page, name=f"token-made-{look['name']}")
    context.close()
