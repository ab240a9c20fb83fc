"""A service's figures and another origin's pages in a browser: light, dark and at 390 px."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from console.interruptions.models import Move
from tests.browsing import PHONE, Sit, barriers, scrolls_sideways
from tests.make_feeds import NOON
from tests.make_fleet import make_service
from tests.make_interruptions import make_interruption

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("options", [{}, {"color_scheme": "dark"}, {"viewport": PHONE}])
def test_figures_arrive_and_a_page_says_whose_data_it_shows(sit: Sit, options: dict[str, object]) -> None:
    make_service(slug="checkout", name="Checkout")
    reclaim = make_interruption(origin="sample", evicted_at=NOON, running_at=NOON)
    Move.objects.create(
        origin="sample", report_id="1", machine=reclaim.machine, interruption=reclaim, at=NOON, received_at=NOON,
        workload="shop/web", workload_class="stateless", evicted_at=NOON,
    )  # fmt: skip
    desk = sit(**options)
    page = desk.page("/services/checkout/")
    expect(page.locator("#service-figures")).to_contain_text("the first sums are not there yet")
    assert barriers(page) == []
    assert not scrolls_sideways(page)
    page = desk.page(f"/interruptions/{reclaim.pk}/")
    expect(page.locator(".note").first).to_contain_text("This is sample data; you are looking at live data.")
    expect(page.locator(".stepper-label").first).to_have_text("Gone, 1 move pending")
    assert barriers(page) == []
    assert not scrolls_sideways(page)
