"""How a person is told and what was sent, in a real browser; and the board that calls."""

from __future__ import annotations

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from console.accounts.models import Role
from console.alerts.models import AlertGroup
from console.lib.live import announce
from console.notifications.models import BoardNotice, ContactMethod, Notification
from tests.browsing import PHONE, Sit, barriers, scrolls_sideways
from tests.make_accounts import make_user
from tests.make_notifications import make_channel, make_method, make_quiet, make_rule, queue
from tests.notifications.outbox_hands import send_due

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LIVE = '[data-live-state="live"]'
LISTEN = """
window.told = []; window.tones = 0;
window.Notification = class { static permission = "granted"; constructor(title) {
  window.told.push(title); document.documentElement.dataset.told = window.told.length; }  };
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...when) { window.tones += 1; return start.apply(this, when); };
"""


def open_group(title: str, **fields: object) -> AlertGroup:
    now = timezone.now()
    plain = {"key": f"service:{title}", "severity": "critical", "triggered_at": now, "last_news_at": now}
    group = AlertGroup.objects.create(title=title, **(plain | fields))
    announce("groups", ids=[group.pk])
    return group


def told(page: Page) -> list[str]:
    return page.evaluate("window.told")  # type: ignore[no-any-return]


def test_a_person_proves_a_method_sets_a_rule_and_sees_the_test_arrive_on_a_phone(
    sit: Sit, settings: object
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"  # type: ignore[attr-defined]
    desk = sit(viewport=PHONE)
    page = desk.page("/me/notifications/")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("link", name="Another e-mail address").click()
    page.get_by_label("What you call it").fill("Home")
    page.get_by_label("Addresses").fill("alice@home.example")
    page.get_by_role("button", name="Send the code").click()
    method = ContactMethod.objects.get(label="Home")
    page.get_by_label("Code that was sent to Home").fill(Notification.objects.get(method=method).title[:6])
    page.get_by_role("button", name="Prove it").click()
    page.get_by_label("Tell me by").select_option(label="Home")
    page.get_by_role("button", name="Add the rule").click()
    expect(page.locator("#personal")).to_contain_text("At once by Home")

    page.get_by_role("button", name="Send me a test page").click()
    expect(page.locator("#tests")).to_contain_text("Queued")
    expect(page.locator(LIVE)).to_be_visible()
    send_due()

    expect(page.locator("#tests li").first).to_contain_text("Handed over")
    assert not scrolls_sideways(page)
    assert barriers(page) == []


@pytest.mark.parametrize("options", [{}, {"viewport": PHONE, "color_scheme": "dark"}], ids=["wide", "phone"])
def test_the_pages_of_this_room_have_no_barriers_and_fit(sit: Sit, options: dict[str, object]) -> None:
    desk = sit(role=Role.ADMIN, **options)
    assert desk.user is not None
    sms = make_method(desk.user)
    (
        make_rule(sms),
        make_quiet(desk.user, "22:00", "07:00"),
        make_method(desk.user, label="New", verified_at=None),
    )
    channel = make_channel(name="Nowhere")
    row = queue(channel_id=channel.pk)
    queue(person_id=make_user("bob").pk)
    send_due()
    for path in (
        "/settings/channels/",
        "/settings/channels/new/pagerduty/",
        f"/settings/channels/{channel.pk}/",
        "/settings/deliveries/",
        f"/settings/deliveries/{row.pk}/",
        "/settings/deliveries/?state=unknown",
        "/me/notifications/",
        "/me/",
    ):
        page = desk.page(path)
        assert barriers(page) == [], path
        assert not scrolls_sideways(page), path
        page.close()


def test_the_open_board_calls_for_new_groups_that_need_a_person_and_is_silent_while_paused(sit: Sit) -> None:
    desk = sit()
    assert desk.user is not None
    BoardNotice.objects.create(person=desk.user, is_shown=True, is_heard=True)
    open_group("An old one")
    desk.context.add_init_script(LISTEN)
    page = desk.page("/oncall/")
    expect(page.locator(LIVE)).to_be_visible()
    page.get_by_role("button", name="Allow sound").click()
    expect(page.locator("[data-desktop-ask]")).to_be_hidden()

    open_group("Of no weight", severity="info")
    open_group("checkout: 3 of 12 replicas")
    expect(page.locator('html[data-told="1"]')).to_be_attached()
    assert told(page) == ["checkout: 3 of 12 replicas"]
    assert page.evaluate("window.tones") == 2

    page.keyboard.press(".")
    expect(page.locator('[data-live-state="paused"]')).to_be_visible()
    open_group("While paused")
    page.wait_for_timeout(700)
    assert len(told(page)) == 1
