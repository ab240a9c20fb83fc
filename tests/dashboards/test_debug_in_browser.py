"""The debug board, the list of reclaims and one reclaim in full, as a platform engineer reads them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from console.interruptions.models import Interruption
from tests.browsing import PHONE, Sit, barriers, scrolls_sideways
from tests.make_board import Node, Sender, make_services, make_trouble
from tests.serving import work_off

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LOOKS = pytest.mark.parametrize(
    "options", [{}, {"color_scheme": "dark"}, {"viewport": PHONE}], ids=["light", "dark", "phone"]
)


@pytest.fixture
def nodes(sender: Sender) -> dict[str, Node]:
    make_services()
    nodes = make_trouble(sender, now=datetime.now(UTC))
    work_off()
    return nodes


def page_of(node: Node) -> str:
    return f"/interruptions/{Interruption.objects.get(machine__instance_id=node.id).pk}/"


@LOOKS
def test_everybody_can_read_every_page(sit: Sit, nodes: dict[str, Node], options: dict[str, object]) -> None:
    desk = sit(**options)
    for path in ("/debug/", "/interruptions/", page_of(nodes["late"]), page_of(nodes["store"])):
        page = desk.page(path)
        expect(page.locator('[data-live-state="live"]')).to_be_visible()
        assert barriers(page) == [], path
        assert not scrolls_sideways(page), path
        page.close()


@LOOKS
def test_empty_pages_say_how_they_fill(sit: Sit, options: dict[str, object]) -> None:
    desk = sit(**options)
    for path, words in (
        ("/debug/", "No machine is known yet"),
        ("/interruptions/", "No machine was reclaimed yet"),
        ("/alerts/", "No group is open"),
        ("/alerts/?status=all", "There is no group yet"),
        ("/interruptions/?q=i-nothing", "No reclaim matches the filters"),
    ):
        page = desk.page(path)
        expect(page.locator("main")).to_contain_text(words)
        assert barriers(page) == [], path
        assert not scrolls_sideways(page), path
        page.close()


@pytest.mark.parametrize("width", [1440, 390])
def test_the_drawing_keeps_its_words_apart_and_inside(sit: Sit, nodes: dict[str, Node], width: int) -> None:
    page = sit(viewport={"width": width, "height": 900}).page(page_of(nodes["late"]))
    expect(page.locator(".gantt svg")).to_be_visible()
    boxes = page.locator(".gantt svg text").evaluate_all(
        "nodes => nodes.map(n => n.getBoundingClientRect()).filter(b => b.width).map(b => [b.left, b.right, b.top, b.bottom])"
    )
    for place, (left, right, top, bottom) in enumerate(boxes):
        assert 0 <= left < right <= width
        for other in boxes[place + 1 :]:
            assert right <= other[0] or other[1] <= left or bottom <= other[2] or other[3] <= top
    labels = page.locator(".gantt-labels li").evaluate_all(
        "nodes => nodes.map(n => n.getBoundingClientRect().top)"
    )
    bars = page.locator(".gantt-row :is(rect, circle)").evaluate_all(
        "nodes => nodes.map(n => { const b = n.getBoundingClientRect(); return (b.top + b.bottom) / 2 - 13; })"
    )
    assert labels == pytest.approx(bars, abs=3), "each bar stands beside its name"


def test_a_reclaim_tells_margin_hook_moves_and_log(sit: Sit, nodes: dict[str, Node]) -> None:
    page = sit().page(page_of(nodes["late"]))
    expect(page.locator(".tiles")).to_contain_text("overran by 14 s")
    expect(page.locator("#reclaim")).to_contain_text("14 requests in flight after 60 s")
    hook = page.get_by_role("region", name="Shutdown hooks")
    expect(hook).to_contain_text("1 min 00 s")
    expect(page.get_by_role("region", name="Moves").locator("tbody tr")).to_have_count(4)
    expect(page.get_by_role("region", name="Log lines")).to_contain_text("212 connections open")


def test_what_a_machine_handed_over_is_told_with_how_long_it_took(sit: Sit, nodes: dict[str, Node]) -> None:
    page = sit().page(page_of(nodes["store"]))
    volumes = page.get_by_role("region", name="Volumes")
    expect(volumes).to_contain_text("23 s")
    expect(volumes).to_contain_text("waiting")
    expect(page.get_by_role("region", name="Work")).to_contain_text("5 min 10 s")
    expect(page.get_by_role("region", name="Replicas", exact=True)).to_contain_text("33 s")


def test_a_raw_message_is_shown_as_received(sit: Sit, nodes: dict[str, Node]) -> None:
    page = sit().page(page_of(nodes["draining"]))
    expect(
        page.locator('[data-live-state="live"]')
    ).to_be_visible()  # its scripts are there, and the regions fresh
    page.locator("#witnesses summary").first.click()
    raw = page.locator("#witnesses pre.raw")
    expect(raw).to_contain_text("EC2 Spot Instance Interruption Warning")
    expect(raw).to_contain_text(nodes["draining"].id)


def test_a_machine_is_found_by_the_beginning_of_its_id_and_opened_by_keyboard(
    sit: Sit, nodes: dict[str, Node]
) -> None:
    page = sit().page("/debug/")
    expect(page.locator("#machines [data-key]")).to_have_count(9)
    page.keyboard.press("/")
    page.keyboard.type(nodes["over"].id[:9])
    expect(page.locator("#machines [data-key]")).to_have_count(1)
    assert "q=" in page.url
    page.locator("[data-search]").blur()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{page_of(nodes['over'])}")


def test_a_reclaim_moves_on_while_it_is_looked_at(sit: Sit, nodes: dict[str, Node], sender: Sender) -> None:
    page = sit().page(page_of(nodes["fresh"]))
    expect(page.locator('[data-live-state="live"]')).to_be_visible()
    expect(page.locator("#reclaim .badge").first).to_contain_text("Noticed")
    sender.terminate(nodes["fresh"], at=datetime.now(UTC))
    work_off()
    expect(page.locator("#reclaim .badge").first).to_contain_text("Gone")
    expect(page.locator("#witnesses tbody tr")).to_have_count(2)
