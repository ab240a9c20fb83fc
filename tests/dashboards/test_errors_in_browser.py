"""What the boards say when something is missing, forbidden, or broken."""

from __future__ import annotations

from datetime import UTC, datetime
from http.client import HTTPConnection

import pytest
from django.db import OperationalError
from django.test import Client
from playwright.sync_api import expect

from console.accounts.models import Role
from console.alerts.models import AlertGroup
from console.dashboards import quiet
from tests.browsing import Sit, barriers
from tests.make_accounts import make_user
from tests.make_board import Sender, make_services, make_trouble
from tests.serving import work_off

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def broken_database(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> object:
        raise OperationalError("connection refused")

    monkeypatch.setattr(quiet, "proof_of_quiet", fail)


def test_a_page_that_fails_says_that_reclaims_are_still_received(sit: Sit, broken_database: None) -> None:
    desk = sit()
    desk.may_fail = True
    desk.complaints.clear()
    page = desk.page()
    page.route("**/favicon.ico", lambda route: route.fulfill(status=204))
    answer = page.goto(desk.address + "/oncall/")
    assert answer is not None
    assert answer.status in (500, 503)
    expect(page.locator("h1")).to_have_text("The console failed")
    expect(page.locator("main")).to_contain_text("Reclaims are still being received and stored")
    desk.complaints[:] = [line for line in desk.complaints if "500 (" not in line]


def test_a_board_whose_answers_fail_says_so_and_recovers(
    sit: Sit, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = sit()
    page = desk.page("/oncall/")
    expect(page.locator('[data-live-state="live"]')).to_be_visible()
    is_down = [True]
    page.route(
        "**/oncall/",
        lambda route: route.fulfill(status=503, body="down") if is_down[0] else route.continue_(),
    )
    make_services()
    make_trouble(sender, now=datetime.now(UTC))
    work_off()
    expect(page.locator('[data-live-state="stale"]')).to_have_text("Not updating")
    assert page.locator("#groups .empty").count() == 1, "what was shown stays"
    is_down[0] = False
    page.keyboard.press(".")
    page.keyboard.press(".")
    expect(page.locator("#groups [data-group]")).to_have_count(4)
    expect(page.locator('[data-live-state="live"]')).to_be_visible()
    desk.complaints[:] = [line for line in desk.complaints if "503 (" not in line]


def test_the_stream_is_for_people_who_are_signed_in(console_port: int) -> None:
    client = HTTPConnection("127.0.0.1", console_port, timeout=10)
    client.request("GET", "/live/?topics=groups")
    assert client.getresponse().status == 401
    client.close()


def test_a_board_left_open_after_signing_out_says_that_it_no_longer_follows(sit: Sit, sender: Sender) -> None:
    desk = sit()
    desk.may_fail = True
    page = desk.page("/oncall/")
    expect(page.locator('[data-live-state="live"]')).to_be_visible()
    desk.context.clear_cookies()
    make_services()
    make_trouble(sender, now=datetime.now(UTC))
    work_off()
    expect(page.locator(".toast")).to_contain_text("You were signed out")
    expect(page.locator("#groups .empty")).to_be_visible()


@pytest.mark.parametrize(
    "path", ["/alerts/999999/", "/interruptions/999999/", "/interruptions/by-key/aws:nothing"]
)
def test_an_unknown_id_is_a_page_that_leads_on(sit: Sit, path: str) -> None:
    desk = sit()
    desk.may_fail = True
    page = desk.page()
    answer = page.goto(desk.address + path)
    assert answer is not None
    assert answer.status == 404
    expect(page.locator("h1")).to_have_text("There is nothing here")
    assert barriers(page) == []


def test_a_viewer_who_acts_all_the_same_is_refused_in_words(sit: Sit, sender: Sender) -> None:
    make_services()
    make_trouble(sender, now=datetime.now(UTC))
    work_off()
    viewer = make_user("victor", role=Role.VIEWER)
    client = Client()
    client.force_login(viewer)
    group = AlertGroup.objects.order_by("pk")[0]
    for path in (f"/alerts/{group.pk}/acknowledge/", "/alerts/bulk/?verb=resolve&group=1"):
        answer = client.post(path)
        assert answer.status_code == 403
        assert b"ask an administrator for the role" in answer.content
    group.refresh_from_db()
    assert group.status == "triggered"
