"""The on-call board as an on-call engineer meets it: live, still, and by keyboard."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from console.accounts.models import Role
from console.alerts.models import AlertGroup
from tests.browsing import PHONE, Desk, Sit, barriers, scrolls_sideways
from tests.make_board import Node, Sender, make_services, make_trouble
from tests.serving import Worker, work_off

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LIVE = '[data-live-state="live"]'


def now() -> datetime:
    return datetime.now(UTC)


def known_node(sender: Sender, service: str = "checkout") -> Node:
    node = Node(service)
    sender.introduce(node, at=now() - timedelta(minutes=5))
    return node


def open_board(desk: Desk, path: str = "/oncall/") -> Page:
    page = desk.page(path)
    expect(page.locator(LIVE)).to_be_visible()
    return page


def test_a_warning_appears_counts_down_and_ends_with_its_margin(
    sit: Sit, sender: Sender, worker: Worker
) -> None:
    make_services()
    early, late = known_node(sender), known_node(sender, "search-api")
    page = open_board(sit())
    expect(page.locator("h1")).to_have_text("No machine is being reclaimed")

    sender.warn(early, at=now() - timedelta(seconds=30))
    row = page.locator("#feed [data-key]", has_text=early.id)
    expect(row).to_be_visible()
    expect(row.locator(".countdown")).to_have_attribute("data-phase", "running")
    expect(page.locator("#groups [data-group]", has_text="Checkout")).to_be_visible()
    expect(page.locator("h1")).to_have_text("1 machine is being reclaimed from Checkout")
    expect(page.locator("#headline .lead")).to_have_text("Nobody has its group yet.")
    before = row.locator(".countdown-text").inner_text()
    expect(row.locator(".countdown-text")).not_to_have_text(before)

    noticed_at = now() - timedelta(seconds=140)
    sender.warn(late, at=noticed_at)
    sender.terminate(early, at=now())
    sender.terminate(late, at=noticed_at + timedelta(seconds=134))
    expect(row).to_contain_text("to spare")
    expect(page.locator("#feed [data-key]", has_text=late.id)).to_contain_text("overran by 14 s")
    expect(page.locator("h1")).to_have_text("No machine is being reclaimed")


def test_new_rows_wait_while_the_pointer_is_in_the_list(sit: Sit, sender: Sender, worker: Worker) -> None:
    make_services()
    first, *others = [known_node(sender) for _ in range(4)]
    sender.warn(first, at=now())
    page = open_board(sit())
    row = page.locator("#feed [data-key]", has_text=first.id)
    expect(row).to_be_visible()
    expect(page.locator("#groups [data-group]")).to_have_count(1)  # comes after the row and moves it
    row.hover()
    for node in others:
        sender.warn(node, at=now() - timedelta(seconds=60))  # less time left: they belong above the first
    waiting = page.locator('[data-waiting="feed"] button')
    expect(waiting).to_have_text("3 new, show")
    expect(page.locator("#feed [data-rows] [data-key]")).to_have_count(1)
    waiting.click()
    expect(page.locator("#feed [data-rows] [data-key]")).to_have_count(4)
    expect(page.locator("#feed [data-rows] [data-key]").last).to_contain_text(first.id)


def test_a_dot_pauses_and_another_goes_on(sit: Sit, sender: Sender, worker: Worker) -> None:
    make_services()
    node = known_node(sender)
    page = open_board(sit())
    page.keyboard.press(".")
    expect(page.locator('[data-live-state="paused"]')).to_have_text("Paused")
    sender.warn(node, at=now())
    page.wait_for_timeout(1500)
    assert page.locator("#feed [data-key]").count() == 0
    page.keyboard.press(".")
    expect(page.locator("#feed [data-key]", has_text=node.id)).to_be_visible()


def test_without_the_stream_the_board_asks_by_itself(sit: Sit, sender: Sender, worker: Worker) -> None:
    make_services()
    node = known_node(sender)
    desk = sit()
    desk.may_fail = True
    page = desk.page()
    page.route("**/live/**", lambda route: route.abort())
    page.goto(desk.address + "/oncall/")
    expect(page.locator('[data-live-state="polling"]')).to_contain_text("polling every 5 s")
    sender.warn(node, at=now())
    expect(page.locator("#feed [data-key]", has_text=node.id)).to_be_visible()


def test_a_hidden_tab_asks_for_nothing_and_catches_up_when_shown(
    sit: Sit, sender: Sender, worker: Worker
) -> None:
    make_services()
    node = known_node(sender)
    page = open_board(sit())
    hide = "is => { Object.defineProperty(document, 'hidden', {value: is, configurable: true}); document.dispatchEvent(new Event('visibilitychange')); }"
    page.evaluate(hide, True)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    sender.warn(node, at=now())
    page.wait_for_timeout(1500)
    assert asked == []
    page.evaluate(hide, False)
    expect(page.locator("#feed [data-key]", has_text=node.id)).to_be_visible()


def test_groups_are_acknowledged_silenced_and_resolved_by_keyboard_alone(sit: Sit, sender: Sender) -> None:
    make_services()
    make_trouble(sender, now=now())
    work_off()
    page = open_board(sit())
    page.keyboard.press("j")
    page.keyboard.press("j")
    current = page.locator("#groups [data-key][data-current]")
    expect(current).to_have_count(1)
    key = current.get_attribute("data-key")
    group = page.locator(f"#group-{key}")
    page.keyboard.press("a")
    expect(group).to_contain_text("Acknowledged")
    expect(group.locator(".c-who")).to_have_text("Alice")
    page.keyboard.press("s")
    expect(group).to_contain_text("Silenced")
    page.keyboard.press("r")
    expect(page.locator("#confirm")).to_contain_text("still run")
    page.locator("#confirm").get_by_role("button", name="Resolve").press("Enter")
    expect(page.locator("#groups .count")).to_have_text("3")
    assert AlertGroup.objects.get(pk=key).status == "resolved"


def test_ticked_groups_are_acknowledged_together_and_that_is_undone(sit: Sit, sender: Sender) -> None:
    make_services()
    make_trouble(sender, now=now())
    work_off()
    page = open_board(sit())
    top = page.locator("#groups [data-group]").first.bounding_box()
    for _ in range(2):
        page.keyboard.press("j")
        page.keyboard.press("x")
    expect(page.locator("#bulk")).to_contain_text("2 selected")
    assert page.locator("#groups [data-group]").first.bounding_box() == top, "ticking must not move the rows"
    page.keyboard.press("a")
    toast = page.locator(".toast", has_text="2 acknowledged.")
    expect(toast).to_be_visible()
    expect(page.locator("#groups .c-who", has_text="Alice")).to_have_count(2)
    toast.get_by_role("button", name="Undo").click()
    expect(page.locator("#groups .c-who", has_text="Alice")).to_have_count(0)
    assert AlertGroup.objects.filter(status="triggered").count() == 4


def test_keys_go_places_open_and_search(sit: Sit, sender: Sender) -> None:
    make_services()
    make_trouble(sender, now=now())
    work_off()
    page = open_board(sit())
    page.keyboard.press("/")
    expect(page.locator("[data-search]")).to_be_focused()
    page.keyboard.type("ajkx?.")
    expect(page.locator("[data-search]")).to_have_value("ajkx?.")
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.locator("[data-search]").fill("")
    page.locator("[data-search]").blur()
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    expect(page.locator("#palette")).to_be_visible()
    page.keyboard.type("debug")
    page.keyboard.press("Enter")
    page.wait_for_url("**/debug/**")
    page.keyboard.press("g")
    page.keyboard.press("o")
    page.wait_for_url("**/oncall/**")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/alerts/*/")


def test_single_keys_can_be_switched_off(sit: Sit, sender: Sender) -> None:
    make_services()
    make_trouble(sender, now=now())
    work_off()
    desk = sit()
    assert desk.user is not None
    desk.user.has_single_keys = False
    desk.user.save(update_fields=["has_single_keys"])
    page = open_board(desk)
    for key in ("j", "?", "."):
        page.keyboard.press(key)
    expect(page.locator("[data-current]")).to_have_count(0)
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(page.locator(LIVE)).to_be_visible()


def test_filters_live_in_the_url_are_remembered_and_say_what_they_hide(sit: Sit, sender: Sender) -> None:
    make_services()
    make_trouble(sender, now=now())
    work_off()
    page = open_board(sit())
    page.get_by_label("Service", exact=True).select_option("checkout")
    expect(page.locator("#groups [data-group]")).to_have_count(1)
    expect(page.locator("#groups")).to_contain_text("Filters hide 3 more")
    expect(page.locator("#feed")).to_contain_text("Filters hide 4 more")
    assert "service=checkout" in page.url
    page.goto(page.url.split("/oncall")[0] + "/debug/")
    page.goto(page.url.split("/debug")[0] + "/oncall/")
    page.wait_for_url("**/oncall/?service=checkout")
    page.locator("#groups").get_by_role("link", name="Clear").click()
    expect(page.locator("#groups [data-group]")).to_have_count(4)
    assert "service" not in page.url


def test_a_viewer_sees_nothing_that_would_be_refused(sit: Sit, sender: Sender) -> None:
    make_services()
    make_trouble(sender, now=now())
    work_off()
    page = open_board(sit(role=Role.VIEWER))
    expect(page.locator("#groups [data-group]")).to_have_count(4)
    assert page.locator("#bulk, .row-actions, [data-select]").count() == 0
    page.goto(page.url.replace("/oncall/", f"/alerts/{AlertGroup.objects.order_by('pk')[0].pk}/"))
    assert page.locator("main form:not([method=get])").count() == 0


@pytest.mark.parametrize("role", [Role.ADMIN, Role.VIEWER])
def test_a_board_without_a_feed_leads_through_the_first_steps(sit: Sit, role: Role) -> None:
    page = open_board(sit(role=role))
    expect(page.get_by_role("heading", name="First steps")).to_be_visible()
    expect(page.locator("#headline")).to_contain_text("no feed is connected")
    links = page.locator("#groups .empty a.button")
    assert links.count() == (1 if role == Role.ADMIN else 0)
    assert barriers(page) == []


def test_a_quiet_board_proves_that_it_hears(sit: Sit, sender: Sender, worker: Worker) -> None:
    node = Node("checkout")
    page = open_board(sit())
    expect(page.locator("#groups .empty")).to_contain_text("2 feeds wait for the first message")
    sender.report(node, {"type": "heartbeat"}, at=now())
    page.wait_for_timeout(1500)  # the tally of what was heard is written once a second
    page.reload()
    expect(page.locator("#groups .empty")).to_contain_text("2 feeds healthy, last event")


@pytest.mark.parametrize("width", [1440, 1340, 1300, 1180, 1000])
def test_names_and_time_left_are_whole_at_every_width(sit: Sit, sender: Sender, width: int) -> None:
    make_services()
    make_trouble(sender, now=now())
    work_off()
    page = open_board(sit(viewport={"width": width, "height": 900}))
    cut = """nodes => nodes.filter(node => node.getClientRects().length && (node.scrollWidth > node.clientWidth + 1
        || node.getBoundingClientRect().right > node.closest('td').getBoundingClientRect().right + 1)).map(node => node.textContent)"""
    assert page.locator("#feed .who-is-hit").evaluate_all(cut) == []
    assert page.locator("#feed .countdown-text, #groups .countdown-text").evaluate_all(cut) == []
    assert not scrolls_sideways(page)


def test_everybody_can_use_the_board_on_a_phone_and_in_the_dark(sit: Sit, sender: Sender) -> None:
    make_services()
    make_trouble(sender, now=now())
    work_off()
    desk = sit(viewport=PHONE, color_scheme="dark")
    page = open_board(desk)
    expect(page.locator("#feed [data-key]").first).to_be_visible()
    assert barriers(page) == []
    assert not scrolls_sideways(page)
