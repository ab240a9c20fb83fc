"""Connecting a feed as a person does it: in a real browser, against a real console, with a sender of the guide."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from playwright.sync_api import Page, expect, sync_playwright
from pytest_django.plugin import DjangoDbBlocker

from console.accounts.models import Role, User
from console.feeds.models import Feed, QuarantinedItem
from tests.ingest.conftest import Sender, remove
from tests.make_accounts import make_user
from tests.make_feeds import make_held

pytestmark = pytest.mark.browser
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")


def session_of(user: User) -> str:
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)


@pytest.fixture
def page(
    front_door: int, django_db_blocker: DjangoDbBlocker, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Page]:
    """A manager's browser. Whatever the page complains of fails the test."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # playwright's loop runs in this thread
    with django_db_blocker.unblock(), sync_playwright() as playwright:
        user = make_user(f"browser-{uuid4().hex}", role=Role.MANAGER)
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(ARGUMENTS))
        context = chromium.new_context(base_url=f"http://127.0.0.1:{front_door}")
        context.add_cookies(
            [
                {
                    "name": settings.SESSION_COOKIE_NAME,
                    "value": session_of(user),
                    "domain": "127.0.0.1",
                    "path": "/",
                }
            ]
        )
        complaints: list[str] = []
        opened = context.new_page()
        opened.on(
            "console", lambda message: complaints.append(message.text) if message.type == "error" else None
        )
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        yield opened
        chromium.close()
        for feed in Feed.objects.filter(slug__contains="browser-feed"):
            remove(feed)
        user.delete()
    assert complaints == []


def test_a_feed_is_connected_tried_and_turns_green_by_itself(page: Page, front_door: int) -> None:
    page.goto("/feeds/new/")
    page.get_by_label("Node report").check()
    page.get_by_label("Name").fill("Browser feed")
    page.get_by_role("button", name="Make the address").click()
    expect(page.get_by_role("heading", name="Waiting for the first message")).to_be_visible()
    secret = page.locator("#feed-secret").inner_text().strip()
    page.get_by_role("button", name="Send a test message").click()
    expect(page.get_by_text("Stored in")).to_be_visible()
    expect(page.get_by_role("heading", name="Waiting for the first message")).to_be_visible()
    feed = Feed.objects.get(slug="browser-feed")
    companion = Feed.objects.get(test_of=feed)
    assert (companion.origin, companion.deliveries.count(), companion.tokens.count()) == ("test", 1, 0)
    body = {
        "schema": "node-report/1",
        "instance_id": "i-0123456789abcdef0",
        "reports": [{"type": "heartbeat"}],
    }
    assert Sender(front_door, feed, secret).post(body).status == 202
    expect(page.get_by_role("heading", name="Heard")).to_be_visible(timeout=8000)
    assert page.locator("#feed-secret").inner_text().strip() == secret
    assert Axe().run(page).response["violations"] == []


def test_messages_are_chosen_by_key_and_replayed(page: Page) -> None:
    feed = Feed.objects.create(slug="browser-feed-2", name="Browser feed", kind="aws-eventbridge")
    first, second = make_held(feed, b'{"source": "x"}'), make_held(feed, b"{")
    page.goto(f"/quarantine/?feed={feed.slug}")
    page.locator("h1").click()
    for key in ("j", "x", "j", "x"):
        page.keyboard.press(key)
    expect(page.get_by_text("2 selected")).to_be_visible()
    page.keyboard.press("r")
    expect(page.get_by_text("1 taken.")).to_be_visible()
    expect(page.get_by_text("1 refused again")).to_be_visible()
    states = dict(QuarantinedItem.objects.filter(feed=feed).values_list("pk", "state"))
    assert states == {first.pk: "replayed", second.pk: "held"}
