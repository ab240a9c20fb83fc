"""The design system in a real Chromium, under the strict policy: what the scripts do, and that all can use it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.template.loader import render_to_string
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from console.lib.styleguide import interruption_rows
from tests.lib.make_styleguide import StyleGuide, data, events, styleguide_html, text

pytestmark = pytest.mark.browser
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(viewport={"width": 1440, "height": 900}, timezone_id="Europe/Berlin")
    yield opened
    opened.close()


@pytest.fixture
def guide(context: BrowserContext) -> Iterator[StyleGuide]:
    """The style guide; its test fails when the browser refused anything, or a script failed."""
    opened = StyleGuide(context)
    yield opened
    assert opened.refused == []


def feed_region(numbers: list[int]) -> str:
    rows = {row["id"]: row for row in interruption_rows(datetime.now(UTC))}
    rows |= {99: rows[1] | {"id": 99, "service": "newcomer"}}
    drawn = "".join(
        render_to_string("components/_interruption_row.html", {"row": rows[number]}) for number in numbers
    )
    return (
        '<div class="panel-body" id="feed-table" data-region data-topics="feed">'
        f'<table class="table board" role="table"><tbody data-rows="feed" role="rowgroup">{drawn}</tbody></table></div>'
    )


def shown_rows(guide: StyleGuide) -> list[str]:
    script = "rows => rows.map(row => row.dataset.key)"
    keys: list[str] = guide.page.locator("#feed-table [data-key]").evaluate_all(script)
    return keys


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 1000, 390])
def test_everybody_can_use_every_component(browser: Browser, scheme: str, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme)  # type: ignore[arg-type]
    guide = StyleGuide(context)
    page = guide.open()
    expect(page.locator("[data-drawn]")).to_have_count(2)
    page.locator("[data-expand]").first.click()
    found = Axe().run(page).response["violations"]
    assert [item["id"] for item in found if item["impact"] in {"serious", "critical"}] == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert guide.refused == []
    context.close()


@pytest.mark.parametrize("name", ["400", "403", "404", "500", "offline"])
def test_an_error_page_needs_no_context_and_says_what_to_do(context: BrowserContext, name: str) -> None:
    guide = StyleGuide(context, render_to_string(f"{name}.html"))
    page = guide.open()
    expect(page.locator("main h1")).to_be_visible()
    assert page.locator("main a.button").count() >= 1
    found = Axe().run(page).response["violations"]
    assert [item["id"] for item in found if item["impact"] in {"serious", "critical"}] == []
    assert guide.refused == []


def test_no_template_of_the_design_system_holds_inline_code() -> None:
    inline = re.compile(r"<script(?![^>]*(?: src=|application/json))|<style|<[^>]+\s(?:style|on\w+)=")
    assert inline.search(styleguide_html()) is None


@pytest.mark.parametrize(
    ("now", "ended", "phase", "tone", "words"),
    [
        (0, 0, "running", "neutral", "2 min 00 s"),
        (89_000, 0, "running", "neutral", "31 s"),
        (100_000, 0, "running", "warn", "20 s"),
        (134_500, 0, "over", "danger", "14 s over"),
        (999_000, 89_000, "settled", "muted", "31 s to spare"),
        (999_000, 134_000, "settled", "danger", "overran by 14 s"),
    ],
)
def test_a_countdown_tells_the_time_left_then_the_margin(
    guide: StyleGuide, now: int, ended: int, phase: str, tone: str, words: str
) -> None:
    page = guide.open()
    told = {"start": 1, "deadline": 120_001, "ended": ended and ended + 1, "now": now + 1}
    seen = page.evaluate("told => spot.countdown(told)", told)
    assert (seen["phase"], seen["tone"], seen["text"]) == (phase, tone, words)


def test_a_time_is_told_in_the_browsers_zone_and_utc(guide: StyleGuide) -> None:
    guide.html = guide.html.replace(
        "</h1>", '</h1><time datetime="2026-07-01T22:30:00.000Z" data-time="day" id="t">x</time>'
    )
    expect(guide.open().locator("#t")).to_have_text(re.compile(r"^2 Jul 00:30 \S+ · 1 Jul 22:30Z$"))
    assert "GMT" not in guide.page.locator("#t").inner_text()


def test_new_rows_wait_while_the_pointer_is_over_the_list(guide: StyleGuide) -> None:
    page = guide.open()
    guide.answers["feed-table"] = text(feed_region([99, 3, 1]))
    page.locator("#interruption-2").hover()
    before = shown_rows(guide)
    guide.refresh("feed-table")
    waiting = page.get_by_role("button", name="1 new, show")
    expect(waiting).to_be_visible()
    assert shown_rows(guide) == before
    assert page.locator("#interruption-2").get_attribute("data-gone") is not None
    waiting.click()
    assert shown_rows(guide) == ["99", "3", "1"]
    expect(waiting).to_have_count(0)


def test_new_rows_wait_while_the_focus_is_in_the_list(guide: StyleGuide) -> None:
    page = guide.open()
    guide.answers["feed-table"] = text(feed_region([99, 2]))
    page.locator("#interruption-2 [data-open]").focus()
    guide.refresh("feed-table")
    expect(page.get_by_role("button", name="1 new, show")).to_be_visible()
    assert page.evaluate("document.activeElement.closest('tr').id") == "interruption-2"


def test_an_idle_list_at_its_top_is_simply_current(guide: StyleGuide) -> None:
    page = guide.open()
    guide.answers["feed-table"] = text(feed_region([99, 1]))
    guide.refresh("feed-table")
    assert shown_rows(guide) == ["99", "1"]
    assert page.locator("#interruption-99").get_attribute("data-key") == "99"


def test_a_region_that_has_not_changed_is_asked_with_its_digest_and_left_alone(guide: StyleGuide) -> None:
    page = guide.open()
    guide.answers["feed-table"] = text(feed_region([1]), **{"X-Region-Digest": "abc"})
    guide.refresh("feed-table")
    sent: list[str] = []

    guide.answers["feed-table"] = lambda route: (
        sent.append(route.request.headers["x-region-digest"]),
        route.fulfill(status=204),
    )[1]
    page.evaluate("document.querySelector('#interruption-1').dataset.mark = 'same'")
    guide.refresh("feed-table")
    assert sent == ["abc"]
    assert page.locator("#interruption-1").get_attribute("data-mark") == "same"


def test_regions_of_one_page_that_are_due_together_are_asked_for_in_one_request(guide: StyleGuide) -> None:
    page = guide.open()
    told = {"feed-table": {"digest": "f1", "html": feed_region([3])}}
    guide.answers["feed-table group-table"] = data(told)
    page.evaluate(
        "Promise.all(['feed-table', 'group-table'].map((id) => spot.refresh(document.getElementById(id))))"
    )
    assert shown_rows(guide) == ["3"]
    assert guide.asked == [("GET", "/styleguide/", "feed-table group-table")]
    expect(page.locator("#group-table [data-group]").first).to_be_visible()


def test_an_open_group_and_a_ticked_box_survive_a_refresh(guide: StyleGuide) -> None:
    page = guide.open()
    region = page.locator("#group-table").evaluate("node => node.outerHTML")
    guide.answers["group-table"] = text(region)
    page.locator("[data-expand]").nth(1).click()
    page.locator("[data-select]").nth(2).check()
    page.evaluate("document.activeElement.blur()")
    guide.refresh("group-table")
    expect(page.locator("#group-2-detail")).to_be_visible()
    expect(page.locator("[data-select]").nth(2)).to_be_checked()


def test_the_stream_refreshes_only_the_regions_of_its_topics(guide: StyleGuide) -> None:
    guide.html = guide.html.replace('<main id="main"', '<main data-live="/live/?topics=feed" id="main"')
    guide.answers["/live/"] = events(("changed", {"topics": ["feed"], "ids": [1]}))
    guide.answers["feed-table"] = text(feed_region([1]))
    page = guide.open()
    expect(page.locator("#feed-table [data-key]")).to_have_count(1)
    assert {region for _, _, region in guide.asked} == {"", "feed-table"}


def test_the_point_key_pauses_the_stream(guide: StyleGuide) -> None:
    guide.html = guide.html.replace('<main id="main"', '<main data-live="/live/" id="main"')
    guide.answers["/live/"] = events(("refresh", {}))
    page = guide.open()
    page.keyboard.press(".")
    expect(page.locator("[data-live-state]")).to_have_text("Paused")


def test_keys_walk_tick_and_act_on_rows(guide: StyleGuide) -> None:
    page = guide.open()
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert page.locator("[data-current]").get_attribute("id") == "group-2"
    page.keyboard.press("k")
    page.keyboard.press("x")
    expect(page.locator("[data-bulk]")).to_contain_text("1 selected")
    page.evaluate(
        "document.querySelector('[data-bulk] [data-hotkey=a]').onclick = () => { document.title = 'acted' }"
    )
    page.keyboard.press("a")
    expect(page).to_have_title("acted")


def test_single_keys_are_off_inside_inputs_and_where_switched_off(guide: StyleGuide) -> None:
    page = guide.open()
    page.keyboard.press("/")
    page.keyboard.type("jx?")
    expect(page.locator("[data-search]")).to_have_value("jx?")
    assert page.locator("[data-current]").count() == 0
    page.evaluate("document.activeElement.blur(); document.body.dataset.singleKeys = 'off'")
    page.keyboard.press("j")
    assert page.locator("[data-current]").count() == 0


def test_g_and_a_letter_go_to_a_page(guide: StyleGuide) -> None:
    guide.answers["/feeds/"] = text("<title>feeds</title>")
    page = guide.open()
    page.keyboard.press("g")
    page.keyboard.press("f")
    expect(page).to_have_title("feeds")


def test_the_palette_finds_by_the_beginnings_of_words(guide: StyleGuide) -> None:
    guide.answers["/debug/"] = text("<title>debug</title>")
    page = guide.open()
    page.keyboard.press("Control+k")
    page.keyboard.type("go deb")
    expect(page.locator("#palette [role=option]")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page).to_have_title("debug")


def test_filters_go_into_the_url_and_are_remembered(guide: StyleGuide) -> None:
    guide.answers["feed-table"] = guide.answers["group-table"] = lambda route: route.fulfill(status=204)
    page = guide.open()
    page.locator("select[name=severity]").select_option("critical")
    expect(page).to_have_url(re.compile(r"\?severity=critical$"))
    guide.open()
    expect(page).to_have_url(re.compile(r"\?severity=critical$"))
    page.locator("[data-filters-clear]").first.click()
    guide.open()
    assert page.evaluate("location.search") == ""


def test_an_act_can_be_undone_from_its_toast(guide: StyleGuide) -> None:
    guide.answers["/alerts/7/undo/"] = lambda route: route.fulfill(status=204)
    page = guide.open()
    page.evaluate(
        "detail => document.dispatchEvent(new CustomEvent('spot:toast', {detail}))",
        {"text": "Acknowledged.", "undo": "/alerts/7/undo/"},
    )
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".toast")).to_contain_text("Undone.")
    assert ("POST", "/alerts/7/undo/", "") in guide.asked


def test_a_form_that_asks_first_is_sent_only_after_yes(guide: StyleGuide) -> None:
    guide.answers["/clear/"] = text("<title>cleared</title>")
    guide.html = guide.html.replace('action="#stop"', 'action="/clear/"')
    page = guide.open()
    page.get_by_role("button", name="Stop and clear").click()
    page.locator("#confirm").get_by_role("button", name="Cancel").click()
    assert guide.asked == []
    page.get_by_role("button", name="Stop and clear").click()
    page.locator("#confirm").get_by_role("button", name="Stop and clear").click()
    expect(page).to_have_title("cleared")


def test_charts_follow_the_theme(guide: StyleGuide) -> None:
    page = guide.open()
    line = page.locator("#chart-trend-plot .scatterlayer .js-line").last
    expect(line).to_be_visible()
    light = line.evaluate("node => getComputedStyle(node).stroke")
    page.get_by_role("button", name="Dark").click()
    expect(line).not_to_have_css("stroke", light)


def test_copying_says_so(guide: StyleGuide, context: BrowserContext) -> None:
    page = guide.open()
    page.evaluate("navigator.clipboard.writeText = async (text) => { document.title = text }")
    page.locator("[data-copy]").first.click()
    expect(page).to_have_title("i-0f3a9c1d2e4b5a697")


@pytest.mark.parametrize("status", [403, 409, 500])
def test_a_failed_act_says_what_to_do(guide: StyleGuide, status: int) -> None:
    guide.html = guide.html.replace('data-hotkey="n"', 'data-hotkey="n" hx-post="/act/" hx-swap="none"')
    guide.answers["/act/"] = lambda route: route.fulfill(status=status)
    page = guide.open()
    page.keyboard.press("n")
    expect(page.locator(".toast[data-tone=danger]")).to_contain_text(re.compile("again|administrator"))
