"""One alert group worked by two people: its buttons, its undo, its notes and its checklist."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from console.alerts.models import AlertEvent, AlertGroup
from tests.browsing import PHONE, Desk, Sit, barriers, scrolls_sideways
from tests.make_accounts import make_user
from tests.make_board import Node, Sender, make_services, make_trouble
from tests.serving import Worker, work_off

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LIVE = '[data-live-state="live"]'


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def group(sender: Sender) -> AlertGroup:
    """Checkout's: two machines that still run, one that went with 31 s to spare."""
    make_services()
    make_trouble(sender, now=now())
    work_off()
    return AlertGroup.objects.get(service__slug="checkout")


def open_group(desk: Desk, group: AlertGroup) -> Page:
    page = desk.page(f"/alerts/{group.pk}/")
    expect(page.locator(LIVE)).to_be_visible()
    return page


def test_it_is_acknowledged_and_that_is_undone_within_ten_seconds(sit: Sit, group: AlertGroup) -> None:
    page = open_group(sit(), group)
    page.keyboard.press("a")
    expect(page.locator("#group-head")).to_contain_text("Alice has it since")
    toast = page.locator(".toast", has_text="You have it.")
    toast.get_by_role("button", name="Undo").click()
    expect(page.locator("#group-head")).to_contain_text("nobody has it yet")
    expect(page.locator("#timeline")).to_contain_text("Acknowledgement taken back")


def test_undo_is_offered_for_ten_seconds_and_not_longer(sit: Sit, group: AlertGroup) -> None:
    page = open_group(sit(), group)
    page.clock.install()
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    page.clock.run_for(9_000)
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    page.clock.run_for(2_000)
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)


def test_resolving_asks_while_machines_run_and_can_be_opened_again(sit: Sit, group: AlertGroup) -> None:
    page = open_group(sit(), group)
    page.keyboard.press("r")
    dialog = page.locator("#confirm")
    expect(dialog).to_contain_text("2 machines of this group still run out")
    dialog.get_by_role("button", name="Cancel").click()
    group.refresh_from_db()
    assert group.status == "triggered"
    page.get_by_role("button", name="Resolve", exact=False).first.click()
    dialog.get_by_role("button", name="Resolve").click()
    expect(page.locator("#group-head")).to_contain_text("Resolved by hand")
    expect(page.get_by_role("button", name="Acknowledge")).to_have_count(0)
    page.get_by_role("button", name="Re-open").click()
    expect(page.locator("#group-head")).to_contain_text("nobody has it yet")
    expect(page.locator("#timeline")).to_contain_text("Re-opened")


def test_a_group_that_began_to_fire_meanwhile_is_not_resolved_unasked(
    sit: Sit, sender: Sender, worker: Worker
) -> None:
    make_services()
    node, other = Node("transcode"), Node("transcode")
    sender.introduce(node, other, at=now() - timedelta(hours=1))
    sender.warn(node, at=now() - timedelta(seconds=200))
    sender.terminate(node, at=now() - timedelta(seconds=90))
    page = sit().page("/alerts/")
    page.locator("[data-open]").first.click()
    page.wait_for_url("**/alerts/*/")
    expect(page.locator(LIVE)).to_be_visible()
    expect(page.locator("#members")).to_contain_text("to spare")
    page.keyboard.press(".")  # the page no longer follows, so its button does not know
    sender.warn(other, at=now())
    group = AlertGroup.objects.get()
    for _ in range(100):
        group.refresh_from_db()
        if group.running_out_count:
            break
        page.wait_for_timeout(50)
    page.get_by_role("button", name="Resolve", exact=False).first.click()
    expect(page.locator(".toast")).to_contain_text(
        "1 machine is still running out. Resolve it again to confirm."
    )
    expect(page.locator("#group-head")).to_contain_text("1 of 2 machines still running")
    group.refresh_from_db()
    assert group.is_open


def test_silence_lasts_as_long_as_chosen_and_is_lifted(sit: Sit, group: AlertGroup) -> None:
    page = open_group(sit(), group)
    page.get_by_label("How long").select_option("120")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Silence for").click()
    expect(page.locator("#group-head")).to_contain_text("silenced until")
    group.refresh_from_db()
    assert group.silenced_until is not None
    assert abs(group.silenced_until - now() - timedelta(hours=2)) < timedelta(minutes=1)
    page.get_by_role("button", name="Lift the silence").click()
    expect(page.get_by_role("button", name="Silence for")).to_be_visible()


def test_a_note_is_kept_while_it_is_written_and_stands_in_the_history(
    sit: Sit, group: AlertGroup, sender: Sender, worker: Worker
) -> None:
    page = open_group(sit(), group)
    page.keyboard.press("n")
    note = page.locator("#note-text")
    expect(note).to_be_focused()
    page.keyboard.type("Zone c is empty & nobody <b>knows</b> why")
    note.blur()
    another = Node("checkout")
    sender.introduce(another, at=now() - timedelta(minutes=1))
    sender.warn(another, at=now())
    expect(page.locator("#timeline")).to_contain_text("Machines joined")
    expect(note).to_have_value("Zone c is empty & nobody <b>knows</b> why")
    page.get_by_role("button", name="Add note").click()
    expect(page.locator("#timeline li").first).to_contain_text("Zone c is empty & nobody <b>knows</b> why")
    expect(note).to_have_value("")
    assert str(AlertEvent.objects.get(kind="note").by) == "Alice"


def test_two_people_see_each_others_ticks(sit: Sit, group: AlertGroup) -> None:
    alice = open_group(sit(), group)
    bob = open_group(sit(make_user("bob")), group)
    alice.locator("#step-1-box").click()
    expect(bob.locator("#step-1-box")).to_have_attribute("aria-checked", "true")
    expect(bob.locator("#step-1")).to_contain_text("Alice")
    bob.locator("#step-1-box").click()
    expect(alice.locator("#step-1-box")).to_have_attribute("aria-checked", "false")


def test_a_group_that_opened_in_place_shows_its_machines(sit: Sit, group: AlertGroup) -> None:
    page = sit().page("/alerts/?q=Checkout")
    expander = page.locator("[data-expand][data-hotkey='m']")
    expander.click()
    members = page.locator(f"#group-{group.pk}-members [data-key]")
    expect(members).to_have_count(3)
    assert barriers(page) == []
    expander.click()
    expect(members.first).to_be_hidden()


def test_the_lists_of_groups_say_what_they_hide(sit: Sit, group: AlertGroup) -> None:
    page = sit().page("/alerts/?status=open&severity=info")
    expect(page.locator("#group-table")).to_contain_text("No group matches the filters")
    page.locator("#group-table").get_by_role("link", name="Clear the filters").click()
    expect(page.locator("#group-table [data-group]")).to_have_count(4)
    page.get_by_role("link", name="Resolved").click()
    expect(page.locator("#group-table")).to_contain_text("There is no group yet")


@pytest.mark.parametrize(
    "options", [{}, {"color_scheme": "dark"}, {"viewport": PHONE}], ids=["light", "dark", "phone"]
)
def test_everybody_can_work_a_group(sit: Sit, group: AlertGroup, options: dict[str, object]) -> None:
    page = open_group(sit(**options), group)
    assert barriers(page) == []
    assert not scrolls_sideways(page)
    page.goto(page.url.replace(f"{group.pk}/", ""))
    expect(page.locator("[data-group]")).to_have_count(4)
    assert barriers(page) == []
    assert not scrolls_sideways(page)
