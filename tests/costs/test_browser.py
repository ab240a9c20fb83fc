"""In a real Chromium: a bill is given, its import seen to end, and a figure opened to its rows."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import expect

from console.accounts.models import Role
from console.costs.claiming import work_waiting
from tests.browsing import PHONE, WIDE, Sit, barriers, scrolls_sideways
from tests.make_costs import bring_in_rows, focus_csv, focus_row

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
ROWS = [
    focus_row(),
    focus_row(Tags='{"app": "search"}', ListCost=""),
    focus_row(Tags="bare", BillingCurrency="EUR"),
    focus_row(BilledCost="x"),
]


def test_a_bill_is_given_watched_and_opened_from_figure_to_rows(sit: Sit, tmp_path: Path) -> None:
    page = sit(role=Role.MANAGER).page("/costs/imports/")
    (tmp_path / "november.csv").write_text(focus_csv(*ROWS))
    page.get_by_label("Billing files").set_input_files(tmp_path / "november.csv")
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.locator("#imports")).to_contain_text("Waiting")

    assert work_waiting(settings.CONSOLE_VAR, now=timezone.now()) == 1
    expect(page.locator("#imports")).to_contain_text("Done")
    expect(page.locator("#imports")).not_to_have_attribute("hx-trigger", "every 2s")
    page.get_by_role("link", name="november.csv").click()
    expect(page.locator("#import")).to_contain_text("BilledCost “x” is not a number")

    page.goto(page.url.split("/costs/")[0] + "/costs/?month=2026-11")
    page.get_by_role("row", name="checkout").get_by_role("link", name="2.50").click()
    expect(page.locator("#charges tbody tr")).to_have_count(1)
    expect(page.locator("#charges")).to_contain_text("november.csv:2")


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_the_pages_hold_no_barrier_and_do_not_scroll_sideways(sit: Sit, tmp_path: Path, look: str) -> None:
    row = bring_in_rows(tmp_path, ROWS)
    desk = sit(
        role=Role.MANAGER,
        viewport=PHONE if look == "phone" else WIDE,
        color_scheme="dark" if look == "dark" else "light",
    )
    for path in ("", "?by=region&month=all", "charges/", "imports/", f"imports/{row.pk}/"):
        page = desk.page(f"/costs/{path}")
        if folder := os.environ.get("PICTURES"):
            page.screenshot(
                path=Path(folder) / f"{look}-{path.partition('?')[0].replace('/', '-')}.png", full_page=True
            )
        assert barriers(page) == []
        assert not scrolls_sideways(page)
        page.close()
