"""In a real Chromium: a checklist worked by two people, by keyboard and without script; the editor; every page."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from console.accounts.audit import Actor
from console.accounts.models import User
from console.runbooks import attaching, checklist, editing
from console.runbooks.default_runbook import default_version
from console.runbooks.editing import Wording
from console.runbooks.models import Execution, StepMark
from tests.make_accounts import make_user
from tests.make_fleet import make_service
from tests.make_runbooks import make_runbook, make_step, publish_next

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-sync",
    "--no-first-run",
]
INLINE = re.compile(r"<script(?![^>]*(?: src=|application/json))|<style|<[^>]+ (?:style|on\w+)=")
Visit = Callable[..., Page]


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
def visit(browser: Browser, live_server: LiveServer) -> Iterator[Visit]:
    """Opens a page as somebody, in a window of their own. The policy against inline code refused nothing."""
    refused: list[str] = []
    opened: list[BrowserContext] = []

    def open_page(path: str, *, user: User, **options: object) -> Page:
        client = Client()
        client.force_login(user)
        context = browser.new_context(**({"viewport": {"width": 1280, "height": 800}} | options))  # type: ignore[arg-type]
        opened.append(context)
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}]
        )
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = context.new_page()
        page.on(
            "console", lambda told: refused.append(told.text) if "Content Security" in told.text else None
        )
        page.on("pageerror", lambda error: refused.append(str(error)))
        page.goto(live_server.url + path)
        return page

    yield open_page
    for context in opened:
        context.close()
    assert refused == []


@pytest.fixture
def alice() -> User:
    return make_user("alice", role="manager")


@pytest.fixture
def execution(alice: User) -> Execution:
    """Three steps of a service, started six minutes ago."""
    steps = (
        make_step("Cordon", "```sh\nkubectl get pods --namespace {{ service }} # {{ node_name }}\n```"),
        make_step("Drain", "Look first."),
        make_step("Tell", is_required=False),
    )
    by, now = Actor.person(alice), timezone.now()
    runbook, service = make_runbook(*steps, name="Workers", by=by), make_service(slug="checkout")
    attaching.attach(runbook, service=service, by=by, now=now)
    return checklist.start(service, origin="live", now=now - timedelta(minutes=6))


def test_a_tick_folds_its_step_unfolds_the_next_and_keeps_the_focus(
    visit: Visit, alice: User, execution: Execution
) -> None:
    page = visit(f"/runbooks/executions/{execution.pk}/", user=alice)
    box = page.get_by_role("checkbox", name="1. Cordon")
    box.focus()
    page.keyboard.press("Space")
    expect(box).to_be_checked()
    expect(box).to_be_focused()
    expect(box.locator("svg").first).to_be_visible()
    expect(page.locator("#step-1-detail")).not_to_have_attribute("open", "")
    expect(page.locator("#step-2-detail")).to_have_attribute("open", "")
    expect(page.locator("#checklist [role=status]")).to_have_text("1 of 3 done")
    page.keyboard.press("Space")
    expect(box).not_to_be_checked()
    assert list(StepMark.objects.order_by("pk").values_list("act", flat=True)) == ["tick", "untick"]


def test_what_one_does_the_other_sees_without_losing_a_word(
    visit: Visit, alice: User, execution: Execution
) -> None:
    path = f"/runbooks/executions/{execution.pk}/"
    mine, theirs = visit(path, user=alice), visit(path, user=make_user("bob"))
    writing = theirs.locator("#step-1-text")
    writing.fill("half a sent")
    mine.locator("#step-1-text").fill("Zone b is empty")
    mine.locator("#step-1-act").get_by_role("button", name="Note").click()
    expect(mine.locator("#step-1-text")).to_have_value("")
    mine.get_by_role("checkbox", name="2. Drain").click()
    expect(theirs.get_by_role("checkbox", name="2. Drain")).to_be_checked(timeout=15_000)
    expect(theirs.get_by_text("Zone b is empty")).to_be_visible()
    expect(writing).to_be_focused()
    writing.press_sequentially("ence")
    expect(writing).to_have_value("half a sentence")


def test_a_skip_asks_for_its_reason_first(visit: Visit, alice: User, execution: Execution) -> None:
    page = visit(f"/runbooks/executions/{execution.pk}/", user=alice)
    skip = page.locator("#step-1-act").get_by_role("button", name="Skip")
    skip.click()
    assert not StepMark.objects.exists()
    page.locator("#step-1-text").fill("Already gone")
    skip.click()
    expect(page.locator("#step-1")).to_contain_text("Skipped by Alice")
    expect(page.locator("#step-1")).to_contain_text("Already gone")


def test_a_command_is_copied_as_it_is_to_be_pasted(visit: Visit, alice: User, execution: Execution) -> None:
    page = visit(f"/runbooks/executions/{execution.pk}/", user=alice)
    page.get_by_role("button", name="Copy the command").click()
    expect(page.locator("#step-1 [data-copy-word]")).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == "kubectl get pods --namespace checkout # ‹node_name›"


def test_without_script_a_checklist_is_worked_all_the_same(
    visit: Visit, alice: User, execution: Execution
) -> None:
    page = visit(f"/runbooks/executions/{execution.pk}/", user=alice, java_script_enabled=False)
    page.get_by_role("checkbox", name="1. Cordon").click()
    expect(page.get_by_role("checkbox", name="1. Cordon")).to_be_checked()
    assert page.url.endswith(f"/runbooks/executions/{execution.pk}/#checklist")
    page.locator("#step-2-text").fill("Nothing to drain")
    page.locator("#step-2-act").get_by_role("button", name="Skip").click()
    expect(page.get_by_text("Every required step is settled")).to_be_visible()


def test_the_editor_adds_moves_previews_and_publishes(visit: Visit, alice: User) -> None:
    runbook = make_runbook(make_step("Old"), name="Pool", by=Actor.person(alice))
    page = visit("/runbooks/pool/edit/", user=alice)
    page.get_by_role("button", name="Add a step").click()
    title = page.get_by_label("Title of step 2")
    expect(title).to_be_focused()
    title.fill("First of all")
    page.locator("#step-1-body").fill("In **{{ zone }}**, {{ nope }}")
    expect(page.locator("#preview-1 strong")).to_have_text("eu-west-1b")
    expect(page.locator("#preview-1")).to_contain_text("{{ nope }} is not a variable")
    page.locator("#step-1-body").fill("In **{{ zone }}**")
    page.get_by_role("button", name="Move step 2 up").click()
    expect(page.get_by_label("Title of step 1")).to_be_focused()
    expect(page.get_by_label("Title of step 1")).to_have_value("First of all")
    page.get_by_label("What changes").fill("A step before all others.")
    page.get_by_role("button", name="Publish version 2").click()
    expect(page.get_by_role("heading", name="1. First of all")).to_be_visible()
    assert [step["title"] for step in runbook.versions.get(number=2).steps] == ["First of all", "Old"]


def test_leaving_the_editor_with_unsaved_words_asks_first(visit: Visit, alice: User) -> None:
    make_runbook(make_step("Old"), name="Pool", by=Actor.person(alice))
    page = visit("/runbooks/pool/edit/", user=alice)
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.get_by_label("Title of step 1").fill("New words")
    page.get_by_role("link", name="Cancel").click()
    page.wait_for_url("**/runbooks/pool/")
    assert asked == ["beforeunload"]


@pytest.mark.parametrize(
    ("width", "scheme"), [(1440, "light"), (1440, "dark"), (390, "light")], ids=["light", "dark", "phone"]
)
def test_every_page_is_accessible_and_fits(
    visit: Visit, alice: User, execution: Execution, width: int, scheme: str
) -> None:
    by, now = Actor.person(alice), timezone.now()
    checklist.tick(execution.pk, step=1, by=by, now=now)
    checklist.skip(execution.pk, step=2, reason="Nothing to drain", by=by, now=now)
    runbook = execution.version.runbook
    publish_next(runbook, make_step("Cordon", "| a | b |\n|---|---|\n| 1 | 2 |"), make_step("Drain " * 20))
    editing.save_draft(runbook, Wording(3, 0, [make_step("Draft")]), by=by, now=now)
    archived = make_runbook(name="Old plan", by=by)
    editing.archive(archived, by=by, now=now)
    default_version(now=now)
    faulty = []
    paths = [
        "",
        "new/",
        "workers/",
        "workers/?version=1",
        "workers/edit/",
        "workers/compare/",
        "spot-incident/",
    ]
    page = visit("/runbooks/", user=alice, viewport={"width": width, "height": 844}, color_scheme=scheme)
    base = page.url
    for path in [*paths, f"executions/{execution.pk}/", "old-plan/"]:
        answer = page.goto(base + path)
        assert answer is not None
        assert answer.status == 200, path
        assert not INLINE.search(answer.text()), path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        found = Axe().run(page).response["violations"]
        faulty += [(path, rule["id"], rule["nodes"][0]["html"]) for rule in found]
    assert faulty == []
